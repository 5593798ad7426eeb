//! Nights and outages of made-up sites, day by day.

use store::Hour;

use super::*;

const DAY_S: i64 = 86_400;

/// What is asked for is drawn in spans of ten minutes.
const STEP: i64 = 600;

/// A day in the middle of those there are, far from the border of what is read.
const THAT_DAY: i64 = 10;

/// When nothing is missing any more that will be read of it, in hours since the first day's midnight.
const LATER_H: i64 = 20 * 24;

/// A site of one inverter, on days that are all alike, but for the times at which nobody read it.
#[derive(Clone)]
struct Site {
    /// When it reports first and last, as hours of the day.
    sun: (f64, f64),
    interval_s: i64,
    /// The part of a clear day's power that it has on that day.
    clouds: f64,
    /// Hours since the first day's midnight.
    outages: Vec<(f64, f64)>,
    /// The same, each day.
    daily_outage: (f64, f64),
}

impl Site {
    fn clear() -> Self {
        Self {
            sun: (7.0, 17.0),
            interval_s: 300,
            clouds: 1.0,
            outages: Vec::new(),
            daily_outage: (0.0, 0.0),
        }
    }

    fn with_outage(mut self, from: f64, until: f64) -> Self {
        let that_day = 24.0 * f64::from(i32::try_from(THAT_DAY).expect("few"));
        self.outages.push((that_day + from, that_day + until));
        self
    }

    /// The reports up to a moment: when each came, and what it says.
    fn reports(&self, until: i64) -> Vec<(i64, f64)> {
        let is_in = |hour: f64, (from, until): (f64, f64)| from < hour && hour < until;
        let count = until / self.interval_s;
        // An hourly report comes at twenty past.
        let times = (0..count).map(|number| number * self.interval_s + self.interval_s / 3);
        let mut reports = Vec::new();
        for at in times {
            let hours = crate::page::energy::whole(at) / 3600.0;
            let of_day = hours % 24.0;
            let is_read = !self.outages.iter().any(|outage| is_in(hours, *outage))
                && !is_in(of_day, self.daily_outage);
            if is_read && is_in(of_day, self.sun) {
                let (rise, set) = self.sun;
                let sun = ((of_day - rise) / (set - rise) * std::f64::consts::PI).sin();
                let clouds = if at / DAY_S == THAT_DAY {
                    self.clouds
                } else {
                    1.0
                };
                reports.push((at, 250.0 * sun * clouds));
            }
        }
        reports
    }

    /// The reports of each hour that is read for an answer about a day.
    fn hours(&self, day: i64, until: i64) -> Reports {
        let read = day * DAY_S - AROUND_S..(day + 1) * DAY_S + AROUND_S;
        let reports = self.reports(until).into_iter();
        let reports = reports.filter(|(at, _)| read.contains(at));
        let hours = reports.map(|(at, power)| Hour {
            begins: at / HOUR_S * HOUR_S,
            energy_ws: crate::page::series::rounded(power) * self.interval_s,
            highest_w: None,
            reports: 1,
            missed: 0,
        });
        Reports::new(&hours.collect::<Vec<_>>())
    }

    /// Whether a span of a day is known, night or unknown, as the times until which it is so: at this moment, in hours
    /// since the first day's midnight.
    fn drawn(&self, day: i64, now_h: i64, site: &Self) -> String {
        let edges: Vec<i64> = (0..=DAY_S / STEP)
            .map(|span| day * DAY_S + span * STEP)
            .collect();
        let reports = self.reports(now_h * HOUR_S);
        let is_known = |span: &[i64]| {
            let begins = |at: i64| at - self.interval_s;
            reports
                .iter()
                .any(|(at, _)| begins(*at) < span[1] && *at > span[0])
        };
        let mut power: Vec<_> = edges
            .windows(2)
            .map(|span| is_known(span).then_some(1.0))
            .collect();
        let mut nights = Nights::of(site.hours(day, now_h * HOUR_S));
        let own = self.hours(day, now_h * HOUR_S);
        fill(&mut nights, &own, now_h * HOUR_S, &edges, &mut power);
        let mut drawn = Vec::new();
        for (run, until) in power.chunk_by(PartialEq::eq).scan(0, |until, run| {
            *until += run.len();
            Some((run[0], *until * 10))
        }) {
            let what = match run {
                None => "unknown",
                Some(0.0) => "night",
                Some(_) => "known",
            };
            drawn.push(format!("{what} {:02}:{:02}", until / 60, until % 60));
        }
        drawn.join(", ")
    }
}

#[test]
fn only_what_other_days_show_to_be_night_is_night() {
    let clear = Site::clear();
    let hourly = Site {
        interval_s: 3_600,
        ..clear.clone()
    };
    let overcast = Site {
        clouds: 0.1,
        ..clear.clone()
    };
    let with_sun = |rise, set| Site {
        sun: (rise, set),
        ..clear.clone()
    };
    let by_day = Site {
        daily_outage: (0.0, 11.0),
        ..clear.clone()
    };
    for (what, site, expected) in [
        (
            "a day",
            clear.clone(),
            "night 06:50, known 17:00, night 24:00",
        ),
        (
            "hourly reports",
            hourly.clone(),
            "night 06:20, known 16:20, night 24:00",
        ),
        (
            "far in the north in summer",
            with_sun(0.7, 22.7),
            "night 00:40, known 22:50, night 24:00",
        ),
        (
            "and in winter",
            with_sun(10.3, 14.8),
            "night 10:10, known 14:50, night 24:00",
        ),
        (
            "an outage",
            clear.clone().with_outage(10.0, 14.0),
            "night 06:50, known 10:00, unknown 13:50, known 17:00, night 24:00",
        ),
        (
            "an outage under clouds",
            overcast.clone().with_outage(10.0, 14.0),
            "night 06:50, known 10:00, unknown 13:50, known 17:00, night 24:00",
        ),
        (
            "an outage of hourly reports",
            hourly.with_outage(10.0, 14.0),
            "night 06:20, known 09:20, unknown 13:20, known 16:20, night 24:00",
        ),
        (
            "an outage until after dusk",
            clear.clone().with_outage(14.0, 18.0),
            "night 06:50, known 14:00, unknown 17:00, night 24:00",
        ),
        (
            "two of them",
            clear
                .clone()
                .with_outage(14.0, 18.0)
                .with_outage(62.0, 66.0),
            "night 06:50, known 14:00, unknown 17:00, night 24:00",
        ),
        (
            "an outage over midnight",
            clear.clone().with_outage(12.0, 35.5),
            "night 06:50, known 12:00, unknown 17:00, night 24:00",
        ),
        (
            "an early dusk under clouds",
            overcast.with_outage(15.2, 18.0),
            "night 06:50, known 15:20, night 24:00",
        ),
        (
            "a program that runs from eleven on",
            by_day,
            "unknown 10:50, known 17:00, unknown 24:00",
        ),
    ] {
        assert_eq!(site.drawn(THAT_DAY, LATER_H, &site), expected, "{what}");
    }
}

#[test]
fn a_night_is_known_when_there_was_another_one() {
    let outage = Site::clear().with_outage(12.0, 35.5);
    let away = Site::clear().with_outage(12.0, 99.0);
    let young = Site {
        outages: vec![(0.0, 251.0)],
        ..Site::clear()
    };
    let interrupted = Site {
        outages: vec![(0.0, 216.0), (228.0, 251.5)],
        ..Site::clear()
    };
    for (what, site, day, now_h, expected) in [
        (
            "the day on which an outage ends",
            &outage,
            11,
            LATER_H,
            "night 07:00, unknown 11:20, known 17:00, night 24:00",
        ),
        (
            "the first day",
            &young,
            10,
            11 * 24,
            "unknown 10:50, known 17:00, unknown 24:00",
        ),
        (
            "after an outage that had a night in it",
            &interrupted,
            10,
            11 * 24,
            "unknown 11:20, known 17:00, unknown 24:00",
        ),
        (
            "the second night",
            &young,
            11,
            11 * 24 + 22,
            "unknown 06:50, known 17:00, night 22:00, unknown 24:00",
        ),
        (
            "the first day, when the second night is over",
            &young,
            10,
            12 * 24 + 10,
            "unknown 10:50, known 17:00, night 24:00",
        ),
        (
            "an Envoy that is away at night",
            &away,
            11,
            11 * 24 + 3,
            "night 03:00, unknown 24:00",
        ),
        (
            "and by day",
            &away,
            11,
            11 * 24 + 12,
            "night 07:00, unknown 24:00",
        ),
    ] {
        assert_eq!(site.drawn(day, now_h, site), expected, "{what}");
    }
}

#[test]
fn an_inverter_that_was_replaced_slept_at_night_while_it_is_looked_for() {
    let site = Site::clear();
    let replaced = site.clone().with_outage(-40.0, 999.0);
    let drawn = |day| replaced.drawn(day, LATER_H, &site);
    assert_eq!(drawn(10), "night 07:00, unknown 17:00, night 24:00");
    assert_eq!(drawn(18), "unknown 24:00");
    let new = site.clone().with_outage(-999.0, 11.0);
    assert_eq!(
        new.drawn(10, LATER_H, &site),
        "unknown 10:50, known 17:00, night 24:00"
    );
}

#[test]
fn a_silence_is_as_long_as_nothing_is_known() {
    let power = [None, Some(1.0), None, None, Some(0.0), None];
    assert_eq!(silences(&power), [0..1, 2..4, 5..6]);
    assert!(silences(&[]).is_empty());
}
