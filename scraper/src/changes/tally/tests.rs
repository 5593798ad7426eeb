mod daily;
mod storage;

use super::*;
use wire::{Detail, Inverter, ReportTime, Site};

/// 2026-06-01T12:00:00Z.
const NOON: i64 = 1_780_315_200;

fn time(at: i64) -> ReportTime {
    ReportTime::from_unix_seconds(at).expect("a time")
}

fn quantity(wh: f64) -> Quantity {
    Quantity::new(wh).expect("a quantity")
}

/// An inverter's report with what it made today and ever, in watt-hours.
fn inverter(at: i64, today: f64, lifetime: f64) -> Measured {
    Measured::Inverter(Inverter {
        serial: "a".parse().expect("a serial"),
        reported_at: time(at),
        device_type: Some(1),
        power_w: 200,
        peak_power_w: 300,
        detail: Some(Detail {
            energy_today_wh: Some(quantity(today)),
            energy_lifetime_wh: Some(quantity(lifetime)),
            ..Detail::default()
        }),
    })
}

fn site(at: i64, basis: Basis, lifetime: f64) -> Measured {
    Measured::Site(Site {
        measured_at: time(at),
        basis,
        power_w: 2000.into(),
        energy_today_wh: None,
        energy_lifetime_wh: Some(quantity(lifetime)),
        inverters_reporting: 10,
        inverters_total: 10,
    })
}

/// What is said of today, of the lifetime.
fn said(tallies: &mut Tallies, mut measured: Measured) -> (Option<f64>, Option<f64>) {
    tallies.carry_sum(&mut measured, Some(Counter::Gateway), 0.0);
    values(&mut measured)
}

fn values(measured: &mut Measured) -> (Option<f64>, Option<f64>) {
    let (_, [(_, first), (_, second)]) = counters(measured).expect("counters");
    (first.map(Quantity::get), second.map(Quantity::get))
}

/// What Home Assistant makes of the states of a `total_increasing` sensor: a state below nine tenths of the one
/// before is the first of a new meter, which began with nothing.
fn summed_up(states: &[f64]) -> f64 {
    states.windows(2).fold(0.0, |sum, pair| {
        if pair[1] < pair[0] * 0.9 {
            sum + pair[1]
        } else {
            sum + pair[1] - pair[0]
        }
    })
}

/// What is summed up of an inverter's lifetime that reports each quarter of an hour.
fn summed_up_of(lifetimes: &[f64]) -> f64 {
    let mut tallies = Tallies::default();
    let states: Vec<f64> = (0..)
        .zip(lifetimes)
        .map(|(place, wh)| {
            let report = inverter(NOON + 900 * place, 0.0, *wh);
            said(&mut tallies, report).1.expect("known")
        })
        .collect();
    summed_up(&states)
}

#[test]
fn what_is_summed_up_of_a_counter_that_was_set_back_wraps_or_jumps_is_what_was_made() {
    // Of a step itself nobody knows what was made, but where the counter tells.
    for (what, lifetimes, made) in [
        ("as it counts", vec![900_000.0, 900_050.0, 900_110.0], 110.0),
        (
            "set back to half",
            vec![900_000.0, 900_050.0, 450_000.0, 450_060.0],
            110.0,
        ),
        (
            "set back by a little",
            vec![900_000.0, 900_050.0, 880_000.0, 880_060.0],
            110.0,
        ),
        // Up to the end of its range nobody knows.
        ("wrapped", vec![1_193_000.0, 1_193_040.0, 12.0, 72.0], 112.0),
        (
            "begun anew, with what was made since",
            vec![900_000.0, 900_050.0, 90.0, 150.0],
            200.0,
        ),
        (
            "begun anew with more than can have been made since",
            vec![900_000.0, 900_050.0, 5000.0, 5060.0],
            110.0,
        ),
        (
            "at nothing for good",
            vec![900_000.0, 900_050.0, 0.0, 0.0, 0.0, 0.0],
            50.0,
        ),
        (
            "at nothing, and begun anew",
            vec![900_000.0, 900_050.0, 0.0, 0.0, 60.0, 120.0],
            170.0,
        ),
        (
            "at nothing for reports after a start",
            vec![900_000.0, 900_050.0, 0.0, 0.0, 0.0, 900_250.0, 900_310.0],
            310.0,
        ),
        (
            "a glitch of one report",
            vec![900_000.0, 900_050.0, 300.0, 900_120.0, 900_180.0],
            180.0,
        ),
        (
            "a glitch of one report that is too high",
            vec![900_000.0, 900_050.0, 7_700_000.0, 900_120.0, 900_180.0],
            180.0,
        ),
        (
            "a jump for good",
            vec![900_000.0, 900_050.0, 7_700_000.0, 7_700_060.0],
            110.0,
        ),
        (
            "rounded",
            vec![900_000.0, 900_050.7, 900_050.0, 900_110.0],
            110.0,
        ),
    ] {
        let found = summed_up_of(&lifetimes);
        assert!((found - made).abs() < 0.01, "{what}: {found} for {made}");
    }
}

#[test]
fn a_counter_says_what_the_gateway_says_as_long_as_it_counts() {
    let mut tallies = Tallies::default();
    for (at, lifetime) in [(0, 0.0), (900, 60.0), (40_000, 5000.0), (41_000, 5100.0)] {
        let report = inverter(NOON + at, 0.0, lifetime);
        assert_eq!(said(&mut tallies, report).1, Some(lifetime));
    }
    assert!(tallies.offsets().is_empty());
}

#[test]
fn after_a_restart_it_goes_on_from_the_newest_reading() {
    let mut before = Tallies::default();
    said(&mut before, inverter(NOON, 0.0, 900_000.0));
    let mut newest = inverter(NOON + 900, 0.0, 450_000.0);
    before.carry(&mut newest);
    let offsets = before.offsets();
    assert_eq!(offsets.len(), 1, "{offsets:?}");
    let journal = "k3x9m2pq".parse().expect("an id");
    let newest = [newest.numbered("122012345678".parse().expect("a serial"), journal, 1)];
    // An hour later.
    let report = || inverter(NOON + 4500, 0.0, 450_200.0);
    let mut after = Tallies::after(&newest, &offsets, None);
    assert_eq!(said(&mut after, report()).1, Some(900_200.0));
    let mut forgotten = Tallies::after(&newest, &BTreeMap::new(), None);
    assert_eq!(
        said(&mut forgotten, report()).1,
        Some(900_000.0),
        "what was made meanwhile is not known, and nothing else is counted"
    );
}

#[test]
fn going_from_one_counter_of_the_site_to_another_makes_nothing() {
    let mut tallies = Tallies::default();
    let mut say = |at, basis, wh| said(&mut tallies, site(NOON + at, basis, wh)).1;
    assert_eq!(say(0, Basis::Meter, 9000.0), Some(9000.0));
    assert_eq!(say(900, Basis::Inverters, 9300.0), Some(9000.0));
    assert_eq!(say(1800, Basis::Inverters, 9400.0), Some(9100.0));
    assert_eq!(say(2700, Basis::Meter, 9450.0), Some(9100.0));
}

#[test]
fn what_is_unknown_stays_so_and_changes_nothing() {
    let mut tallies = Tallies::default();
    said(&mut tallies, inverter(NOON, 1.0, 900_000.0));
    let mut unknown = inverter(NOON + 900, 0.0, 0.0);
    if let Measured::Inverter(inverter) = &mut unknown {
        inverter.detail = Some(Detail::default());
    }
    assert_eq!(said(&mut tallies, unknown), (None, None));
    let next = inverter(NOON + 1800, 100.0, 900_100.0);
    assert_eq!(said(&mut tallies, next), (Some(100.0), Some(900_100.0)));
}

#[test]
fn what_an_inverter_made_while_nobody_heard_of_it_is_counted_and_the_life_of_one_that_joins_is_not()
{
    let mut tallies = Tallies::default();
    let mut say = |at, wh, caught_up_wh| {
        let mut site = site(NOON + at, Basis::Inverters, wh);
        tallies.carry_sum(&mut site, Some(Counter::Inverters), caught_up_wh);
        values(&mut site).1
    };
    assert_eq!(say(0, 9_000_000.0, 0.0), Some(9_000_000.0));
    assert_eq!(say(60, 9_001_500.0, 1500.0), Some(9_001_500.0));
    // Of five kilowatt-hours, and of four hundred.
    assert_eq!(say(120, 9_006_500.0, 20.0), Some(9_001_500.0));
    assert_eq!(say(180, 9_406_500.0, 20.0), Some(9_001_500.0));
    assert_eq!(say(240, 9_406_600.0, 20.0), Some(9_001_600.0));
    // And left.
    assert_eq!(say(300, 9_001_600.0, 20.0), Some(9_001_600.0));
    assert_eq!(say(360, 9_001_700.0, 20.0), Some(9_001_700.0));
}

#[test]
fn a_flow_whose_counter_shows_nothing_says_what_it_said_before_or_nothing() {
    let flow = |at: i64, lifetime: f64| {
        Measured::Production(Flow {
            measured_at: time(NOON + at),
            power_w: 900.into(),
            energy_today_wh: None,
            energy_lifetime_wh: Some(quantity(lifetime)),
        })
    };
    let mut tallies = Tallies::default();
    let mut say = |at, wh| said(&mut tallies, flow(at, wh)).1;
    assert_eq!(say(0, 0.0), None, "it may never count");
    assert_eq!(say(60, 5000.0), Some(5000.0));
    assert_eq!(say(120, 0.0), Some(5000.0));
    // At night after an update, and the next morning.
    assert_eq!(say(36_000, 0.0), Some(5000.0));
    assert_eq!(say(36_060, 20.0), Some(5020.0));
}

#[test]
fn what_a_meter_made_while_it_began_anew_is_of_the_site_too() {
    let mut tallies = Tallies::default();
    let mut say = |at, wh| said(&mut tallies, site(NOON + at, Basis::Meter, wh)).1;
    assert_eq!(say(0, 9000.0), Some(9000.0));
    // As it is carried on: 2500 Wh of an update, once the counter goes on.
    assert_eq!(say(60, 11_500.0), Some(11_500.0));
}

#[test]
fn a_sum_of_inverters_that_falls_as_one_leaves_it_has_made_nothing() {
    let mut tallies = Tallies::default();
    let mut say = |at, wh| {
        let mut site = site(NOON + at, Basis::Inverters, wh);
        tallies.carry_sum(&mut site, Some(Counter::Inverters), 0.0);
        values(&mut site).1
    };
    assert_eq!(say(0, 9_000_000.0), Some(9_000_000.0));
    // Only a new one is left.
    assert_eq!(say(60, 300.0), Some(9_000_000.0));
    assert_eq!(say(120, 310.0), Some(9_000_010.0));
}
