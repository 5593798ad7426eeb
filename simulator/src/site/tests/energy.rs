//! Energy in detail: intervals, lifetimes, dead and shaded panels.

use super::super::Panels;
use super::super::history::Detail;
use super::*;

const MINUTE: i64 = 60;

fn details(history: &mut History, at: i64) -> Vec<Detail> {
    let rows = history.rows(at);
    history.details(&rows, at)
}

#[test]
fn the_energy_counters_follow_the_reports() {
    let site = site(&plan(), "8.2.4345");
    let (dawn, dusk) = (site.sun.dawn(DAY), site.sun.dusk(DAY));
    let joules: i64 = reports(&site, DAY)
        .iter()
        .flatten()
        .map(|report| i64::from(report.power_w) * report.duration_s)
        .sum();
    let mut history = History::new(site, dawn);
    let before = history.production(dawn);
    let after = history.production(dusk + HOUR);
    assert_eq!(before.today_wh, 0);
    assert_eq!(before.reading_time, 0);
    assert!((after.today_wh - joules / 3600).abs() <= 1);
    assert!((after.lifetime_wh - before.lifetime_wh - after.today_wh).abs() <= 1);
    assert!(before.seven_days_wh > 0);
}

#[test]
fn interval_energies_of_a_day_add_up_to_the_difference_of_the_lifetime_counter() {
    for interval in [300, 900, 3600] {
        let plan = Plan {
            report_interval_s: interval,
            ..plan()
        };
        let midnight = DAY * 24 * HOUR;
        let mut history = History::new(site(&plan, "8.3.5169"), midnight);
        let before = details(&mut history, midnight);
        let total = history.production(midnight).lifetime_wh;
        let mut intervals: BTreeMap<(String, i64), i64> = BTreeMap::new();
        for minute in 0..24 * 60 {
            for detail in details(&mut history, midnight + minute * MINUTE) {
                let report = detail.report.expect("all have reported");
                if report.at > midnight {
                    intervals.insert((detail.inverter, report.at), report.joules);
                }
                let power_w = f64::from(report.power_w.max(0));
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let average_w = report.joules as f64 / report.duration_s as f64;
                assert!((average_w - power_w).abs() <= 0.51, "{report:?}");
            }
        }
        let after = details(&mut history, midnight + 24 * HOUR - MINUTE);
        for (before, after) in before.iter().zip(&after) {
            let of = intervals
                .iter()
                .filter(|((inverter, _), _)| *inverter == after.inverter);
            let sum: i64 = of.map(|(_, joules)| joules).sum();
            assert_eq!(
                sum,
                after.lifetime_j - before.lifetime_j,
                "{}",
                after.inverter
            );
            assert_eq!(sum, after.today_j);
            assert!(sum > 500 * 3_600, "a summer's day: {sum}");
        }
        let all: i64 = intervals.values().sum();
        let rise = history
            .production(midnight + 24 * HOUR - MINUTE)
            .lifetime_wh
            - total;
        assert!((rise - all / 3_600).abs() <= 1, "{rise} {all}");
    }
}

#[test]
fn a_dead_inverter_reports_no_more_and_a_shaded_one_less_until_they_are_well() {
    let noon = DAY * 24 * HOUR + 12 * HOUR;
    let mut history = History::new(site(&plan(), "8.3.5169"), noon);
    let rows = history.rows(noon);
    let (dead, shaded) = (rows[0].inverter.clone(), rows[1].inverter.clone());
    let mut well = History::new(site(&plan(), "8.3.5169"), noon);
    history
        .change(&dead, Panels::Dead, noon)
        .expect("it is in use");
    history
        .change(&shaded, Panels::Shaded(0.4), noon)
        .expect("it is in use");
    let unknown = history.change("1", Panels::Dead, noon);
    assert!(
        unknown
            .expect_err("nobody")
            .to_string()
            .contains("\"1\" is no inverter in use")
    );
    for hours in [3, 24, 48] {
        let at = noon + hours * HOUR;
        let (rows, expected) = (history.rows(at), well.rows(at));
        assert!(rows[0].reported_at <= noon, "{hours} h later");
        assert_eq!(rows[1].reported_at, expected[1].reported_at);
        let (shaded_w, full_w) = (f64::from(rows[1].power_w), f64::from(expected[1].power_w));
        assert!(shaded_w <= 0.4 * full_w + 0.5, "{shaded_w} {full_w}");
        assert_eq!(rows[2..], expected[2..], "the others are as ever");
    }
    let cured = noon + 48 * HOUR;
    history
        .change(&dead, Panels::Well, cured)
        .expect("it is in use");
    history
        .change(&shaded, Panels::Well, cured)
        .expect("it is in use");
    let (rows, expected) = (history.rows(cured + 2 * HOUR), well.rows(cured + 2 * HOUR));
    for (row, expected) in rows.iter().zip(&expected) {
        assert_eq!(
            (row.reported_at, row.power_w),
            (expected.reported_at, expected.power_w)
        );
    }
}

#[test]
fn a_counter_goes_on_from_what_it_is_set_to_and_inverters_keep_theirs() {
    let noon = DAY * 24 * HOUR + 12 * HOUR;
    let mut history = History::new(site(&plan(), "8.3.5169"), noon);
    let before = details(&mut history, noon);
    history.count_from(0, noon);
    assert_eq!(history.production(noon).lifetime_wh, 0);
    assert_eq!(details(&mut history, noon), before);
    let risen = history.production(noon + 2 * HOUR).lifetime_wh;
    assert!(risen > 500, "{risen}");
}
