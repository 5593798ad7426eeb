//! A simulated week of a site, polled once a minute, with what happens in one.
mod missed;
mod set_back;
mod week;

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

#[derive(Clone)]
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
    let health = condition.health(&serial(0), &Names::default());
    assert_eq!(health.silent, 0, "none is silent beside others that report");
    assert!(health.inverters.values().all(|one| !one.fresh));
}

#[test]
fn a_gateway_that_was_away_at_noon_makes_nobody_silent_and_nothing_missed() {
    let (mut condition, mut site) = (Condition::default(), Site::new(300));
    let noon = MONDAY + 12 * HOUR;
    polled(&mut condition, &mut site, MONDAY, noon);
    let list = site.reports.clone();
    // An hour away, then the list that it had for some minutes, then one after the other reports.
    let back = noon + HOUR;
    for now in (back..back + 120).step_by(60) {
        condition.poll(&list, 0, now, &Names::default());
        let health = condition.health(&serial(0), &Names::default());
        assert_eq!(health.silent, 0);
    }
    for now in (back + 120..back + 1200).step_by(60) {
        condition.poll(site.list(now), 0, now, &Names::default());
        let health = condition.health(&serial(0), &Names::default());
        assert_eq!(health.silent, 0, "at {}", now - back);
    }
    let health = condition.health(&serial(0), &Names::default());
    assert_eq!(health.reporting, 10);
    assert!(
        health.inverters.values().all(|one| one.missed_reports == 0),
        "{health:?}"
    );
}

#[test]
fn arrays_are_compared_with_themselves() {
    let mut text = "[inverters]\n".to_owned();
    for inverter in 0..INVERTERS {
        let array = if inverter < 5 { "east" } else { "west" };
        writeln!(text, "48201234567{inverter} = {{ array = \"{array}\" }}").expect("a String");
    }
    let (names, _) = Names::parse(&text);
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

#[test]
fn at_night_what_a_dead_one_reported_at_noon_is_not_so_now() {
    let mut condition = Condition::default();
    let now = MONDAY + 23 * HOUR;
    let listed = |inverter: usize, at: i64, power_w: i32| Listed {
        serial: serial(inverter),
        at,
        power_w,
        peak_power_w: 300,
    };
    let evening = MONDAY + 18 * HOUR;
    // Seen for the first time: nobody knows which of them has died.
    condition.poll(
        &[
            listed(0, evening, 2),
            listed(1, evening - 300, 3),
            // The sun was on it to the end.
            listed(2, evening - 600, 60),
            listed(DEAD, MONDAY + 12 * HOUR, 264),
        ],
        0,
        now,
        &Names::default(),
    );
    let health = condition.health(
        &"122012345678".parse().expect("a serial"),
        &Names::default(),
    );
    let fresh: Vec<bool> = health.inverters.values().map(|one| one.fresh).collect();
    assert_eq!(fresh, [true, true, true, false]);
    assert_eq!(health.asleep, 4);
}

#[test]
fn of_two_the_shaded_one_is_the_weak_one() {
    let arrays = "[inverters]\n482012345670 = { array = \"shed\" }\n482012345671 = { array = \"shed\" }\n\
        482012345672 = { array = \"alone\" }\n";
    let outputs = |powers: &[i32], names: &str| {
        let (names, _) = Names::parse(names);
        let mut condition = Condition::default();
        for report in 0..40 {
            let now = MONDAY + 10 * HOUR + report * 300;
            let list = powers.iter().enumerate().map(|(inverter, power_w)| Listed {
                serial: serial(inverter),
                at: now,
                power_w: *power_w,
                peak_power_w: 300,
            });
            condition.poll(&list.collect::<Vec<_>>(), 0, now, &names);
        }
        let health = condition.health(&serial(0), &names);
        let outputs = health.inverters.into_values();
        outputs
            .map(|one| one.relative_output_pct)
            .collect::<Vec<_>>()
    };
    assert_eq!(outputs(&[200, 80], ""), [Some(250), Some(40)]);
    assert_eq!(outputs(&[200], ""), [None], "it has no siblings");
    assert_eq!(
        outputs(&[200, 80, 160], ""),
        [Some(250), Some(50), Some(200)]
    );
    // Who is alone in its array is compared with all.
    assert_eq!(
        outputs(&[50, 20, 200, 100, 100], arrays),
        [Some(250), Some(40), Some(400), Some(200), Some(200)]
    );
}
