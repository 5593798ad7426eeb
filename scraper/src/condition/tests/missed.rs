//! How many reports did not come.

use super::*;

#[test]
fn a_panel_that_reports_again_is_well_and_its_missed_reports_are_counted() {
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    let noon = MONDAY + 12 * HOUR;
    polled(&mut condition, &mut site, MONDAY, noon);
    let frozen = site.reports[0].clone();
    let end = noon + 3000;
    for now in (noon..end).step_by(60) {
        let mut list = site.list(now).to_vec();
        list[0] = frozen.clone();
        condition.poll(&list, 0, now, &Names::default());
    }
    assert_eq!(state(&condition, 0), (InverterState::Silent, false));
    polled(&mut condition, &mut site, end, end + 600);
    let health = condition.health(&serial(0), &Names::default());
    let well = &health.inverters[&serial(0)];
    assert_eq!(well.state, InverterState::Reporting);
    assert_eq!(well.missed_reports, 9, "{well:?}");
}

#[test]
fn reports_that_came_while_nobody_polled_were_not_missed() {
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    let (noon, later) = (MONDAY + 12 * HOUR, MONDAY + 14 * HOUR);
    polled(&mut condition, &mut site, MONDAY, noon);
    for now in (noon..later).step_by(60) {
        site.list(now);
    }
    polled(&mut condition, &mut site, later, later + 600);
    let health = condition.health(&serial(0), &Names::default());
    assert_eq!(health.inverters[&serial(0)].missed_reports, 0);
    assert_eq!(health.silent, 0);
}

/// A site that reports to the second each five minutes from six to six: two hundred watts at each, and at last two. The
/// one that dies does so after its report at noon on Monday, and lives again on Tuesday at noon.
fn exact(now: i64) -> Vec<Listed> {
    let last = |inverter: usize| {
        let now = if inverter == DEAD && (12 * HOUR..36 * HOUR).contains(&(now - MONDAY)) {
            MONDAY + 12 * HOUR
        } else {
            now
        };
        let of_day = (now - MONDAY).rem_euclid(24 * HOUR);
        let dusk = now - of_day + 18 * HOUR;
        let at = match of_day {
            _ if of_day < 6 * HOUR => dusk - 24 * HOUR,
            _ if of_day >= 18 * HOUR => dusk,
            _ => now,
        };
        at - at.rem_euclid(300)
    };
    let reports = (0..INVERTERS).map(|inverter| {
        let at = last(inverter);
        let is_dusk = (at - MONDAY).rem_euclid(24 * HOUR) == 18 * HOUR;
        Listed {
            serial: serial(inverter),
            at,
            power_w: if is_dusk { 2 } else { 200 },
            peak_power_w: 300,
        }
    });
    reports.collect()
}

fn missed(condition: &Condition, inverter: usize) -> u64 {
    let health = condition.health(&serial(0), &Names::default());
    health.inverters[&serial(inverter)].missed_reports
}

#[test]
fn reports_of_a_silent_one_are_missed_while_others_report_and_not_at_night() {
    let mut condition = Condition::default();
    let mut until = MONDAY + 6 * HOUR;
    // Of the last one that is due nobody knows yet whether it comes.
    let mut look = |to: i64, expected: u64, what: &str| {
        for now in (until..=MONDAY + to).step_by(60) {
            condition.poll(&exact(now), 0, now, &Names::default());
        }
        until = MONDAY + to + 60;
        assert_eq!(missed(&condition, DEAD), expected, "{what}");
        assert_eq!(missed(&condition, 0), 0, "{what}");
    };
    look(12 * HOUR + 900, 0, "it may yet report");
    look(12 * HOUR + 960, 2, "it is silent");
    look(13 * HOUR, 11, "an hour of the day has twelve");
    look(18 * HOUR - 60, 71, "to the evening");
    look(18 * HOUR + 300, 71, "at dusk none of them counts");
    look(24 * HOUR, 71, "at midnight");
    look(30 * HOUR - 60, 71, "before dawn");
    look(
        31 * HOUR,
        82,
        "by day again, from the first report of the others on",
    );
    look(36 * HOUR - 60, 142, "before it lives again");
    look(37 * HOUR, 142, "and what it missed stays missed");
}

#[test]
fn what_came_while_the_gateway_was_away_was_not_missed_by_a_silent_one() {
    let mut condition = Condition::default();
    let poll = |condition: &mut Condition, hours: std::ops::Range<i64>| {
        for now in (MONDAY + hours.start * HOUR..MONDAY + hours.end * HOUR).step_by(60) {
            condition.poll(&exact(now), 0, now, &Names::default());
        }
        missed(condition, DEAD)
    };
    assert_eq!(poll(&mut condition, 6..13), 11);
    assert_eq!(poll(&mut condition, 15..16), 22);
}
