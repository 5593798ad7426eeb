mod inverters;
mod site;

use envoy::{Battery, Detail, Failure, Flow, Info, InverterReport, Inverters, Net, Note, Poll};
use jiff::tz::TimeZone;

use super::*;
use crate::memory::Learned;

const NOW: i64 = 1_748_577_049;

fn info(software: &str, metered: Option<bool>) -> Info {
    Info {
        serial: "122012345678".to_owned(),
        firmware: software.parse().expect("a firmware"),
        part_number: None,
        time: Some(NOW),
        web_tokens: false,
        metered,
    }
}

fn list(reports: &[(&str, i64, i32)]) -> Poll {
    let report = |(serial, age, power_w): &(&str, i64, i32)| InverterReport {
        serial: (*serial).to_owned(),
        reported_at: NOW - age,
        device_type: Some(1),
        power_w: *power_w,
        peak_power_w: 300,
    };
    Poll {
        inverters: Inverters {
            reports: reports.iter().map(report).collect(),
            ..Inverters::default()
        },
        ..Poll::default()
    }
}

fn page(info: &Info, poll: &Poll) -> String {
    named(info, poll, "")
}

/// With a file of names.
fn named(info: &Info, poll: &Poll, names: &str) -> String {
    let look = Look::new(info.clone(), poll.clone(), Some(NOW), &Learned::default());
    let (names, _) = Names::parse(names);
    of(&look, &names, &Times::in_zone(look.now, TimeZone::UTC))
}

/// What stands on the page's line of this name.
fn line<'a>(page: &'a str, name: &str) -> &'a str {
    let line = page.lines().find_map(|line| {
        let value = line.trim_start().strip_prefix(name)?;
        value.starts_with("  ").then(|| value.trim_start())
    });
    line.unwrap_or_else(|| panic!("{name} is missing in:\n{page}"))
}

fn flow(power_w: f64, energy_today_wh: Option<f64>) -> Flow {
    Flow {
        measured_at: NOW,
        power_w,
        energy_today_wh,
        energy_lifetime_wh: Some(5_000_000.0),
    }
}

fn net(power_w: f64) -> Net {
    Net {
        measured_at: NOW,
        power_w,
        energy_imported_wh: Some(2_000.0),
        energy_exported_wh: None,
    }
}

fn battery(power_w: Option<f64>) -> Battery {
    Battery {
        serial: "492012345678".to_owned(),
        measured_at: NOW,
        kind: "encharge",
        state_of_charge_pct: Some(63.0),
        power_w,
        energy_capacity_wh: None,
        temperature_c: None,
        state: None,
    }
}

fn metered() -> Info {
    info("D8.3.5169", Some(true))
}
