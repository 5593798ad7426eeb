//! The site as a whole: what is measured, and why the rest is not.

mod batteries;
mod house;
mod missing;

use std::fmt::Write as _;

use envoy::{Failure, Flow, Meter, Net, Poll};
use wire::Measured;

use super::super::look::Look;
use super::times::Times;
use super::{kilowatt_hours, watts};

/// The section of the site.
pub(super) fn section(look: &Look, times: &Times) -> String {
    let poll = &look.poll;
    let mut text = String::from("\nThe site\n");
    // Writing to a string does not fail.
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:11}  {value}");
    };
    line("production", &production(look, times));
    if let Some(used) = house::used(look) {
        line("house", &used);
    }
    line("consumption", &house::consumption(look, times));
    let net = poll.net.map(|net| exchange(net, look, times));
    line("grid", &net.unwrap_or_else(|| missing::meter(look)));
    for (name, value) in batteries::lines(look, times) {
        line(name, &value);
    }
    for meter in poll.meters.iter().filter(|meter| is_other(meter)) {
        let power = meter.power_w.map_or("power unknown".to_owned(), watts);
        line("meter", &format!("{} {}: {power}", meter.kind, meter.eid));
    }
    if let Some(why) = missing::generator(look) {
        line("generator", why);
    }
    for note in &poll.notes {
        if note.failure != Failure::Missing {
            let why = missing::why(note);
            line("not read", &format!("{}: {why}", note.endpoint));
        }
    }
    for remark in [house::remark(poll), moments(poll), carried_on(look)]
        .into_iter()
        .flatten()
    {
        let _ = writeln!(text, "\n{remark}");
    }
    text
}

/// Whether it is a meter that the lines above it say nothing of.
fn is_other(meter: &Meter) -> bool {
    let above = ["production", "net-consumption", "total-consumption"];
    meter.phase.is_none() && !above.contains(&&*meter.kind)
}

fn production(look: &Look, times: &Times) -> String {
    let unmeasured = || missing::why_no_meter(look);
    let site = look.judged.new.iter().find_map(|measured| match measured {
        Measured::Site(site) => Some(site),
        _ => None,
    });
    match (look.poll.production, look.poll.inverter_total, site) {
        (Some(flow), _, _) => shown(flow, " by its meter", times),
        (None, Some(flow), _) => format!(
            "{}; {}",
            shown(flow, " as the Envoy adds up its inverters", times),
            unmeasured()
        ),
        (None, None, Some(site)) => format!(
            "{}, the sum of {} reports up to {}; {}",
            watts(site.power_w.get()),
            site.inverters_reporting,
            times.show(site.measured_at.unix_seconds()),
            unmeasured()
        ),
        (None, None, None) => format!("not known: no inverter has reported; {}", unmeasured()),
    }
}

fn shown(flow: Flow, by: &str, times: &Times) -> String {
    let mut text = watts(flow.power_w) + by;
    text += &times.unless_now(flow.measured_at);
    text + &counted(flow)
}

/// What was counted, behind a comma, and what was not.
fn counted(flow: Flow) -> String {
    // A counter that shows nothing never counts, or does not yet: it is not published, either.
    let lifetime_wh = flow.energy_lifetime_wh.filter(|counted| *counted > 0.0);
    match (flow.energy_today_wh, lifetime_wh) {
        (None, None) => ", and no energy is told".to_owned(),
        (None, Some(counted)) => format!(
            ", {} counted so far; today's is not told",
            kilowatt_hours(counted)
        ),
        (Some(today), None) => format!(
            ", {} today; there is no sound counter of all before",
            kilowatt_hours(today)
        ),
        (Some(today), Some(counted)) => format!(
            ", {} today, {} counted so far",
            kilowatt_hours(today),
            kilowatt_hours(counted)
        ),
    }
}

fn exchange(net: Net, look: &Look, times: &Times) -> String {
    let direction = if net.power_w < 0.0 {
        "given to it"
    } else {
        "taken from it"
    };
    let mut text = format!("{} {direction}", watts(net.power_w.abs()));
    text += &times.unless_now(net.measured_at);
    let taken = net.energy_imported_wh.map(|wh| (wh, "taken"));
    let given = net.energy_exported_wh.map(|wh| (wh, "given"));
    for (wh, which) in taken.into_iter().chain(given) {
        let _ = write!(text, ", {} {which} so far", kilowatt_hours(wh));
    }
    if taken.or(given).is_none() {
        text += "; taken and given are not counted apart";
        text += missing::why_not_apart(look);
    }
    text
}

/// Why what meters show does not add up with each other, nor with the inverters.
fn moments(poll: &Poll) -> Option<String> {
    let flows = poll.production.iter().chain(&poll.consumption);
    let flows = flows.map(|flow| flow.measured_at);
    let times: Vec<i64> = flows
        .chain(poll.net.iter().map(|net| net.measured_at))
        .collect();
    let apart = times.iter().max()? - times.iter().min()?;
    let apart = match apart {
        0 => String::new(),
        seconds => format!(" (those here within {seconds} s)"),
    };
    Some(format!(
        "A meter shows the moment{apart}, an inverter the average since its report before, so that\n\
         they need not add up."
    ))
}

/// Whose counts are others than those that are published.
fn carried_on(look: &Look) -> Option<String> {
    let (inverters, others): (Vec<&str>, Vec<&str>) = look
        .carried_on
        .iter()
        .map(String::as_str)
        .partition(|subject| subject.starts_with("inverters/"));
    let inverters = (!inverters.is_empty()).then(|| super::many(inverters.len(), "inverter"));
    let whose: Vec<&str> = others.into_iter().chain(inverters.as_deref()).collect();
    (!whose.is_empty()).then(|| {
        format!(
            "Counters that were set back, or have jumped, while envoy-scraper watched: {}. What it publishes of them\n\
             goes on from before, so that it differs from what the Envoy counts.",
            whose.join(", ")
        )
    })
}
