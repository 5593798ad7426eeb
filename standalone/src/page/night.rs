//! Which hours of a day are night, by what was reported on the days around it: no database, no clock.

use std::collections::{BTreeMap, BTreeSet};

use store::Hour;

use super::energy::whole;

/// Seconds of an hour.
pub(super) const HOUR_S: i64 = 3_600;

/// Hours of a day.
const DAY_H: i64 = 24;

/// Days on either side that say what is night on one: within a week the sun rises half an hour earlier or later at
/// most where people live.
pub(super) const DAYS_AROUND: i64 = 7;

/// A night has no more whole hours without a report than this. Whatever is longer has an outage in it.
const LONGEST_NIGHT_H: i64 = 19;

/// In the hours beside a night inverters make less than this part of the most that they make in any: otherwise it is
/// the time at which this program is not running each day.
const BESIDE_NIGHT: f64 = 0.5;

/// What was reported hour by hour, of an inverter or a site.
#[derive(Debug, Clone)]
pub(super) struct Reports {
    /// The energy that an average report of each hour stands for, in watt-seconds, by the hour's number since 1970. It
    /// does not depend on how many of an hour's reports were read.
    hours: BTreeMap<i64, f64>,
    most: f64,
}

impl Reports {
    /// These hours, of any number of inverters or Envoys together.
    pub(super) fn new(hours: &[Hour]) -> Self {
        let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for hour in hours.iter().filter(|hour| hour.reports > 0) {
            let sum = sums.entry(hour.begins.div_euclid(HOUR_S)).or_default();
            sum.0 += hour.energy_ws;
            sum.1 += i64::from(hour.reports);
        }
        let average = |(energy, reports)| whole(energy) / whole(reports);
        let hours = sums.into_iter().map(|(hour, sum)| (hour, average(sum)));
        let hours: BTreeMap<_, _> = hours.collect();
        let most = hours.values().copied().fold(0.0, f64::max);
        Self { hours, most }
    }

    /// The last hour with a report that begins before this moment, by its number since 1970.
    pub(super) fn last_before(&self, at: i64) -> Option<i64> {
        let hours = self.hours.range(..(at + HOUR_S - 1).div_euclid(HOUR_S));
        hours.last().map(|(hour, _)| *hour)
    }

    /// The first hour with a report that ends after this moment, of those after another hour.
    pub(super) fn first_after(&self, at: i64, other: i64) -> Option<i64> {
        let mut hours = self.hours.range(at.div_euclid(HOUR_S).max(other + 1)..);
        hours.next().map(|(hour, _)| *hour)
    }

    /// Whether an hour's average report says no more than this part of what that of the best hour does.
    pub(super) fn are_at_most(&self, part: f64, hour: i64) -> bool {
        self.average(hour) <= part * self.most
    }

    /// The energy of an hour's average report, 0 where there is none.
    fn average(&self, hour: i64) -> f64 {
        self.hours.get(&hour).copied().unwrap_or_default()
    }

    /// The hours without a report that may be a night: there are reports before and after, not too far apart.
    fn silent(&self) -> BTreeSet<i64> {
        let hours = self.hours.keys().zip(self.hours.keys().skip(1));
        hours
            .map(|(before, after)| before + 1..*after)
            .filter(|silence| silence.end - silence.start <= LONGEST_NIGHT_H)
            .flatten()
            .collect()
    }
}

/// The nights of a site.
#[derive(Debug)]
pub(super) struct Nights {
    reports: Reports,
    silent: BTreeSet<i64>,
    /// Those of a day that were worked out already.
    known: BTreeMap<i64, [bool; 24]>,
}

impl Nights {
    /// The nights of the site that reported these.
    pub(super) fn of(reports: Reports) -> Self {
        let silent = reports.silent();
        Self {
            reports,
            silent,
            known: BTreeMap::new(),
        }
    }

    /// Whether this hour, by its number since 1970, is night: on no day around was anything made in it, on another day
    /// it lay in a silence that was no longer than a night is, and beside those hours there is twilight.
    pub(super) fn has(&mut self, hour: i64) -> bool {
        let day = hour.div_euclid(DAY_H);
        let (reports, silent) = (&self.reports, &self.silent);
        let of_day = self
            .known
            .entry(day)
            .or_insert_with(|| of_day(reports, silent, day));
        usize::try_from(hour.rem_euclid(DAY_H)).is_ok_and(|hour| of_day[hour])
    }
}

fn of_day(reports: &Reports, silent: &BTreeSet<i64>, day: i64) -> [bool; 24] {
    let mut most = [0.0_f64; 24];
    let mut is_night = [false; 24];
    for (of_hour, (most, is_night)) in (0..).zip(most.iter_mut().zip(&mut is_night)) {
        let days = day - DAYS_AROUND..=day + DAYS_AROUND;
        for (one, hour) in days.map(|one| (one, one * DAY_H + of_hour)) {
            *most = most.max(reports.average(hour));
            *is_night |= one != day && silent.contains(&hour);
        }
        *is_night &= *most <= 0.0;
    }
    let limit = BESIDE_NIGHT * most.iter().copied().fold(0.0, f64::max);
    for begin in 0..24 {
        let before = (begin + 23) % 24;
        if is_night[begin] && !is_night[before] {
            let night = (begin..begin + 24).map(|hour| hour % 24);
            let night: Vec<_> = night.take_while(|hour| is_night[*hour]).collect();
            let after = (begin + night.len()) % 24;
            if most[before].max(most[after]) > limit {
                for hour in night {
                    is_night[hour] = false;
                }
            }
        }
    }
    is_night
}
