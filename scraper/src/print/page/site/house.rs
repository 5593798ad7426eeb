//! What the house uses, and what the Envoy calls consumption.
//!
//! Its meters stand at the panels and at the grid. The consumption is what goes through both: what a battery takes is
//! in it, and what a battery gives is not. So it is below zero where batteries feed the house and the grid.

use envoy::{Flow, Poll};

use super::super::super::look::Look;
use super::super::times::Times;
use super::super::watts;
use super::{batteries, counted, missing, shown};

/// What the house uses now, where that is another thing than the consumption; all parts of it have to be measured.
pub(super) fn used(look: &Look) -> Option<String> {
    let poll = &look.poll;
    if poll.batteries.is_empty() && poll.consumption.is_some() {
        return None;
    }
    let made = poll.production?.power_w;
    let taken = poll.net?.power_w;
    let given = batteries::power_w(look)?;
    let part = |power_w: f64, from: &str, to: &str| match power_w {
        ..0.0 => format!("{} {to}", watts(-power_w)),
        _ => format!("{} {from}", watts(power_w)),
    };
    let mut parts = vec![
        format!("{} made", watts(made)),
        part(taken, "from the grid", "to the grid"),
    ];
    if !poll.batteries.is_empty() {
        parts.push(part(given, "from batteries", "to batteries"));
    }
    let used = plausible(made + taken + given)?;
    Some(format!("{} used: {}", watts(used), parts.join(", ")))
}

/// What the Envoy calls so.
pub(super) fn consumption(look: &Look, times: &Times) -> String {
    let Some(flow) = look.poll.consumption else {
        return missing::meter(look);
    };
    let shown = |power_w| shown(Flow { power_w, ..flow }, "", times);
    let counted = counted(flow);
    match (look.poll.batteries.is_empty(), plausible(flow.power_w)) {
        (true, Some(power_w)) => shown(power_w),
        (true, None) => format!(
            "not known: its meters show {}, which no house uses{counted}",
            watts(flow.power_w)
        ),
        (false, Some(power_w)) if power_w > 0.0 => shown(power_w),
        (false, _) => {
            format!("nothing but what batteries give, which its meters do not count{counted}")
        }
    }
}

/// What the Envoy's consumption is, where that is another thing than what the house uses.
pub(super) fn remark(poll: &Poll) -> Option<String> {
    let differ = poll.consumption.is_some() && !poll.batteries.is_empty();
    differ.then(|| {
        "In the Envoy's consumption is what batteries take, and not what they give.".to_owned()
    })
}

/// How far below zero the sum of meters may be that read one after the other, in watts.
const BETWEEN_READINGS: f64 = -20.0;

/// What can be used. Nobody uses less than nothing.
fn plausible(power_w: f64) -> Option<f64> {
    (power_w > BETWEEN_READINGS).then_some(power_w.max(0.0))
}
