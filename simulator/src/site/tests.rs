use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{Timestamp, civil};

use super::history::Row;
use super::*;

mod energy;
mod past;
mod replaced;

/// 2026-06-15: a long day.
const DAY: i64 = 20_619;
const HOUR: i64 = 3_600;

fn plan() -> Plan {
    Plan {
        inverters: 40,
        ghosts: 0,
        seed: 7,
        report_interval_s: 900,
        noon: civil::time(12, 0, 0, 0),
        metered: false,
        capacity_wh: 0.0,
        ac_batteries: (0, 0.0),
    }
}

fn site(plan: &Plan, firmware: &str) -> Site {
    let serial = "122012345678".parse().expect("a serial");
    Site::new(plan, &firmware.parse().expect("a version"), &serial)
}

fn reports(site: &Site, day: i64) -> Vec<Vec<Report>> {
    let light = site.daylight(day);
    site.panels
        .iter()
        .map(|panel| site.reports(panel, &light))
        .collect()
}

/// The newest report of every inverter at a moment.
fn dates(history: &mut History, at: i64) -> Vec<i64> {
    let rows = history.rows(at);
    rows.iter().map(|row| row.reported_at).collect()
}

#[test]
fn durations_are_the_interval_and_some_seconds_so_that_no_report_is_on_a_grid() {
    for firmware in ["5.0.62", "8.2.4345"] {
        for interval in [300, 900] {
            let plan = Plan {
                report_interval_s: interval,
                ..plan()
            };
            let mut durations = BTreeMap::new();
            let mut places = HashSet::new();
            for reports in reports(&site(&plan, firmware), DAY) {
                let regular = &reports[1..reports.len() - 1];
                for report in regular {
                    *durations.entry(report.duration_s).or_insert(0) += 1;
                    places.insert(report.at % i64::from(interval));
                }
            }
            let interval = i64::from(interval);
            let usual = durations.range(interval + 3..=interval + 34);
            let usual: i32 = usual.map(|(_, count)| count).sum();
            let all: i32 = durations.values().sum();
            assert!(
                usual * 100 >= all * 98,
                "{firmware} {interval}: {durations:?}"
            );
            // The rest were skipped once, or twice in a row.
            assert!(durations.keys().all(|d| *d > interval), "{durations:?}");
            assert!(
                places.len() > 100,
                "{firmware} {interval}: {} seconds",
                places.len()
            );
        }
    }
}

#[test]
fn before_7_all_report_in_one_sweep_and_later_over_the_whole_interval_in_slots() {
    let noon = DAY * 24 * HOUR + 12 * HOUR;
    let span = |firmware: &str, at: i64| {
        let dates = dates(&mut History::new(site(&plan(), firmware), noon), at);
        let newest = dates.iter().max().expect("rows");
        // One that was skipped in this round is no part of it.
        let round: BTreeSet<i64> = dates.iter().copied().filter(|d| newest - d < 910).collect();
        let (first, last) = (round.first().expect("rows"), round.last().expect("rows"));
        (last - first, round.len())
    };
    // A moment that no sweep is under way at: the span does not change for half an interval.
    let spans: Vec<i64> = (0..30).map(|i| span("5.0.62", noon + i * 60).0).collect();
    assert!(
        spans.iter().any(|span| (5..=60).contains(span)),
        "{spans:?}"
    );
    let (spread, distinct) = span("8.2.4345", noon);
    assert!(spread > 600, "{spread}");
    assert!(distinct < 40, "several share a second");
}

#[test]
fn no_inverter_reports_twice_in_one_second_and_none_from_the_future() {
    let mut history = History::new(site(&plan(), "8.2.4345"), DAY * 24 * HOUR);
    let mut last: BTreeMap<String, (i64, i32)> = BTreeMap::new();
    for minute in 0..3 * 24 * 60 {
        let at = (DAY * 24 * 60 + minute) * 60;
        for row in history.rows(at) {
            assert!(row.reported_at <= at);
            let before = last.insert(row.inverter, (row.reported_at, row.power_w));
            let (date, power_w) = before.unwrap_or((0, 0));
            assert!(row.reported_at >= date);
            assert!(
                row.reported_at > date || row.power_w == power_w,
                "changed within its second"
            );
        }
    }
}

#[test]
fn a_record_never_falls_and_is_never_below_the_power() {
    let mut history = History::new(site(&plan(), "8.2.4345"), DAY * 24 * HOUR);
    let mut records: BTreeMap<String, i32> = BTreeMap::new();
    let mut risen = 0;
    for step in 0..10 * 24 * 4 {
        for row in history.rows(DAY * 24 * HOUR + step * 900) {
            assert!(row.peak_power_w >= row.power_w);
            let peak_power_w = row.peak_power_w;
            let before = records
                .insert(row.inverter, peak_power_w)
                .unwrap_or(peak_power_w);
            assert!(peak_power_w >= before);
            risen += i32::from(peak_power_w > before);
        }
    }
    assert!(risen > 0, "a record is broken now and then");
}

#[test]
fn at_dusk_the_row_freezes_at_little_or_nothing_until_the_morning() {
    let site = site(&plan(), "8.2.4345");
    let (dusk, dawn) = (site.sun.dusk(DAY), site.sun.dawn(DAY + 1));
    let mut history = History::new(site, dusk);
    let evening = history.rows(dusk + 10 * 60);
    assert_eq!(history.rows(dawn), evening, "nothing moves at night");
    assert!(evening.iter().all(|row| dusk - row.reported_at < 15 * 60));
    assert!(evening.iter().all(|row| (-4..=5).contains(&row.power_w)));
    for kind in [|w: i32| w == 0, |w: i32| w > 0, |w: i32| w < 0] {
        assert!(
            evening.iter().any(|row| kind(row.power_w)),
            "zero, small and negative ones"
        );
    }
    let morning = history.rows(dawn + HOUR);
    assert!(morning.iter().all(|row| row.reported_at > dawn));
}

#[test]
fn power_follows_the_sun_and_siblings_see_the_same_clouds() {
    let site = site(&plan(), "8.2.4345");
    let mut noon_w = Vec::new();
    for day in DAY..DAY + 30 {
        let (dawn, dusk) = (site.sun.dawn(day), site.sun.dusk(day));
        let near = |reports: &[Report], at: i64| {
            reports
                .iter()
                .min_by_key(|r| (r.at - at).abs())
                .expect("a report")
                .power_w
        };
        let units = reports(&site, day);
        let at_noon: Vec<i32> = units
            .iter()
            .map(|r| near(r, i64::midpoint(dawn, dusk)))
            .collect();
        let early: i32 = units.iter().map(|r| near(r, dawn + HOUR)).sum();
        assert!(early < at_noon.iter().sum(), "day {day}");
        noon_w.push(at_noon);
    }
    let mean = |w: &[i32]| f64::from(w.iter().sum::<i32>()) / 40.0;
    let means: Vec<f64> = noon_w.iter().map(|w| mean(w)).collect();
    let (dullest, brightest) = means.iter().fold((f64::MAX, 0.0_f64), |(low, high), mean| {
        (low.min(*mean), high.max(*mean))
    });
    assert!(
        dullest < 120.0 && brightest > 250.0,
        "weather: {dullest} to {brightest} W"
    );
    // Within a day siblings differ far less than days do, yet no two fleets are all equal.
    let deviation = |w: &[i32]| {
        w.iter()
            .map(|w_| (f64::from(*w_) - mean(w)).abs())
            .sum::<f64>()
            / 40.0
    };
    assert!(noon_w.iter().all(|w| deviation(w) < 45.0));
    assert!(noon_w.iter().all(|w| deviation(w) > 0.0));
}

#[test]
fn the_same_seed_gives_the_same_reports_whenever_and_however_one_asks() {
    let noon = DAY * 24 * HOUR + 12 * HOUR;
    let mut fine = History::new(site(&plan(), "8.2.4345"), noon - 30 * HOUR);
    for at in (noon - 30 * HOUR..noon).step_by(61) {
        fine.rows(at);
    }
    let mut late = History::new(site(&plan(), "8.2.4345"), noon);
    let reports = |rows: Vec<Row>| -> Vec<(String, i64, i32)> {
        rows.into_iter()
            .map(|row| (row.inverter, row.reported_at, row.power_w))
            .collect()
    };
    assert_eq!(reports(fine.rows(noon)), reports(late.rows(noon)));

    let other = Plan { seed: 8, ..plan() };
    let mut other = History::new(site(&other, "8.2.4345"), noon);
    assert_ne!(reports(other.rows(noon)), reports(late.rows(noon)));
}

#[test]
fn serials_are_unique_and_ghosts_have_never_reported() {
    let plan = Plan {
        inverters: 9_990,
        ghosts: 10,
        report_interval_s: 3600,
        ..plan()
    };
    let site = site(&plan, "8.2.4345");
    let panels = site.panels.iter().map(|panel| &panel.serial);
    let serials: HashSet<&String> = panels.chain(&site.ghosts).collect();
    assert_eq!(serials.len(), 10_000);
    assert!(
        serials
            .iter()
            .all(|s| s.len() == 12 && s.bytes().all(|b| b.is_ascii_digit()))
    );

    let small = Plan {
        inverters: 3,
        ghosts: 2,
        ..plan
    };
    let rows = History::new(self::site(&small, "8.2.4345"), DAY * 24 * HOUR).rows(DAY * 24 * HOUR);
    assert_eq!(rows.iter().filter(|row| row.reported_at == 0).count(), 2);
    assert!(
        rows.iter()
            .filter(|row| row.reported_at == 0)
            .all(|row| row.peak_power_w == 0)
    );
}

#[test]
fn noon_can_be_put_at_any_hour() {
    for hour in [0, 6, 23] {
        let sun = Sun::new(civil::time(hour, 30, 0, 0));
        let noon = DAY * 24 * HOUR + i64::from(hour) * HOUR + 1_800;
        assert!(sun.light(noon) > 0.9, "{}", sun.light(noon));
        assert!(sun.light(noon - 12 * HOUR) <= 0.0);
        let day = sun.day(noon);
        assert!(sun.dawn(day) < noon && noon < sun.dusk(day));
        let length = sun.dusk(day) - sun.dawn(day);
        assert!((14 * HOUR..16 * HOUR).contains(&length), "{length}");
    }
    assert_eq!(
        Timestamp::from_second(DAY * 24 * HOUR)
            .expect("a day")
            .to_string(),
        "2026-06-15T00:00:00Z"
    );
}

#[test]
fn a_new_rhythm_begins_with_the_next_day() {
    let noon = DAY * 24 * HOUR + 12 * HOUR;
    let mut same = History::new(site(&plan(), "5.0.62"), noon);
    let mut updated = History::new(site(&plan(), "5.0.62"), noon);
    updated.set_spread(true);
    let evening = noon + 11 * HOUR;
    assert_eq!(updated.rows(evening), same.rows(evening));
    let span = |history: &mut History, at| {
        let dates = dates(history, at);
        dates.iter().max().expect("some") - dates.iter().min().expect("some")
    };
    assert!(span(&mut same, noon + 24 * HOUR) <= 1_200);
    let next = noon + 24 * HOUR;
    let mut swept = dates(&mut same, next);
    let mut spread = dates(&mut updated, next);
    for dates in [&mut swept, &mut spread] {
        dates.sort_unstable();
        dates.dedup();
    }
    assert!(spread.len() < swept.len(), "{} in slots", spread.len());
}
