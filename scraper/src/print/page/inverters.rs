//! The inverters: a row of each, and what the rows can't say.

use std::fmt::Write as _;

use envoy::{Failure, Poll};
use wire::{Health, Inverter, InverterHealth, InverterState};

use super::super::look::Look;
use super::table::{Align, Table};
use super::times::Times;
use super::{kilowatt_hours, many};
use crate::names::Names;

/// Where more is told of each inverter.
const DEVICE_DATA: &str = "/ivp/pdm/device_data";

/// The section of the inverters.
pub(super) fn section(look: &Look, names: &Names, times: &Times) -> String {
    let (batteries, mut reports): (Vec<&Inverter>, Vec<&Inverter>) = look
        .judged
        .inverters()
        .partition(|report| report.is_ac_battery());
    reports.sort_by(|a, b| a.serial.cmp(&b.serial));
    let health = look.condition.as_ref().zip(look.info.serial.parse().ok());
    let health = health.map(|(condition, envoy)| condition.health(&envoy, names));
    let remarks = [
        what_it_shows(&reports),
        states(&reports, health.as_ref()),
        without_energy(&reports, &look.poll),
        ac_batteries(batteries.len()),
        never_reported(look.poll.inverters.never_reported),
    ];
    let refused = look.judged.refused.iter();
    let refused = refused.map(|reason| format!("Left out: {reason}"));
    let mut text = rows(&reports, health.as_ref(), names, times);
    for remark in remarks.into_iter().flatten().chain(refused) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n{remark}");
    }
    text
}

fn rows(reports: &[&Inverter], health: Option<&Health>, names: &Names, times: &Times) -> String {
    let has_names = reports.iter().any(|report| called(report, names).is_some());
    let has_energy = has_energy(reports);
    let mut table = Table::new(&[("inverter", Align::Left)]);
    if has_names {
        table.column("name", Align::Left);
    }
    table.column("state", Align::Left);
    table.column("last report", Align::Right);
    table.column("power", Align::Right);
    table.column("peak", Align::Right);
    if has_energy {
        table.column("today", Align::Right);
        table.column("counted", Align::Right);
    }
    for report in reports {
        let mut row = vec![report.serial.to_string()];
        if has_names {
            row.push(called(report, names).unwrap_or_default());
        }
        row.push(state(report, health, times));
        row.push(times.show(report.reported_at.unix_seconds()));
        row.push(format!("{} W", report.power_w));
        row.push(format!("{} W", report.peak_power_w));
        let energy = report.detail.as_ref().filter(|_| has_energy);
        if let Some(detail) = energy {
            for energy in [detail.energy_today_wh, detail.energy_lifetime_wh] {
                row.push(energy.map_or_else(String::new, |wh| kilowatt_hours(wh.get())));
            }
        }
        table.row(row);
    }
    let report_now: Vec<&&Inverter> = reports
        .iter()
        .filter(|report| of(report, health).is_none_or(|one| one.state == InverterState::Reporting))
        .collect();
    let sum: i64 = report_now.iter().map(|one| i64::from(one.power_w)).sum();
    let mut row = vec!["together".to_owned()];
    row.extend(has_names.then(String::new));
    row.push(format!("{} of {} report", report_now.len(), reports.len()));
    row.extend([String::new(), format!("{sum} W")]);
    table.row(row);
    table.to_string()
}

fn has_energy(reports: &[&Inverter]) -> bool {
    reports.iter().any(|report| report.detail.is_some())
}

/// What its owner calls it.
fn called(report: &Inverter, names: &Names) -> Option<String> {
    match (names.name(&report.serial), names.array(&report.serial)) {
        (Some(name), Some(array)) => Some(format!("{name}, {array}")),
        (name, array) => name.or(array).map(str::to_owned),
    }
}

fn of<'a>(report: &Inverter, health: Option<&'a Health>) -> Option<&'a InverterHealth> {
    health?.inverters.get(&report.serial)
}

fn state(report: &Inverter, health: Option<&Health>, times: &Times) -> String {
    let since = || times.show(report.reported_at.unix_seconds());
    match of(report, health).map(|one| (one.state, one.fresh)) {
        None => String::new(),
        Some((InverterState::Reporting, _)) => "reporting".to_owned(),
        Some((InverterState::Silent, _)) => format!("silent since {}", since()),
        Some((InverterState::Asleep, true)) => "asleep".to_owned(),
        // It did not go to sleep, and there is nobody who reports while it does not.
        Some((InverterState::Asleep, false)) => format!("no report since {}", since()),
    }
}

fn what_it_shows(reports: &[&Inverter]) -> Option<String> {
    let mut text =
        "Power is the average of the time before the last report, peak the highest one on record."
            .to_owned();
    if has_energy(reports) {
        text += " Counted is\nwhat the Envoy has counted since that counter began: with the inverter, or when an update or a \
                 replacement\nset it back.";
    }
    (!reports.is_empty()).then_some(text)
}

/// What those states mean that are no good ones.
fn states(reports: &[&Inverter], health: Option<&Health>) -> Option<String> {
    let health = health?;
    let is_missed = |report: &&&Inverter| of(report, Some(health)).is_some_and(|one| !one.fresh);
    if health.silent > 0 {
        Some("Silent: it has not reported for three of its intervals, while others do.".to_owned())
    } else if health.reporting == 0 && reports.iter().any(|report| is_missed(&report)) {
        Some(
            "No inverter reports, and they did not go to sleep: the Envoy does not hear them."
                .to_owned(),
        )
    } else {
        None
    }
}

/// Why there is no energy of some or all of them.
fn without_energy(reports: &[&Inverter], poll: &Poll) -> Option<String> {
    let missing = reports.iter().filter(|report| report.detail.is_none());
    let missing = missing.count();
    let failed = |note: &&envoy::Note| note.endpoint == DEVICE_DATA;
    let failed = poll.notes.iter().find(failed);
    if missing == 0 {
        None
    } else if failed.is_some_and(|note| note.failure != Failure::Missing) {
        Some("The energy of single inverters could not be read just now: see below.".to_owned())
    } else if missing == reports.len() {
        Some("This Envoy tells no energy of single inverters; some of firmware 8 do.".to_owned())
    } else {
        Some(format!(
            "No energy of {}: the Envoy tells that of 50 devices at most, and not that of one whose next\n\
             report is just coming in.",
            many(missing, "inverter")
        ))
    }
}

fn ac_batteries(count: usize) -> Option<String> {
    let batteries = many(count, "AC battery");
    let listed = format!(
        "{batteries} in the Envoy's list of inverters, left out here: what a battery gives was made before."
    );
    (count > 0).then_some(listed)
}

fn never_reported(count: usize) -> Option<String> {
    let inverters = many(count, "more inverter");
    let have = if count == 1 { "has" } else { "have" };
    (count > 0).then(|| {
        format!("{inverters} in its list {have} never reported: replaced ones, as a rule.")
    })
}
