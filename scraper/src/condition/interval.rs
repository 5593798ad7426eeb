//! How often an inverter reports.
//!
//! A site's inverters report each 5, 15 or 60 minutes, as Enphase sets it, and that changes without notice.
//! The true intervals are not exact (903 to 934 seconds were seen for 15 minutes), and shorter at dusk.

use serde::{Deserialize, Serialize};

/// The shortest interval, in seconds.
pub const SHORTEST: i64 = 300;

/// What the interval of an inverter is taken to be that has reported only once, in seconds, where none of its
/// siblings is known better.
const USUAL: i64 = 900;

/// The intervals that there are, in seconds, each with the longest time that is taken for it: half an interval
/// more, since with twice the time a report was missed.
pub(super) const KNOWN: [(i64, i64); 3] = [(300, 450), (900, 1350), (3600, 5400)];

/// How many times between two reports are remembered: with a missed report among them the others decide.
const REMEMBERED: usize = 5;

/// How often one inverter reports, as far as it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<i64>", try_from = "Vec<i64>")]
pub struct Interval {
    /// The last intervals, by their place in [`KNOWN`], the newest last.
    seen: Vec<usize>,
}

impl Interval {
    /// Its next report came so many seconds after the one before.
    pub fn learn(&mut self, since: i64) {
        let Some(place) = KNOWN.iter().position(|(_, longest)| since <= *longest) else {
            return;
        };
        // A clock that was set back, or the short one at dusk.
        if since < SHORTEST / 2 {
            return;
        }
        if self.seen.len() == REMEMBERED {
            self.seen.remove(0);
        }
        self.seen.push(place);
    }

    /// The interval in seconds: the one that was seen most often of late, of two the shorter.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        let count = |place: usize| self.seen.iter().filter(|seen| **seen == place).count();
        let most = (0..KNOWN.len()).rev().max_by_key(|place| count(*place))?;
        (count(most) > 0).then_some(KNOWN[most].0)
    }

    /// How many reports did not come in so many seconds between two that did.
    #[must_use]
    pub fn missed(&self, since: i64) -> u64 {
        let Some(interval) = self.seconds() else {
            return 0;
        };
        // Half an interval late is late.
        let reports = (since + interval / 2) / interval;
        u64::try_from(reports - 1).unwrap_or(0)
    }
}

/// What is no interval that an inverter can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no inverter reports each {0} s")]
pub struct NoInterval(i64);

impl From<Interval> for Vec<i64> {
    fn from(interval: Interval) -> Self {
        let seen = interval.seen.into_iter();
        seen.map(|place| KNOWN[place].0).collect()
    }
}

impl TryFrom<Vec<i64>> for Interval {
    type Error = NoInterval;

    fn try_from(seconds: Vec<i64>) -> Result<Self, NoInterval> {
        let known = |seconds| KNOWN.iter().position(|(known, _)| *known == seconds);
        let newest = seconds.into_iter().rev().take(REMEMBERED);
        let places = newest.map(|seconds| known(seconds).ok_or(NoInterval(seconds)));
        let mut seen = places.collect::<Result<Vec<_>, _>>()?;
        seen.reverse();
        Ok(Self { seen })
    }
}

/// The middle one of the intervals that are known, in seconds.
pub fn typical<'a>(intervals: impl Iterator<Item = &'a Interval>) -> i64 {
    let mut known: Vec<i64> = intervals.filter_map(Interval::seconds).collect();
    known.sort_unstable();
    known.get(known.len() / 2).copied().unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(times: &[i64]) -> Interval {
        let mut interval = Interval::default();
        for since in times {
            interval.learn(*since);
        }
        interval
    }

    #[test]
    fn an_interval_is_known_from_the_second_report_on() {
        assert_eq!(Interval::default().seconds(), None);
        assert_eq!(after(&[301]).seconds(), Some(300));
        assert_eq!(after(&[931]).seconds(), Some(900));
        assert_eq!(after(&[3607]).seconds(), Some(3600));
    }

    #[test]
    fn a_missed_report_a_night_and_a_short_one_at_dusk_change_nothing() {
        assert_eq!(after(&[300, 301, 600, 300]).seconds(), Some(300));
        assert_eq!(after(&[905, 907, 36_000, 13]).seconds(), Some(900));
    }

    #[test]
    fn another_interval_is_learned_within_three_reports() {
        assert_eq!(
            after(&[300, 300, 300, 300, 300, 904, 903, 905]).seconds(),
            Some(900)
        );
        assert_eq!(
            after(&[904, 903, 905, 903, 904, 300, 300, 300]).seconds(),
            Some(300)
        );
    }

    #[test]
    fn reports_that_did_not_come_are_counted_by_the_interval() {
        let interval = after(&[300, 300]);
        for (since, missed) in [(300, 0), (440, 0), (600, 1), (905, 2), (3000, 9), (-600, 0)] {
            assert_eq!(interval.missed(since), missed, "{since} s");
        }
        assert_eq!(Interval::default().missed(86_400), 0);
    }

    #[test]
    fn who_is_not_known_yet_is_taken_to_do_as_most_do() {
        assert_eq!(typical([].iter()), 900);
        let known = [
            after(&[300]),
            Interval::default(),
            after(&[301]),
            after(&[900]),
        ];
        assert_eq!(typical(known.iter()), 300);
    }
}
