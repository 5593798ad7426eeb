mod energy;
mod stale;

use std::collections::BTreeMap;

use super::*;
use envoy::{Detail, Flow, InverterReport, Inverters};
use wire::{Basis, Quantity, Reading};

/// 2023-11-14T22:13:20Z.
const NOW: i64 = 1_700_000_000;

fn report(serial: &str, reported_at: i64, power_w: i32) -> InverterReport {
    InverterReport {
        serial: serial.to_owned(),
        reported_at,
        device_type: Some(1),
        power_w,
        peak_power_w: 300,
    }
}

fn answer(reports: &[InverterReport]) -> Poll {
    Poll {
        inverters: Inverters {
            reports: reports.to_vec(),
            ..Inverters::default()
        },
        ..Poll::default()
    }
}

fn new_powers(changes: &mut Changes, reports: &[InverterReport]) -> Vec<i32> {
    let judged = changes.take(&answer(reports), None);
    judged.inverters().map(|report| report.power_w).collect()
}

#[test]
fn everything_is_new_at_first_and_nothing_the_second_time() {
    let mut changes = Changes::new();
    let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)];
    assert_eq!(new_powers(&mut changes, &list), [1, 2]);
    assert_eq!(new_powers(&mut changes, &list), [0; 0]);
}

#[test]
fn only_the_inverter_with_another_report_time_is_new() {
    let mut changes = Changes::new();
    new_powers(
        &mut changes,
        &[report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)],
    );
    let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_310, 3)];
    assert_eq!(new_powers(&mut changes, &list), [3]);
}

#[test]
fn a_report_that_was_taken_before_a_restart_is_not_new() {
    let mut changes = Changes::new();
    let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)];
    new_powers(&mut changes, &list);
    let mut changes = Changes::after(changes.last, Vec::new());
    assert_eq!(new_powers(&mut changes, &list), [0; 0]);
}

#[test]
fn a_report_from_a_clock_that_was_set_back_is_new() {
    let mut changes = Changes::new();
    new_powers(&mut changes, &[report("a", 1_700_003_600, 1)]);
    assert_eq!(
        new_powers(&mut changes, &[report("a", 1_700_000_000, 2)]),
        [2]
    );
}

#[test]
fn an_empty_or_shorter_list_makes_nothing_new_afterwards() {
    let mut changes = Changes::new();
    let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)];
    new_powers(&mut changes, &list);
    new_powers(&mut changes, &[]);
    new_powers(&mut changes, &list[..1]);
    assert_eq!(new_powers(&mut changes, &list), [0; 0]);
}

#[test]
fn a_report_that_no_store_could_hold_is_refused_and_costs_only_itself() {
    let mut changes = Changes::new();
    let list = [
        report("../evil", 1_700_000_000, 1),
        report("a", i64::MAX, 2),
        report("b", 1_700_000_000, 3),
    ];
    let judged = changes.take(&answer(&list), Some(NOW));
    assert_eq!(judged.inverters().count(), 1);
    assert_eq!(judged.refused.len(), 2);
    assert!(
        judged.refused[0].contains("../evil"),
        "{:?}",
        judged.refused
    );
}

fn flow(measured_at: i64, power_w: f64) -> Flow {
    Flow {
        measured_at,
        power_w,
        energy_today_wh: None,
        energy_lifetime_wh: Some(5000.0),
    }
}

fn subjects(judged: &Judged) -> Vec<String> {
    let subjects = judged.new.iter().map(Measured::subject);
    subjects.map(|subject| subject.to_string()).collect()
}

#[test]
fn detail_goes_with_its_report_and_is_unknown_where_it_once_was_there() {
    let mut changes = Changes::new();
    let mut poll = answer(&[report("a", NOW, 1), report("b", NOW, 2)]);
    let detail = Detail {
        reported_at: NOW,
        energy_wh: Some(50.0),
        dc_voltage_v: Some(f64::NAN),
        ..Detail::default()
    };
    poll.details.insert("a".to_owned(), detail);
    let judged = changes.take(&poll, Some(NOW));
    let details: Vec<_> = judged
        .inverters()
        .map(|report| report.detail.clone())
        .collect();
    let a = details[0].clone().expect("the detail");
    assert_eq!((a.energy_wh, a.dc_voltage_v), (Some(50.into()), None));
    assert_eq!(details[1], None, "the Envoy has none of this one");
    let poll = answer(&[report("a", NOW + 900, 1), report("b", NOW + 900, 2)]);
    let judged = changes.take(&poll, Some(NOW + 900));
    let details: Vec<_> = judged
        .inverters()
        .map(|report| report.detail.clone())
        .collect();
    assert_eq!(details, [Some(wire::Detail::default()), None]);
}

#[test]
fn what_stays_as_it_is_is_taken_each_quarter_of_an_hour() {
    let mut changes = Changes::new();
    let mut take = |at: i64, power_w: f64| {
        let poll = Poll {
            consumption: Some(flow(at, power_w)),
            ..Poll::default()
        };
        subjects(&changes.take(&poll, Some(at)))
    };
    assert_eq!(take(NOW, 300.0), ["consumption"]);
    assert_eq!(take(NOW, 310.0), [""; 0], "it is of the same time");
    assert_eq!(take(NOW + 60, 300.0), [""; 0]);
    assert_eq!(take(NOW + 120, 301.0), ["consumption"]);
    assert_eq!(take(NOW + 120 + 899, 301.0), [""; 0]);
    assert_eq!(take(NOW + 120 + 900, 301.0), ["consumption"]);
    assert_eq!(
        take(NOW - 7200, 301.0),
        ["consumption"],
        "the clock was set back"
    );
}

#[test]
fn the_site_is_the_sum_of_the_inverters_or_what_a_meter_shows() {
    let mut changes = Changes::new();
    let poll = answer(&[report("a", NOW, 100), report("b", NOW - 60, 50)]);
    let judged = changes.take(&poll, Some(NOW + 5));
    let Some(Measured::Site(site)) = judged.new.last() else {
        panic!("{judged:?}");
    };
    assert_eq!((site.basis, site.power_w), (Basis::Inverters, 150.into()));
    let poll = Poll {
        production: Some(flow(NOW + 50, 160.0)),
        ..answer(&[report("a", NOW, 100), report("b", NOW - 60, 50)])
    };
    let judged = changes.take(&poll, Some(NOW + 55));
    assert_eq!(subjects(&judged), ["site", "production"]);
    assert!(matches!(&judged.new[0], Measured::Site(site) if site.basis == Basis::Meter));
}

#[test]
fn what_the_gateways_own_clock_has_not_seen_yet_is_refused_and_costs_only_itself() {
    let mut changes = Changes::new();
    let poll = Poll {
        consumption: Some(flow(NOW + 2 * 86_400, 1.0)),
        net: Some(envoy::Net {
            measured_at: NOW,
            power_w: f64::INFINITY,
            energy_imported_wh: None,
            energy_exported_wh: None,
        }),
        ..answer(&[report("a", NOW, 100)])
    };
    let judged = changes.take(&poll, Some(NOW));
    assert_eq!(subjects(&judged), ["inverters/a", "site"]);
    assert_eq!(judged.refused.len(), 2, "{:?}", judged.refused);
}

#[test]
fn in_the_poll_in_which_the_clock_was_set_back_the_site_has_all_its_inverters() {
    let mut changes = Changes::new();
    let metered = |at: i64, reports: &[InverterReport]| Poll {
        production: Some(flow(at, 160.0)),
        ..answer(reports)
    };
    let list = |at: i64| [report("a", at, 100), report("b", at - 60, 50)];
    changes.take(&metered(NOW, &list(NOW)), Some(NOW));
    let back = NOW - 3 * 86_400;
    for reports in [&list(back)[..1], &list(back)] {
        let judged = changes.take(&metered(back, reports), Some(back));
        let sites = judged.new.iter().filter_map(|measured| match measured {
            Measured::Site(site) => Some((site.inverters_reporting, site.inverters_total)),
            _ => None,
        });
        for (reporting, total) in sites {
            assert_eq!((reporting, total), (1, 2), "the first of them alone");
        }
    }
}

#[test]
fn a_list_without_the_newest_of_a_gateway_that_tells_no_time_leaves_the_site_as_it_was() {
    let mut changes = Changes::new();
    let sum = |changes: &mut Changes, list: &[_]| {
        let judged = changes.take(&answer(list), None);
        judged.new.iter().find_map(|measured| match measured {
            Measured::Site(site) => Some((site.power_w.get(), site.inverters_reporting)),
            _ => None,
        })
    };
    let (a, b) = (report("a", NOW, 100), report("b", NOW - 900, 50));
    assert_eq!(sum(&mut changes, &[a, b.clone()]), Some((150.0, 2)));
    assert_eq!(sum(&mut changes, &[b]), None);
    let b = report("b", NOW + 60, 60);
    assert_eq!(sum(&mut changes, &[b]), Some((160.0, 2)));
}
