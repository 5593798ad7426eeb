//! Whether it is night, judged by what inverters last reported: nobody says where the panels are, and clouds,
//! roofs and mountains are not in a calendar.
//!
//! At dusk inverters report less and less, and then no more; the list goes on showing their last few watts. So
//! it is night when none has reported of late and what they reported last was little. Where it was much, they
//! have not gone to sleep: then the gateway hears none of them, and none of those reports is fresh.

use super::output::median;
use crate::clock::AHEAD;

/// Reports that may be missing before an inverter counts as silent.
const INTERVALS: i64 = 3;

/// Of the most that an inverter ever reported, the share below which it may be about to sleep, in percent: the
/// average of its last interval.
const LITTLE: i64 = 8;

/// The same of an interval of an hour, in which much of an evening goes by.
const LITTLE_IN_AN_HOUR: i64 = 30;

/// How old a report is at most, in seconds, that belongs to this day or the last one: those of inverters that
/// are gone say nothing of the night.
const LATELY: i64 = 36 * 3600;

/// Reports without a fresh one for longer than this, in seconds, are no night, wherever the panels are: then
/// nothing is heard of them. The longest night south of the polar circle is shorter.
const LONGEST_NIGHT: i64 = 22 * 3600;

/// The last report of one inverter.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// How old it is by the gateway's clock, in seconds.
    pub age: i64,
    /// How often the inverter reports, in seconds.
    pub interval: i64,
    /// What it reported, in watts.
    pub power_w: i32,
    /// The most that it ever reported, in watts.
    pub peak_power_w: i32,
}

/// Whether an inverter with a report of this age, in seconds, does report. One that is dated far ahead of the clock
/// says nothing of now.
#[must_use]
pub fn is_recent(age: i64, interval: i64) -> bool {
    (-AHEAD..=INTERVALS * interval).contains(&age)
}

/// What the reports of all inverters say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// None has reported of late, and they reported little before.
    Night,
    /// Some report, but little, or fewer than half of them.
    Twilight,
    /// They produce, or did when they were last heard of.
    Day,
}

impl Sight {
    /// Judges the last reports of all inverters.
    pub fn of(reports: impl Iterator<Item = Report>) -> Self {
        let lately: Vec<Report> = reports.filter(|report| report.age <= LATELY).collect();
        let Some(newest) = lately.iter().map(|report| report.age).min() else {
            return Self::Night;
        };
        let recent: Vec<Report> = lately
            .iter()
            .filter(|report| is_recent(report.age, report.interval))
            .copied()
            .collect();
        if recent.is_empty() {
            let slept = newest <= LONGEST_NIGHT && reported_little(&lately);
            return if slept { Self::Night } else { Self::Day };
        }
        if reported_little(&recent) || recent.len() * 2 < lately.len() {
            return Self::Twilight;
        }
        Self::Day
    }

    /// Whether all are asleep.
    #[must_use]
    pub fn is_night(self) -> bool {
        self == Self::Night
    }

    /// Whether some may be asleep already, or still.
    #[must_use]
    pub fn is_twilight(self) -> bool {
        self == Self::Twilight
    }
}

impl Report {
    /// By how much, in percent of the most that it ever reported, it is more than that of one about to sleep.
    fn excess(&self) -> i64 {
        let share = i64::from(self.power_w) * 100 / i64::from(self.peak_power_w.max(1));
        let little = if self.interval < 3600 {
            LITTLE
        } else {
            LITTLE_IN_AN_HOUR
        };
        share - little
    }

    /// Whether this one may be about to sleep.
    #[must_use]
    pub fn is_little(&self) -> bool {
        self.excess() < 0
    }
}

/// Whether the middle one of them may be about to sleep.
fn reported_little(reports: &[Report]) -> bool {
    median(reports.iter().map(Report::excess).collect()).is_some_and(|excess| excess < 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(reports: &[(i64, i32)]) -> Sight {
        Sight::of(reports.iter().map(|(age, power_w)| Report {
            age: *age,
            interval: 300,
            power_w: *power_w,
            peak_power_w: 300,
        }))
    }

    #[test]
    fn it_is_night_when_none_reports_and_they_reported_little() {
        assert_eq!(
            sight(&[(5 * 3600, 2), (5 * 3600, -1), (5 * 3600, 0)]),
            Sight::Night
        );
        assert_eq!(sight(&[]), Sight::Night);
    }

    #[test]
    fn it_is_no_night_when_all_stop_in_full_sun_or_for_days() {
        assert_eq!(sight(&[(5 * 3600, 200), (5 * 3600, 180)]), Sight::Day);
        assert_eq!(sight(&[(23 * 3600, 1), (23 * 3600, 0)]), Sight::Day);
    }

    #[test]
    fn a_dead_one_among_sleepers_does_not_make_it_day() {
        assert_eq!(
            sight(&[(5 * 3600, 2), (30 * 3600, 200), (5 * 3600, 0)]),
            Sight::Night
        );
        assert_eq!(sight(&[(5 * 3600, 2), (300 * 86_400, 200)]), Sight::Night);
    }

    #[test]
    fn a_report_of_the_next_seconds_is_recent_and_one_of_the_next_hours_is_not() {
        for (age, expected) in [
            (901, false),
            (900, true),
            (0, true),
            (-90, true),
            (-301, false),
            (-20 * 3600, false),
        ] {
            assert_eq!(is_recent(age, 300), expected, "{age} s");
        }
    }

    #[test]
    fn while_the_first_wake_and_the_last_go_to_sleep_it_is_twilight() {
        assert_eq!(sight(&[(60, 3), (3600, 2), (60, 4)]), Sight::Twilight);
        assert_eq!(
            sight(&[(60, 100), (40_000, 2), (40_000, 1)]),
            Sight::Twilight
        );
        assert_eq!(sight(&[(60, 100), (120, 90), (40_000, 1)]), Sight::Day);
    }
}
