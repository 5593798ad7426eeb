//! What is of today, and what of the day before.

use super::*;

#[test]
fn in_the_morning_what_sleepers_made_yesterday_is_not_of_today() {
    let dawn = NOON + 18 * 3600;
    let mut whole = Whole::new(
        [counting("a", NOON, 1500), counting("b", NOON + 60, 1400)],
        None,
    );
    let mut today = |report: Inverter| {
        let now = report.reported_at.unix_seconds() + 30;
        whole.take(report);
        let site = whole.say(None, None, now).expect("a site");
        site.energy_today_wh.map(Quantity::get)
    };
    assert_eq!(today(counting("a", NOON + 900, 1550)), Some(2950.0));
    assert_eq!(today(counting("a", dawn, 2)), Some(2.0));
    assert_eq!(today(counting("b", dawn + 300, 1)), Some(3.0));
    assert_eq!(today(counting("a", dawn + 900, 30)), Some(31.0));
}

/// Whose count is of the day before.
fn of_yesterday(whole: &Whole) -> Vec<&str> {
    whole.not_of_today().map(AsRef::as_ref).collect()
}

#[test]
fn from_the_gateways_midnight_on_a_count_is_of_yesterday_until_its_inverter_reports() {
    let (midnight, dawn) = (NOON + 12 * 3600, NOON + 18 * 3600);
    let counted = |at, today: u32| Flow {
        energy_today_wh: Some(today.into()),
        ..flow(at, 0)
    };
    for by_meter in [true, false] {
        let say = |whole: &mut Whole, flow: &Flow, now| {
            let (meter, inverters) = if by_meter {
                (Some(flow), None)
            } else {
                (None, Some(flow))
            };
            whole.say(meter, inverters, now);
        };
        let reports = [counting("a", NOON, 1500), counting("b", NOON + 60, 1400)];
        let mut whole = Whole::new(reports, None);
        say(&mut whole, &counted(NOON, 2900), NOON + 90);
        say(&mut whole, &counted(midnight - 60, 2900), midnight - 60);
        assert_eq!(of_yesterday(&whole), [""; 0]);
        say(&mut whole, &counted(midnight, 0), midnight);
        assert_eq!(of_yesterday(&whole), ["a", "b"]);
        say(&mut whole, &counted(dawn, 0), dawn);
        whole.take(counting("a", dawn, 2));
        assert_eq!(of_yesterday(&whole), ["b"]);
        whole.take(counting("b", dawn + 300, 1));
        assert_eq!(of_yesterday(&whole), [""; 0]);
    }
}

#[test]
fn an_inverter_that_tells_its_power_only_has_no_count_of_yesterday() {
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    let counted = |today: u32| Flow {
        energy_today_wh: Some(today.into()),
        ..flow(NOON, 0)
    };
    whole.say(None, Some(&counted(1000)), NOON);
    whole.say(None, Some(&counted(0)), NOON + 12 * 3600);
    assert_eq!(of_yesterday(&whole), [""; 0]);
}

#[test]
fn a_site_that_is_begun_anew_in_the_morning_remembers_its_day() {
    let dawn = NOON + 18 * 3600;
    let reports = || [counting("a", NOON, 1500), counting("b", NOON, 1400)];
    let mut whole = Whole::new(reports(), None);
    whole.take(counting("a", dawn, 2));
    whole.say(None, None, dawn + 30).expect("a site");
    let remembered = whole.remembered();
    assert_eq!(remembered.counter, Some(Counter::Inverters));
    let [_, b] = reports();
    let mut whole = Whole::new([counting("a", dawn, 2), b], Some(time(dawn)));
    whole.recall(remembered);
    whole.take(counting("a", dawn + 900, 30));
    let site = whole.say(None, None, dawn + 930).expect("a site");
    assert_eq!(site.energy_today_wh, Some(30_u32.into()));
}

/// When yesterday's last reports were made, and the first ones of today.
const DUSK: i64 = NOON + 8 * 3600;
const DAWN: i64 = NOON + 18 * 3600;
const NEXT_NOON: i64 = NOON + 24 * 3600;

fn counted(at: i64, today: u32) -> Flow {
    Flow {
        energy_today_wh: Some(today.into()),
        ..flow(at, 0)
    }
}

#[test]
fn what_all_inverters_made_on_a_morning_that_nobody_watched_is_of_today() {
    let serials: Vec<String> = (0..40).map(|number| format!("48{number}")).collect();
    let yesterday = serials.iter().map(|serial| counting(serial, DUSK, 2000));
    let mut whole = Whole::new(yesterday, None);
    // Last the one that reported first.
    for (place, serial) in (0..).zip(&serials) {
        whole.take(counting(serial, NEXT_NOON + 3480 - 20 * place, 1500));
    }
    let now = NEXT_NOON + 3600;
    let site = whole.say(None, None, now).expect("a site");
    assert_eq!(site.energy_today_wh, Some(60_000.into()));
    assert_eq!(of_yesterday(&whole), [""; 0]);
    // And the next day begins as every other.
    let dawn = DAWN + 24 * 3600;
    whole.take(counting("480", dawn, 1));
    let site = whole.say(None, None, dawn + 30).expect("a site");
    assert_eq!(site.energy_today_wh, Some(1.into()));
    assert_eq!(of_yesterday(&whole).len(), 39);
}

#[test]
fn one_that_is_listed_after_another_that_woke_later_is_of_the_same_day() {
    let reports = [counting("a", DUSK, 1500), counting("b", DUSK, 1400)];
    let mut whole = Whole::new(reports, None);
    whole.take(counting("a", DAWN + 180, 2));
    whole.take(counting("b", DAWN + 60, 1));
    let site = whole.say(None, None, DAWN + 200).expect("a site");
    assert_eq!(site.energy_today_wh, Some(3.into()));
}

#[test]
fn one_that_made_less_yesterday_than_today_so_far_is_of_today_with_the_others() {
    let reports = [counting("a", DUSK, 1500), counting("b", DUSK, 40)];
    let mut whole = Whole::new(reports, None);
    whole.take(counting("b", NEXT_NOON, 700));
    whole.take(counting("a", NEXT_NOON + 600, 800));
    let site = whole.say(None, None, NEXT_NOON + 700).expect("a site");
    assert_eq!(site.energy_today_wh, Some(1500.into()));
}

#[test]
fn one_that_has_not_woken_yet_is_of_the_evening_that_nobody_watched() {
    for gateway_counts in [true, false] {
        let flow = |at, today| gateway_counts.then(|| counted(at, today));
        let reports = [counting("a", NOON, 700), counting("b", NOON, 600)];
        let mut whole = Whole::new(reports, None);
        whole.say(None, flow(NOON, 1300).as_ref(), NOON);
        whole.take(counting("a", DAWN, 2));
        whole.take(counting("b", DUSK, 1400));
        whole.say(None, flow(DAWN, 2).as_ref(), DAWN + 30);
        assert_eq!(of_yesterday(&whole), ["b"]);
    }
}

#[test]
fn the_gateways_midnight_lies_between_two_looks_at_its_count() {
    let midnight = NOON + 12 * 3600;
    let mut whole = Whole::new([counting("a", DUSK, 1500)], None);
    whole.say(None, Some(&counted(DUSK, 1500)), midnight - 60);
    // It is asked for it each quarter of an hour, and the first report of the day comes before that.
    whole.take(counting("a", midnight + 300, 2));
    whole.say(None, None, midnight + 310);
    whole.say(None, Some(&counted(midnight, 2)), midnight + 840);
    assert_eq!(of_yesterday(&whole), [""; 0]);
}

#[test]
fn a_count_of_the_gateway_that_falls_by_little_begins_no_day() {
    let mut whole = Whole::new([counting("a", NOON, 1500)], None);
    whole.say(None, Some(&counted(NOON, 5000)), NOON + 60);
    whole.say(None, Some(&counted(NOON, 4999)), NOON + 120);
    whole.say(None, Some(&counted(NOON, 4700)), NOON + 5 * 3600);
    assert_eq!(of_yesterday(&whole), ["a"], "300 Wh less after hours");
    let mut whole = Whole::new([counting("a", NOON, 1500)], None);
    whole.say(None, Some(&counted(NOON, 5000)), NOON + 60);
    whole.say(None, Some(&counted(NOON, 4999)), NOON + 120);
    whole.say(None, Some(&counted(NOON, 4950)), NOON + 5 * 3600);
    assert_eq!(of_yesterday(&whole), [""; 0]);
}

#[test]
fn the_zeros_of_a_gateway_that_starts_by_day_begin_no_day() {
    let midnight = NOON + 12 * 3600;
    let mut whole = Whole::new([counting("a", DUSK, 1500)], None);
    whole.say(None, Some(&counted(DUSK, 1500)), midnight - 60);
    whole.say(None, Some(&counted(midnight, 0)), midnight);
    whole.take(counting("a", NEXT_NOON, 800));
    let started = NEXT_NOON + 7 * 3600;
    whole.say(None, Some(&counted(started, 800)), started - 60);
    whole.say(None, Some(&counted(started, 0)), started);
    assert_eq!(of_yesterday(&whole), [""; 0]);
}

#[test]
fn a_gateway_that_starts_on_its_first_day_and_shows_nothing_of_its_life_either_begins_no_day() {
    let mut whole = Whole::new([counting("a", NOON, 800)], None);
    whole.say(None, Some(&counted(NOON, 800)), NOON + 60);
    let nothing = Flow {
        energy_lifetime_wh: Some(Quantity::ZERO),
        ..counted(NOON + 900, 0)
    };
    whole.say(None, Some(&nothing), NOON + 900);
    whole.say(None, Some(&counted(NOON + 1800, 800)), NOON + 1800);
    assert_eq!(of_yesterday(&whole), [""; 0]);
    let midnight = NOON + 12 * 3600;
    whole.say(None, Some(&counted(midnight, 0)), midnight);
    assert_eq!(of_yesterday(&whole), ["a"]);
}

#[test]
fn a_midnight_between_two_processes_is_seen_by_the_second() {
    let midnight = NOON + 12 * 3600;
    for by_meter in [true, false] {
        let say = |whole: &mut Whole, flow: &Flow, now| {
            let (meter, inverters) = if by_meter {
                (Some(flow), None)
            } else {
                (None, Some(flow))
            };
            whole.say(meter, inverters, now);
        };
        let mut whole = Whole::new([counting("a", DUSK, 1500)], None);
        say(&mut whole, &counted(DUSK, 1500), midnight - 600);
        let remembered = whole.remembered();
        let mut whole = Whole::new([counting("a", DUSK, 1500)], Some(time(DUSK)));
        whole.recall(remembered);
        assert_eq!(of_yesterday(&whole), [""; 0]);
        say(&mut whole, &counted(midnight, 0), midnight + 600);
        assert_eq!(of_yesterday(&whole), ["a"]);
    }
}

#[test]
fn an_inverter_that_has_gone_is_not_said_to_count_yesterdays_energy() {
    let midnight = NOON + 12 * 3600;
    let gone = counting("gone", NOON - GONE - 60, 900);
    let mut whole = Whole::new([gone, counting("a", NOON, 1500)], None);
    whole.say(None, Some(&counted(NOON, 1500)), NOON);
    whole.say(None, Some(&counted(midnight, 0)), midnight);
    assert_eq!(of_yesterday(&whole), ["a"]);
}
