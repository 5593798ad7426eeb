#![allow(clippy::unwrap_used)]

use wire::{InverterHealth, InverterState, ReportTime, SET_BACK_S};

use super::*;

const NOON: i64 = 1_795_435_200;

fn health(changed_at: i64, inverters: &[(&str, InverterState)]) -> Health {
    Health {
        envoy: "122012345678".parse().unwrap(),
        changed_at: Some(ReportTime::from_unix_seconds(changed_at).unwrap()),
        reporting: 0,
        asleep: 0,
        silent: 0,
        total: 0,
        never_reported: 0,
        inverters: inverters
            .iter()
            .map(|(serial, state)| (serial.parse().unwrap(), one(*state)))
            .collect(),
    }
}

fn one(state: InverterState) -> InverterHealth {
    InverterHealth {
        state,
        fresh: true,
        interval_s: Some(300),
        missed_reports: 0,
        relative_output_pct: Some(100),
        name: Some("Garage left".to_owned()),
        array: None,
    }
}

/// What is to be stored now, by inverter; it is stored then.
fn next(healths: &Healths) -> Vec<(String, InverterState)> {
    let mut all = Vec::new();
    for (whole, new) in healths.waiting() {
        all.extend(
            new.inverters
                .iter()
                .map(|(serial, one)| (serial.to_string(), one.state)),
        );
        healths.stored(whole);
    }
    all
}

use InverterState::{Asleep, Reporting, Silent};

fn of(serial: &str, state: InverterState) -> (String, InverterState) {
    (serial.to_owned(), state)
}

#[test]
fn what_is_heard_again_with_the_next_connection_is_not_stored_again() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Reporting)]), true);
    assert_eq!(next(&healths), [of("a", Reporting)]);
    healths.heard(health(NOON, &[("a", Reporting)]), true);
    assert_eq!(next(&healths), []);
}

#[test]
fn only_those_that_changed_are_stored() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Reporting), ("b", Reporting)]), true);
    let _ = next(&healths);
    healths.heard(health(NOON + 60, &[("a", Reporting), ("b", Silent)]), false);
    assert_eq!(next(&healths), [of("b", Silent)]);
}

#[test]
fn of_what_came_while_the_store_was_away_the_newest_is_stored() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Reporting)]), true);
    healths.heard(health(NOON + 60, &[("a", Silent)]), false);
    healths.heard(health(NOON + 120, &[("a", Asleep)]), false);
    assert_eq!(next(&healths), [of("a", Asleep)]);
}

#[test]
fn a_broker_that_is_back_at_an_older_state_takes_nothing_back() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Silent)]), false);
    let _ = next(&healths);
    healths.heard(health(NOON - 300, &[("a", Reporting)]), true);
    assert_eq!(next(&healths), []);
    let older = health(NOON - 2 * SET_BACK_S, &[("a", Reporting)]);
    healths.heard(older.clone(), true);
    assert_eq!(next(&healths), []);
    // Said now, it is the gateway's clock that was set back.
    healths.heard(older, false);
    assert_eq!(next(&healths), [of("a", Reporting)]);
}

#[test]
fn what_nobody_has_dated_is_left_alone() {
    let healths = Healths::default();
    let mut undated = health(NOON, &[("a", Reporting)]);
    undated.changed_at = None;
    healths.heard(undated, false);
    assert_eq!(next(&healths), []);
}

#[test]
fn a_newer_state_that_came_during_a_write_is_stored_after_it() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Reporting)]), true);
    let (whole, _) = healths.waiting().remove(0);
    healths.heard(health(NOON + 60, &[("a", Silent)]), false);
    healths.stored(whole);
    assert_eq!(next(&healths), [of("a", Silent)]);
}

#[test]
fn whoever_invents_envoys_fills_no_memory() {
    let healths = Healths::default();
    let mut known = health(NOON, &[("a", Reporting)]);
    healths.heard(known.clone(), false);
    let name = "n".repeat(60_000);
    for number in 0..2 * MOST_HELD / name.len() {
        let mut invented = health(NOON, &[("a", Reporting)]);
        invented.envoy = number.to_string().parse().unwrap();
        for one in invented.inverters.values_mut() {
            one.name = Some(name.clone());
        }
        healths.heard(invented, false);
    }
    let held = healths.newest().held;
    assert!(
        held <= MOST_HELD && held > MOST_HELD - 2 * name.len(),
        "{held}"
    );
    let kept = healths.waiting().len();
    assert!((100..150).contains(&kept), "{kept}");
    while !next(&healths).is_empty() {}
    // The known one goes on.
    known = health(NOON + 60, &[("a", Silent)]);
    healths.heard(known, false);
    assert_eq!(next(&healths), [of("a", Silent)]);
}
