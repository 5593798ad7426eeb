//! By how much a sum of inverters may grow at once: by what each of them made since its report before. One that was not
//! heard of for days adds all of it in a minute; one that joins the sum has no report before, and adds nothing.

use std::collections::BTreeMap;

use wire::{Inverter, Quantity, Serial};

use crate::clock;

/// A day, in seconds.
const DAY: i64 = 24 * 3600;

/// What an inverter makes in a day at most, in watt-hours.
const DAY_WH: f64 = 3000.0;

/// By how much what was made between two reports exceeds the larger power of theirs, at most.
const BETWEEN: f64 = 4.0;

/// What each inverter made with one report of late, with that one's time, in Unix seconds, in watt-hours.
#[derive(Debug, Default)]
pub(super) struct CaughtUp(BTreeMap<Serial, (i64, f64)>);

impl CaughtUp {
    /// An inverter's report, and the one before. A larger step of the last `late` seconds stays: the gateway's own count
    /// may show it later than the list.
    pub(super) fn take(&mut self, before: &Inverter, report: &Inverter, late: i64) {
        let at = report.reported_at.unix_seconds();
        let wh = made(before, report);
        let known = self.0.get(&report.serial);
        let is_late = |then: i64| at.saturating_sub(then).abs() >= late;
        if known.is_none_or(|(then, known)| is_late(*then) || *known <= wh) {
            self.0.insert(report.serial.clone(), (at, wh));
        }
    }

    /// What all of them made at most with the reports of the last `late` seconds, in watt-hours.
    pub(super) fn most_wh(&self, now: i64, late: i64) -> f64 {
        let steps = self.0.values();
        let of_late = |at: i64| !clock::is_ahead(at, now) && now.saturating_sub(at) < late;
        let steps = steps.filter(|(at, _)| of_late(*at));
        steps.map(|(_, wh)| wh).sum()
    }
}

/// What an inverter made between two reports, by its own count, which is carried on; or the most that it can have made.
fn made(before: &Inverter, report: &Inverter) -> f64 {
    let lifetime = |report: &Inverter| report.detail.as_ref()?.energy_lifetime_wh;
    if let (Some(before), Some(now)) = (lifetime(before), lifetime(report)) {
        return (Quantity::get(now) - before.get()).max(0.0);
    }
    let since = report.reported_at.unix_seconds() - before.reported_at.unix_seconds();
    #[allow(clippy::cast_precision_loss, reason = "decades have 2^30 seconds")]
    let (hours, days) = (since as f64 / 3600.0, (since / DAY) as f64);
    if since > DAY {
        return DAY_WH * (days + 1.0);
    }
    // Of a night it is little.
    let power_w = f64::from(before.power_w.max(report.power_w).max(0));
    // And of a clock that was set back in between nothing.
    (BETWEEN * power_w * hours).clamp(0.0, DAY_WH)
}
