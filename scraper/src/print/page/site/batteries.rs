//! What batteries do.

use envoy::{Battery, Failure};

use super::super::super::look::Look;
use super::super::times::Times;
use super::super::watts;
use crate::changes::CURRENT;

/// A line of each battery, or one that says why there is none.
pub(super) fn lines(look: &Look, times: &Times) -> Vec<(&'static str, String)> {
    let batteries = &look.poll.batteries;
    if batteries.is_empty() {
        return vec![("batteries", none(look).to_owned())];
    }
    batteries
        .iter()
        .map(|battery| ("battery", charge(battery, look, times)))
        .collect()
}

fn none(look: &Look) -> &'static str {
    let mut notes = look.poll.notes.iter();
    let failed = notes
        .any(|note| note.endpoint.starts_with("/ivp/ensemble") && note.failure != Failure::Missing);
    if failed {
        "not read"
    } else if look.info.firmware.is_at_least(&[5]) {
        "none listed"
    } else {
        "none: this firmware lists none"
    }
}

/// What all batteries give together, in watts; below zero they take. Nothing where that of one is not known now.
pub(super) fn power_w(look: &Look) -> Option<f64> {
    let power = |battery: &Battery| battery.power_w.filter(|_| !is_old(battery, look.now));
    look.poll.batteries.iter().map(power).sum()
}

/// Whether it is not so now: some Envoys repeat the last value of a battery for days.
fn is_old(battery: &Battery, now: Option<i64>) -> bool {
    now.is_some_and(|now| now - battery.measured_at >= CURRENT)
}

fn charge(battery: &Battery, look: &Look, times: &Times) -> String {
    let full = battery.state_of_charge_pct;
    let full = full.map_or("charge unknown".to_owned(), |pct| {
        format!("{pct:.0} % full")
    });
    let power = match battery.power_w {
        None => "power unknown".to_owned(),
        Some(power_w) if power_w < 0.0 => format!("charging with {}", watts(-power_w)),
        Some(power_w) => format!("giving {}", watts(power_w)),
    };
    let which = if battery.kind == "acb" {
        "AC batteries"
    } else {
        &battery.serial
    };
    let at = times.show(battery.measured_at);
    if is_old(battery, look.now) {
        format!("{which}: {full}, {power} at {at}, and nothing newer is known")
    } else {
        format!(
            "{which}: {full}, {power}{}",
            times.unless_now(battery.measured_at)
        )
    }
}
