mod set_back;
mod today;

use super::*;
use wire::Detail;

const NOON: i64 = 1_780_315_200;

fn time(seconds: i64) -> ReportTime {
    ReportTime::from_unix_seconds(seconds).expect("a time")
}

fn report(serial: &str, at: i64, power_w: i32) -> Inverter {
    Inverter {
        serial: serial.parse().expect("a serial"),
        reported_at: time(at),
        device_type: Some(1),
        power_w,
        peak_power_w: 300,
        detail: None,
    }
}

fn flow(at: i64, power_w: i32) -> Flow {
    Flow {
        measured_at: time(at),
        power_w: power_w.into(),
        energy_today_wh: Some(1000.into()),
        energy_lifetime_wh: Some(9000.into()),
    }
}

fn said(whole: &mut Whole, now: i64) -> Option<(i64, f64, u32, u32)> {
    whole.say(None, None, now).map(|site| {
        assert_eq!(site.basis, Basis::Inverters);
        let at = site.measured_at.unix_seconds();
        (
            at,
            site.power_w.get(),
            site.inverters_reporting,
            site.inverters_total,
        )
    })
}

#[test]
fn the_sum_is_of_reports_that_belong_together_at_the_time_of_the_newest() {
    let reports = [
        report("a", NOON, 200),
        report("b", NOON - 3600, 100),
        report("c", NOON - 3 * 3600, 50),
        report("ghost", NOON - 90 * 86_400, 18),
    ];
    let mut whole = Whole::new(reports, None);
    assert_eq!(said(&mut whole, NOON + 30), Some((NOON, 300.0, 2, 3)));
    assert_eq!(said(&mut whole, NOON + 90), None, "nothing is new");
    whole.take(report("c", NOON + 100, 50));
    assert_eq!(
        said(&mut whole, NOON + 150),
        Some((NOON + 100, 350.0, 3, 3))
    );
}

#[test]
fn one_that_is_silent_is_no_part_of_what_the_site_makes_now() {
    let reports = [
        report("a", NOON, 240),
        report("b", NOON - 60, 270),
        report("gone", NOON - 900, 500),
    ];
    let mut whole = Whole::new(reports, None);
    assert_eq!(said(&mut whole, NOON + 30), Some((NOON, 1010.0, 3, 3)));
    whole.silent(["gone".parse().expect("a serial")].into());
    whole.take(report("a", NOON + 300, 250));
    assert_eq!(
        said(&mut whole, NOON + 330),
        Some((NOON + 300, 520.0, 2, 3))
    );
    let site = whole.say(Some(&flow(NOON + 400, 530)), None, NOON + 400);
    let site = site.expect("a site");
    assert_eq!((site.inverters_reporting, site.inverters_total), (2, 3));
    whole.silent(BTreeSet::new());
    whole.take(report("gone", NOON + 500, 480));
    let site = whole.say(Some(&flow(NOON + 520, 1000)), None, NOON + 520);
    assert_eq!(site.expect("a site").inverters_reporting, 3);
}

#[test]
fn what_a_silent_one_ever_made_stays_made() {
    let mut whole = Whole::new([counting("a", NOON, 1500), counting("b", NOON, 1400)], None);
    whole.silent(["b".parse().expect("a serial")].into());
    let site = whole.say(None, None, NOON + 30).expect("a site");
    assert_eq!(site.power_w, 20.into());
    assert_eq!(site.energy_today_wh, Some(2900.into()));
    assert_eq!(site.energy_lifetime_wh, Some(202_900.into()));
}

#[test]
fn the_night_begins_once_with_nothing_and_no_older_sum_follows() {
    let mut whole = Whole::new([report("a", NOON, 3)], None);
    said(&mut whole, NOON);
    let dark = NOON + TOGETHER;
    assert_eq!(said(&mut whole, dark - 1), None);
    assert_eq!(said(&mut whole, dark), Some((dark, 0.0, 0, 1)));
    assert_eq!(said(&mut whole, dark + 3600), None);
    whole.take(report("a", dark - 60, 2));
    assert_eq!(
        said(&mut whole, dark + 3600),
        None,
        "it would step back in time"
    );
    whole.take(report("a", dark + 40_000, 5));
    assert_eq!(
        said(&mut whole, dark + 40_010),
        Some((dark + 40_000, 5.0, 1, 1))
    );
}

#[test]
fn after_a_restart_a_meter_that_can_not_be_read_is_waited_for_as_long_as_before() {
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    let shown = whole.say(Some(&flow(NOON + 20, 95)), None, NOON + 20);
    let mut whole = Whole::new([report("a", NOON, 100)], Some(time(NOON + 20)));
    whole.go_on_from(&shown.expect("a site"));
    let later = NOON + 20 + TOGETHER;
    whole.take(report("a", later - 10, 120));
    assert_eq!(said(&mut whole, later - 1), None);
    assert!(whole.waits_for_meter(later - 1, 900));
    assert_eq!(said(&mut whole, later), Some((later - 10, 120.0, 1, 1)));
}

#[test]
fn a_battery_in_the_list_produces_nothing() {
    let battery = Inverter {
        device_type: Some(Inverter::AC_BATTERY),
        ..report("acb", NOON, 250)
    };
    let mut whole = Whole::new([battery, report("a", NOON, 100)], None);
    assert_eq!(said(&mut whole, NOON), Some((NOON, 100.0, 1, 1)));
}

#[test]
fn what_a_meter_shows_comes_first_and_for_an_hour_in_which_it_fails() {
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    let site = whole
        .say(Some(&flow(NOON + 20, 95)), None, NOON + 20)
        .expect("a site");
    assert_eq!((site.basis, site.power_w), (Basis::Meter, 95.into()));
    assert_eq!(site.energy_lifetime_wh, Some(9000.into()));
    whole.take(report("a", NOON + 300, 120));
    assert_eq!(said(&mut whole, NOON + 310), None);
    whole.take(report("a", NOON + 20 + TOGETHER, 130));
    let later = NOON + 20 + TOGETHER;
    assert_eq!(said(&mut whole, later), Some((later, 130.0, 1, 1)));
}

#[test]
fn energy_is_the_gateways_count_or_the_sum_of_all_inverters_or_unknown() {
    let with = |serial, lifetime: u32| Inverter {
        detail: Some(Detail {
            energy_lifetime_wh: Some(lifetime.into()),
            energy_today_wh: Some(7_u32.into()),
            ..Detail::default()
        }),
        ..report(serial, NOON, 100)
    };
    let mut whole = Whole::new([with("a", 500), with("b", 700)], None);
    let site = whole.say(None, None, NOON).expect("a site");
    assert_eq!(site.energy_lifetime_wh, Some(1200.into()));
    assert_eq!(site.energy_today_wh, Some(14.into()));
    let mut whole = Whole::new([with("a", 500), report("b", NOON, 90)], None);
    let site = whole.say(None, None, NOON).expect("a site");
    assert_eq!(site.energy_lifetime_wh, None, "one of them does not count");
    // The gateway's own counters are not asked for in each poll, and those of the inverters are others.
    let counted = flow(NOON, 100);
    let mut whole = Whole::new([with("a", 500)], None);
    let site = whole.say(None, Some(&counted), NOON).expect("a site");
    assert_eq!(site.energy_lifetime_wh, Some(9000.into()));
    whole.take(Inverter {
        reported_at: time(NOON + 300),
        ..with("a", 501)
    });
    let site = whole.say(None, None, NOON + 310).expect("a site");
    assert_eq!(site.energy_lifetime_wh, Some(9000.into()));
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    let counted = flow(NOON, 100);
    let site = whole.say(None, Some(&counted), NOON).expect("a site");
    assert_eq!(site.energy_lifetime_wh, Some(9000.into()));
}

/// A report of an inverter that counts.
fn counting(serial: &str, at: i64, today: u32) -> Inverter {
    Inverter {
        detail: Some(Detail {
            energy_today_wh: Some(today.into()),
            energy_lifetime_wh: Some((100_000 + today).into()),
            ..Detail::default()
        }),
        ..report(serial, at, 20)
    }
}

#[test]
fn the_energy_by_the_gateways_counters_stays_at_night_and_today_ends_with_the_day() {
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    let counted = |today: u32| Flow {
        energy_today_wh: Some(today.into()),
        ..flow(NOON, 0)
    };
    let energy = |site: Site| {
        let (today, lifetime) = (site.energy_today_wh, site.energy_lifetime_wh);
        (today.map(Quantity::get), lifetime.map(Quantity::get))
    };
    let said = whole.say(None, Some(&counted(1000)), NOON);
    assert_eq!(said.map(energy), Some((Some(1000.0), Some(9000.0))));
    // It dates its counters by the last report of the day.
    let said = whole.say(None, Some(&counted(1000)), NOON + TOGETHER + 60);
    assert_eq!(said.map(energy), Some((Some(1000.0), Some(9000.0))));
    assert_eq!(whole.say(None, Some(&counted(1000)), NOON + 5 * 3600), None);
    let midnight = NOON + 12 * 3600;
    let said = whole.say(None, Some(&counted(0)), midnight);
    let said = said.expect("what is new is that the day is over");
    assert_eq!(
        (said.measured_at, said.power_w),
        (time(midnight), Quantity::ZERO)
    );
    assert_eq!(energy(said), (Some(0.0), Some(9000.0)));
    assert_eq!(whole.say(None, Some(&counted(0)), midnight + 60), None);
}

#[test]
fn counters_that_the_gateway_does_not_say_any_more_take_nothing_away_that_was_made() {
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    whole.say(None, Some(&flow(NOON, 100)), NOON);
    let said = whole
        .say(None, None, NOON + TOGETHER + 60)
        .expect("it is night");
    assert_eq!(said.energy_lifetime_wh, Some(9000.into()));
    assert_eq!(said.energy_today_wh, None);
}

#[test]
fn a_gateway_whose_life_is_not_known_leaves_it_to_the_inverters_that_count() {
    let wrapped = Flow {
        energy_lifetime_wh: None,
        ..flow(NOON, 100)
    };
    let mut whole = Whole::new([counting("a", NOON, 500), counting("b", NOON, 700)], None);
    let site = whole.say(None, Some(&wrapped), NOON).expect("a site");
    assert_eq!(site.energy_lifetime_wh, Some(201_200.into()));
    assert_eq!(whole.counter(), Some(Counter::Inverters));
    // Where they don't count, what it says of today is all that there is, and it may know its life later.
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    let site = whole.say(None, Some(&wrapped), NOON).expect("a site");
    let energy = (site.energy_today_wh, site.energy_lifetime_wh);
    assert_eq!(energy, (Some(1000.into()), None));
    assert_eq!(whole.counter(), None);
    whole.take(report("a", NOON + 300, 100));
    let counted = flow(NOON + 300, 100);
    let site = whole.say(None, Some(&counted), NOON + 300).expect("a site");
    assert_eq!(site.energy_lifetime_wh, Some(9000.into()));
}
