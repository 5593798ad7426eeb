//! Makes a poll of what the endpoints have said: which of it is believed. Pure.

use super::counters::Counters;
use super::readings::{Readings, Today};
use super::{Flow, Meter, Net, Poll};
use crate::endpoints::inverters::{InverterReport, Inverters};

/// How much older than the newest report of the site one may be to count into a sum, in seconds: the longest
/// report interval, and some minutes in which it becomes visible.
const TOGETHER: i64 = 65 * 60;

/// Inverters that make this part of the most they ever made do so by day: at night their last reports, of a few
/// watts, stay on show.
const BY_DAY: f64 = 0.05;

/// A sum that is less than this part of that of the reports is not of the same inverters. The two are not of the
/// same minute, so that a cloud may lie between them.
const TOO_LITTLE: f64 = 0.1;

/// How long what was made today is told with what a meter shows, in seconds: three times as long as until it is
/// asked for again. It would go on beyond midnight.
const TODAY_IS_GOOD_FOR: i64 = 15 * 60;

/// Makes a poll of them. `counters` remembers what meters counted before.
pub(crate) fn choose(inverters: Inverters, readings: Readings, counters: &mut Counters) -> Poll {
    let mut of_any = readings.details;
    let of_shown = inverters.reports.iter().filter_map(|report| {
        let (serial, detail) = of_any.remove_entry(&report.serial)?;
        (detail.reported_at == report.reported_at).then_some((serial, detail))
    });
    let details = of_shown.collect();

    let today = readings.kept.made_today;
    let production = readings.production.map(|made| Flow {
        // A meter counts no days.
        energy_today_wh: made.energy_today_wh.or(of_today(today, made.measured_at)),
        ..made
    });
    let inverter_total = readings
        .inverter_totals
        .into_iter()
        .filter(|_| production.is_none())
        .find(|total| is_of(total, &inverters));

    let mut meters = readings.meters;
    for meter in &mut meters {
        make_sound(meter, counters);
    }
    Poll {
        inverter_total,
        production,
        consumption: readings.consumption,
        net: readings.net.map(unless_all_zero),
        inverters,
        details,
        meters,
        batteries: readings.batteries,
        notes: Vec::new(),
    }
}

fn of_today(today: Option<Today>, now: i64) -> Option<f64> {
    let today = today.filter(|today| (now - today.measured_at).abs() <= TODAY_IS_GOOD_FOR);
    today.map(|today| today.energy_wh)
}

/// Whether a sum can be that of these inverters. Some firmwares say nothing for good, or what they once said,
/// while the inverters work.
fn is_of(total: &Flow, inverters: &Inverters) -> bool {
    let newest = inverters.newest().unwrap_or_default();
    let together = || {
        inverters
            .reports
            .iter()
            .filter(|report| report.reported_at >= newest - TOGETHER && !report.is_ac_battery())
    };
    let sum = |of: fn(&InverterReport) -> i32| together().map(of).map(f64::from).sum::<f64>();
    let reported_w = sum(|report| report.power_w);
    let is_by_day = reported_w > BY_DAY * sum(|report| report.peak_power_w);
    !is_by_day || total.power_w >= TOO_LITTLE * reported_w
}

fn make_sound(meter: &mut Meter, counters: &mut Counters) {
    let key = |direction| format!("meter {} {direction}", meter.eid);
    let (delivered, received) = (key("delivered"), key("received"));
    // Neither has counted anything: so it is for minutes after a start.
    if meter.energy_delivered_wh == Some(0.0) && meter.energy_received_wh == Some(0.0) {
        (meter.energy_delivered_wh, meter.energy_received_wh) = (None, None);
    }
    // What goes through the meter of batteries is carried on, as that of the grid is.
    if meter.kind == "storage" {
        return;
    }
    meter.energy_delivered_wh = counters.sound(&delivered, meter.energy_delivered_wh);
    meter.energy_received_wh = counters.sound(&received, meter.energy_received_wh);
}

/// Counters that show nothing in both directions, as for minutes after a start, tell of nothing.
fn unless_all_zero(net: Net) -> Net {
    match (net.energy_imported_wh, net.energy_exported_wh) {
        (Some(0.0), Some(0.0)) => Net {
            energy_imported_wh: None,
            energy_exported_wh: None,
            ..net
        },
        _ => net,
    }
}

#[cfg(test)]
mod tests;
