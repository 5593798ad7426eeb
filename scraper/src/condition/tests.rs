//! A simulated week of a site, polled once a minute, with what happens in one.

use std::fmt::Write as _;

use super::*;

/// Monday, 2026-06-01T00:00:00Z; the site is in UTC.
const MONDAY: i64 = 1_780_272_000;
const HOUR: i64 = 3600;
const INVERTERS: usize = 10;
/// It dies on Wednesday at noon.
const DEAD: usize = 3;
/// Something is in its light the whole week.
const SHADED: usize = 4;

fn serial(inverter: usize) -> Serial {
    format!("48201234567{inverter}").parse().expect("a serial")
}

/// What the sun gives, in watts: from six to eighteen o'clock.
fn sun(at: i64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "seconds of a day")]
    let hour = (at - MONDAY).rem_euclid(24 * HOUR) as f64 / 3600.0;
    280.0 * ((hour - 6.0) / 12.0 * std::f64::consts::PI).sin()
}

struct Site {
    interval: i64,
    reports: Vec<Listed>,
}

impl Site {
    fn new(interval: i64) -> Self {
        let reports = (0..INVERTERS)
            .map(|inverter| Listed {
                serial: serial(inverter),
                at: MONDAY - 6 * HOUR - 7 * i64::try_from(inverter).expect("few"),
                power_w: 1,
                peak_power_w: 300,
            })
            .collect();
        Self { interval, reports }
    }

    /// The gateway's list at a time. Reports are spread over the interval, and not quite on time.
    fn list(&mut self, now: i64) -> &[Listed] {
        for (inverter, report) in self.reports.iter_mut().enumerate() {
            let place = i64::try_from(inverter).expect("few");
            let due = report.at + self.interval + place % 3;
            let is_dead = inverter == DEAD && now >= MONDAY + 60 * HOUR;
            let power = sun(now) * if inverter == SHADED { 0.4 } else { 1.0 };
            // Each goes to sleep by its own light, and wakes by it.
            if is_dead || power < 2.0 || now < due {
                continue;
            }
            #[allow(clippy::cast_possible_truncation, reason = "some hundred watts")]
            let power = power.round() as i32;
            report.at = now - place % 5;
            report.power_w = power;
            report.peak_power_w = report.peak_power_w.max(power);
        }
        &self.reports
    }
}

/// Polls a site from one time to another, as its gateway answers: by night the list is empty at times, after a
/// restart on Thursday at eleven for five minutes, and each night from 23:05 to 23:20 there is no answer.
fn polled(condition: &mut Condition, site: &mut Site, from: i64, to: i64) {
    let mut now = from;
    while now < to {
        now += 60;
        let of_day = (now - MONDAY).rem_euclid(24 * HOUR);
        let listed = site.list(now).to_vec();
        if (23 * HOUR + 300..23 * HOUR + 1200).contains(&of_day) {
            continue;
        }
        let restarts = (83 * HOUR..83 * HOUR + 300).contains(&(now - MONDAY));
        let empty = restarts || of_day == 2 * HOUR;
        let listed = if empty { &[] } else { &listed[..] };
        condition.poll(listed, 1, now, &Names::default());
    }
}

fn state(condition: &Condition, inverter: usize) -> (InverterState, bool) {
    let health = condition.health(&serial(0), &Names::default());
    let inverter = &health.inverters[&serial(inverter)];
    (inverter.state, inverter.fresh)
}

type Said = (InverterState, bool);
const REPORTING: Said = (InverterState::Reporting, true);
const ASLEEP: Said = (InverterState::Asleep, true);
const SILENT: Said = (InverterState::Silent, false);

/// When, in seconds after Monday's midnight, and what is then said of a well one, the shaded one, and the one that
/// dies: its state, and whether it is fresh.
const WEEK: [(&str, i64, [Said; 3]); 12] = [
    ("Monday, before the first dawn", 4 * HOUR, [ASLEEP; 3]),
    ("Monday noon", 12 * HOUR, [REPORTING; 3]),
    ("Monday night", 22 * HOUR, [ASLEEP; 3]),
    ("an empty list at night", 26 * HOUR + 60, [ASLEEP; 3]),
    ("after the outage at 23:05", 47 * HOUR + 1300, [ASLEEP; 3]),
    ("Wednesday, before it dies", 59 * HOUR, [REPORTING; 3]),
    (
        "hours after it died",
        64 * HOUR,
        [REPORTING, REPORTING, SILENT],
    ),
    ("the night after that", 71 * HOUR, [ASLEEP, ASLEEP, SILENT]),
    (
        "during the restart",
        83 * HOUR + 240,
        [REPORTING, REPORTING, SILENT],
    ),
    (
        "after the restart",
        83 * HOUR + 900,
        [REPORTING, REPORTING, SILENT],
    ),
    ("Sunday noon", 156 * HOUR, [REPORTING, REPORTING, SILENT]),
    ("Sunday night", 166 * HOUR, [ASLEEP, ASLEEP, SILENT]),
];

#[test]
fn a_week_with_a_dead_panel_a_shaded_one_nights_a_restart_and_outages_is_judged_rightly() {
    for interval in [300, 900, 3600] {
        let (mut condition, mut site) = (Condition::default(), Site::new(interval));
        let mut from = MONDAY;
        for (when, to, [well, shaded, dead]) in WEEK {
            polled(&mut condition, &mut site, from, MONDAY + to);
            from = MONDAY + to;
            for (inverter, expected) in [(0, well), (SHADED, shaded), (DEAD, dead)] {
                let found = state(&condition, inverter);
                assert_eq!(
                    found, expected,
                    "{when}, inverter {inverter}, each {interval} s"
                );
            }
        }
        let health = condition.health(&serial(0), &Names::default());
        assert_eq!(
            (health.total, health.silent, health.never_reported),
            (10, 1, 1)
        );
        let of = |inverter: usize| health.inverters[&serial(inverter)].clone();
        for inverter in (0..INVERTERS).filter(|inverter| *inverter != DEAD) {
            assert_eq!(of(inverter).interval_s, u32::try_from(interval).ok());
            assert_eq!(
                of(inverter).missed_reports,
                0,
                "inverter {inverter}, each {interval} s"
            );
        }
        assert!(of(DEAD).missed_reports > 10, "{:?}", of(DEAD));
        let output = |inverter| of(inverter).relative_output_pct.expect("known");
        assert!(
            (37..=43).contains(&output(SHADED)),
            "{}, each {interval} s",
            output(SHADED)
        );
        assert!(
            (97..=103).contains(&output(0)),
            "{}, each {interval} s",
            output(0)
        );
    }
}

#[test]
fn none_is_called_silent_at_any_minute_of_a_week_in_which_all_are_well() {
    for interval in [300, 900, 3600] {
        let (mut condition, mut site) = (Condition::default(), Site::new(interval));
        // Until it would die.
        for now in (MONDAY..MONDAY + 60 * HOUR).step_by(60) {
            polled(&mut condition, &mut site, now, now + 60);
            let health = condition.health(&serial(0), &Names::default());
            assert_eq!(
                health.silent,
                0,
                "{} s after Monday, each {interval} s",
                now - MONDAY
            );
        }
    }
}

#[test]
fn when_all_stop_in_full_sun_none_of_them_is_fresh() {
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    let noon = MONDAY + 12 * HOUR;
    polled(&mut condition, &mut site, MONDAY, noon);
    let list = site.reports.clone();
    for minute in 1..60 {
        condition.poll(&list, 0, noon + minute * 60, &Names::default());
    }
    assert_eq!(condition.health(&serial(0), &Names::default()).silent, 10);
}

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
    assert!((9..=10).contains(&well.missed_reports), "{well:?}");
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

#[test]
fn arrays_are_compared_with_themselves() {
    let mut text = "[inverters]\n".to_owned();
    for inverter in 0..INVERTERS {
        let array = if inverter < 5 { "east" } else { "west" };
        writeln!(text, "48201234567{inverter} = {{ array = \"{array}\" }}").expect("a String");
    }
    let names = Names::parse(&text).expect("names");
    let mut condition = Condition::default();
    for report in 0..40 {
        let now = MONDAY + 10 * HOUR + report * 300;
        let list: Vec<Listed> = (0..INVERTERS)
            .map(|inverter| Listed {
                serial: serial(inverter),
                at: now,
                power_w: if inverter < 5 { 200 } else { 50 },
                peak_power_w: 300,
            })
            .collect();
        condition.poll(&list, 0, now, &names);
    }
    let health = condition.health(&serial(0), &names);
    for inverter in 0..INVERTERS {
        let inverter = &health.inverters[&serial(inverter)];
        assert_eq!(inverter.relative_output_pct, Some(100), "{inverter:?}");
    }
}

#[test]
fn a_clock_that_falls_back_by_over_a_day_begins_anew() {
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    polled(&mut condition, &mut site, MONDAY, MONDAY + 12 * HOUR);
    let mut early = Site::new(300);
    for report in &mut early.reports {
        report.at -= 48 * HOUR;
    }
    let names = Names::default();
    assert!(condition.poll(&early.reports, 0, MONDAY - 48 * HOUR, &names));
    assert!(!condition.poll(&early.reports, 0, MONDAY - 48 * HOUR + 60, &names));
    assert_eq!(condition.health(&serial(0), &names).silent, 0);
}

#[test]
fn the_topic_of_three_hundred_inverters_has_less_than_sixty_four_kilobytes() {
    let mut condition = Condition::default();
    let list: Vec<Listed> = (0..300)
        .map(|inverter| Listed {
            serial: format!("4820123{inverter:05}").parse().expect("a serial"),
            at: MONDAY,
            power_w: 200,
            peak_power_w: 300,
        })
        .collect();
    condition.poll(&list, 0, MONDAY + 60, &Names::default());
    let payload = condition.health(&serial(0), &Names::default()).encode();
    assert!(payload.len() < 64 * 1024, "{} bytes", payload.len());
}
