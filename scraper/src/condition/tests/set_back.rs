//! While the gateway's clock is behind what it showed before.

use super::*;

/// The list at a time: what came since the clock was set back at `then`, by so many seconds, is dated by it.
fn listed(site: &mut Site, now: i64, then: i64, back: i64) -> Vec<Listed> {
    let dated = |report: &Listed| Listed {
        at: report.at - if report.at > then { back } else { 0 },
        ..report.clone()
    };
    site.list(now).iter().map(dated).collect()
}

/// Polls a site each minute from one time to another, while the clock that was set back at `then` is behind. What is
/// more than a day ahead of that clock the gateway's client refuses. Whether a poll found that it was set back by over
/// a day.
fn behind(
    condition: &mut Condition,
    site: &mut Site,
    then: i64,
    back: i64,
    times: std::ops::Range<i64>,
) -> bool {
    let mut set_back = false;
    for now in times.step_by(60).skip(1) {
        let mut list = listed(site, now, then, back);
        list.retain(|report| !is_set_back(report.at, now - back));
        set_back |= condition.poll(&list, 0, now - back, &Names::default());
    }
    set_back
}

fn all(condition: &Condition) -> Vec<(InverterState, bool)> {
    let health = condition.health(&serial(0), &Names::default());
    let inverters = health.inverters.into_values();
    inverters.map(|one| (one.state, one.fresh)).collect()
}

const REPORTING: (InverterState, bool) = (InverterState::Reporting, true);
const NOT_SHOWN: (InverterState, bool) = (InverterState::Reporting, false);
const SILENT: (InverterState, bool) = (InverterState::Silent, false);

const NOON: i64 = MONDAY + 12 * HOUR;

#[test]
fn while_the_clock_is_hours_behind_its_inverters_report_and_their_topics_show_what_is_old() {
    let back = 20 * HOUR;
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    polled(&mut condition, &mut site, MONDAY, NOON);
    assert_eq!(all(&condition), [REPORTING; INVERTERS]);
    // They go on to, and are seen to as soon as they have a report by the new clock.
    for minutes in [1, 5, 30, 300] {
        let mut condition = condition.clone();
        let mut site = site.clone();
        let until = NOON + minutes * 60 + 60;
        behind(&mut condition, &mut site, NOON, back, NOON..until);
        assert_eq!(
            all(&condition),
            [NOT_SHOWN; INVERTERS],
            "after {minutes} minutes"
        );
    }
    // The next morning its clock is past what it showed.
    let next = NOON + back - HOUR;
    behind(&mut condition, &mut site, NOON, back, NOON..next);
    assert_eq!(all(&condition)[0], NOT_SHOWN);
    behind(&mut condition, &mut site, NOON, back, next..next + 2 * HOUR);
    assert_eq!(all(&condition), [REPORTING; INVERTERS]);
    assert_eq!(missed_by_all(&condition), 0);
}

fn missed_by_all(condition: &Condition) -> u64 {
    let health = condition.health(&serial(0), &Names::default());
    let inverters = health.inverters.values();
    inverters.map(|one| one.missed_reports).sum()
}

#[test]
fn a_clock_that_is_put_right_by_minutes_changes_nothing() {
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    polled(&mut condition, &mut site, MONDAY, NOON);
    for minutes in 1..60 {
        let from = NOON + (minutes - 1) * 60;
        behind(&mut condition, &mut site, NOON, 120, from..from + 120);
        assert_eq!(
            all(&condition),
            [REPORTING; INVERTERS],
            "after {minutes} minutes"
        );
    }
}

#[test]
fn a_clock_that_falls_back_by_over_a_day_takes_nobody_away() {
    let back = 48 * HOUR;
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    // One has died at noon.
    let then = MONDAY + 64 * HOUR;
    polled(&mut condition, &mut site, MONDAY, then);
    assert_eq!(state(&condition, DEAD), SILENT);
    let expected = |others| {
        let mut expected = [others; INVERTERS];
        expected[DEAD] = SILENT;
        expected
    };
    assert!(behind(
        &mut condition,
        &mut site,
        then,
        back,
        then..then + 120
    ));
    let health = condition.health(&serial(0), &Names::default());
    assert_eq!((health.total, health.silent), (10, 1));
    let first = all(&condition);
    assert_eq!(first[DEAD], SILENT);
    let states = first.iter().filter(|(state, _)| *state == NOT_SHOWN.0);
    assert_eq!(states.count(), INVERTERS - 1, "{first:?}");
    // Each is fresh again with its first report: its plain topic begins anew.
    let later = then + HOUR;
    assert!(!behind(
        &mut condition,
        &mut site,
        then,
        back,
        then + 60..later
    ));
    assert_eq!(all(&condition), expected(REPORTING));
}

#[test]
fn one_that_dies_as_the_clock_is_set_back_is_silent_and_who_was_so_stays_so_over_the_night() {
    for back in [20 * HOUR, 48 * HOUR] {
        let (mut condition, mut site) = (Condition::default(), Site::new(300));
        let then = MONDAY + 60 * HOUR;
        polled(&mut condition, &mut site, MONDAY, then);
        let later = then + 2 * HOUR;
        behind(&mut condition, &mut site, then, back, then..later);
        assert_eq!(state(&condition, DEAD), SILENT, "{back} s");
        let night = MONDAY + 71 * HOUR;
        behind(&mut condition, &mut site, then, back, later..night);
        assert_eq!(state(&condition, DEAD), SILENT, "{back} s");
        assert_eq!(state(&condition, 0).0, InverterState::Asleep, "{back} s");
    }
}

#[test]
fn a_gateway_that_starts_without_the_time_and_gets_it_makes_nobody_silent() {
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    let night = MONDAY + 22 * HOUR;
    polled(&mut condition, &mut site, MONDAY, night);
    let asleep = all(&condition);
    let names = Names::default();
    // None of its rows can be dated by that clock.
    for minute in 0..10 {
        condition.poll(&[], 0, 60 * minute, &names);
        assert!(all(&condition).iter().all(|(_, fresh)| !fresh));
    }
    let back = night + 900;
    let list = site.list(back).to_vec();
    condition.poll(&list, 0, back, &names);
    condition.poll(&list, 0, back + 60, &names);
    assert_eq!(all(&condition), asleep);
    for now in (back..night + 24 * HOUR).step_by(60) {
        let list = site.list(now).to_vec();
        condition.poll(&list, 0, now, &names);
        let health = condition.health(&serial(0), &names);
        assert_eq!(health.silent, 0, "at {}", now - MONDAY);
    }
    assert_eq!(missed_by_all(&condition), 0);
}
