//! One look at an Envoy as a page for its owner: the inverters, the site, and what this Envoy can't measure, and
//! why.

mod inverters;
mod site;
mod table;
mod times;

use super::look::Look;
use crate::names::Names;
pub(super) use times::Times;

/// The page of a look.
pub(super) fn of(look: &Look, names: &Names, times: &Times) -> String {
    let reports = look.judged.inverters();
    let inverters = reports.filter(|report| !report.is_ac_battery()).count();
    let mut text = format!(
        "Envoy {}, firmware {}, {}\n{}\n\n",
        look.info.serial,
        look.info.firmware,
        many(inverters, "inverter"),
        times.head()
    );
    text += &inverters::section(look, names, times);
    text += &site::section(look, times);
    text
}

fn many(count: usize, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

/// Power as people say it.
fn watts(power_w: f64) -> String {
    // Not "-0".
    format!("{:.0} W", power_w.round() + 0.0)
}

/// Energy as people say it.
fn kilowatt_hours(watt_hours: f64) -> String {
    format!("{:.1} kWh", watt_hours / 1000.0)
}

#[cfg(test)]
mod tests;
