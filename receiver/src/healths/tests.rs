#![allow(clippy::unwrap_used)]

use wire::{InverterHealth, InverterState, ReportTime, SET_BACK_S};

use super::*;

pub(super) const NOON: i64 = 1_795_435_200;

pub(super) fn health(changed_at: i64, inverters: &[(&str, InverterState)]) -> Health {
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
    for envoy in healths.waiting() {
        let (whole, new) = healths.waiting_of(&envoy).unwrap();
        all.extend(
            new.inverters
                .iter()
                .map(|(serial, one)| (serial.to_string(), one.state)),
        );
        healths.stored(&whole);
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
    let (whole, _) = healths.waiting_of(&healths.waiting()[0]).unwrap();
    healths.heard(health(NOON + 60, &[("a", Silent)]), false);
    healths.stored(&whole);
    assert_eq!(next(&healths), [of("a", Silent)]);
}

#[test]
fn what_was_stored_is_not_stored_again_after_something_else_waited() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Reporting)]), true);
    let _ = next(&healths);
    healths.heard(health(NOON + 60, &[("a", Silent)]), false);
    healths.heard(health(NOON + 120, &[("a", Reporting)]), false);
    assert_eq!(next(&healths), []);
    assert!(healths.waiting().is_empty());
}

/// An Envoy of a flood, with a long name in it.
fn invented(number: usize) -> Health {
    let mut invented = health(NOON, &[("a", Reporting)]);
    for one in invented.inverters.values_mut() {
        one.name = Some("x".repeat(4_000));
    }
    invented.envoy = number.to_string().parse().unwrap();
    invented
}

#[test]
fn what_has_no_room_is_asked_for_once_more_when_there_is_some() {
    let healths = Healths::default();
    let envoys = MOST_WAITING / 4_000 + 1;
    let mut stored = 0;
    let mut times = 0;
    let mut now = Instant::now();
    while stored < envoys {
        for number in 0..envoys {
            healths.heard(invented(number), true);
            assert!(healths.newest().bytes <= MOST_WAITING);
        }
        assert!(!healths.has_missed(now), "there is no room yet");
        stored += next(&healths).len();
        assert_eq!(healths.has_missed(now), stored < envoys);
        times += 1;
        healths.newest().has_missed |= stored < envoys;
        assert!(!healths.has_missed(now), "it was just asked");
        healths.newest().has_missed = false;
        now += ASKED_EVERY;
    }
    assert_eq!((stored, times), (envoys, 2));
    assert!(!healths.has_missed(now));
    assert_eq!(healths.newest().bytes, 0);
}

#[test]
fn whoever_invents_envoys_or_inverters_fills_no_memory_and_known_ones_go_on() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Reporting)]), false);
    let _ = next(&healths);
    for number in 0..MOST_ENVOYS + 10 {
        let mut one = invented(number);
        one.inverters.clear();
        healths.heard(one, false);
        let _ = next(&healths);
    }
    assert_eq!(healths.newest().known.len(), MOST_ENVOYS);
    healths.newest().stored = MOST_STORED;
    let mut more = health(NOON + 60, &[("a", Silent), ("b", Reporting)]);
    healths.heard(more.clone(), false);
    assert_eq!(next(&healths), []);
    let _ = more.inverters.remove(&"b".parse().unwrap());
    healths.heard(more, false);
    assert_eq!(next(&healths), [of("a", Silent)]);
}

#[test]
fn once_all_begins_anew_all_that_the_broker_retains_is_stored_again() {
    let healths = Healths::default();
    healths.heard(health(NOON, &[("a", Reporting)]), true);
    let _ = next(&healths);
    healths.begin_anew();
    let now = Instant::now();
    assert!(healths.has_missed(now), "the broker is asked for it");
    healths.heard(health(NOON, &[("a", Reporting)]), true);
    assert_eq!(next(&healths), [of("a", Reporting)]);
}
