//! What an inverter's reports of a day add up to, hour by hour: no database, no clock.

use std::collections::BTreeMap;

pub(super) const HOUR_S: i64 = 3_600;

/// The intervals that Enphase sets, in seconds.
const INTERVALS_S: [i64; 3] = [300, 900, 3_600];

/// How much longer than its interval a report may take: gateways ask their inverters one after the other.
pub(super) const SLACK_S: i64 = 60;

/// How far back the report before another one can be and still say something about it. A longer silence
/// is a night or an outage, in which no report was missed.
pub(super) const WITHIN_REACH_S: i64 = 3 * HOUR_S;

/// The sums of one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    /// Energy, in watt-seconds.
    pub(super) energy_ws: i64,
    /// The highest power of a report, in watts.
    pub(super) highest_w: i32,
    /// How many reports there are.
    pub(super) reports: i64,
    /// How many are missing before one of them.
    pub(super) missed: i64,
}

/// The interval at which an inverter reports, in seconds, learned from the times between two reports: the
/// middle one of them, brought up to one that Enphase sets (5, 15 or 60 minutes). Five minutes where there
/// is none.
#[must_use]
pub fn interval_s(mut gaps: Vec<i64>) -> i64 {
    gaps.sort_unstable();
    let Some(middle) = gaps.get(gaps.len() / 2) else {
        return INTERVALS_S[0];
    };
    let mut known = INTERVALS_S.into_iter();
    known
        .find(|known| *middle <= *known + SLACK_S)
        .unwrap_or(INTERVALS_S[2])
}

/// The sums of the hours of one day, by the beginning of each, in seconds since 1970. `reports` are those
/// of this day, in time order, each with its power in watts; `before` are those [within reach](WITHIN_REACH_S)
/// before it. The interval is learned from both: a day may have one report, of a dusk that ends after midnight.
///
/// A report is the average since the report before it, so it stands for that time, but for no more than the
/// interval and a minute: neither a night nor an outage is filled with what was said after it. All of it
/// counts for the hour in which it was reported.
pub(super) fn of_day(before: &[(i64, i32)], reports: &[(i64, i32)]) -> BTreeMap<i64, Sum> {
    let times = before.iter().chain(reports).map(|(at, _)| *at);
    let gaps = times.clone().skip(1).zip(times).map(|(at, last)| at - last);
    let interval = interval_s(gaps.collect());
    let longest = interval + SLACK_S;
    let mut before = before.last().map(|(at, _)| *at);
    let mut hours: BTreeMap<i64, Sum> = BTreeMap::new();
    for &(at, power_w) in reports {
        let gap = before.map(|before| at - before);
        let sum = hours.entry(at.div_euclid(HOUR_S) * HOUR_S).or_insert(Sum {
            highest_w: power_w,
            ..Sum::default()
        });
        sum.energy_ws += i64::from(power_w) * gap.unwrap_or(longest).min(longest);
        sum.highest_w = sum.highest_w.max(power_w);
        sum.reports += 1;
        if let Some(gap) = gap.filter(|gap| (longest + 1..=WITHIN_REACH_S).contains(gap)) {
            // Rounded: a report may be as late as it likes, and the next one in time.
            sum.missed += (gap + interval / 2) / interval - 1;
        }
        before = Some(at);
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_stands_for_the_time_since_the_one_before() {
        let hours = of_day(&[(3_300, 0)], &[(3_600, 100), (3_900, 200)]);
        let expected = Sum {
            energy_ws: 300 * 100 + 300 * 200,
            highest_w: 200,
            reports: 2,
            missed: 0,
        };
        assert_eq!(hours, BTreeMap::from([(3_600, expected)]));
    }

    #[test]
    fn a_silence_is_not_filled_with_what_is_said_after_it() {
        let hours = of_day(&[], &[(300, 10), (600, 10), (900, 10), (20_000, 100)]);
        assert_eq!(hours[&18_000].energy_ws, 360 * 100);
        assert_eq!(hours[&18_000].missed, 0, "that was a night");
    }

    #[test]
    fn each_report_that_did_not_come_between_two_is_missed() {
        let hours = of_day(&[], &[(300, 1), (600, 1), (900, 1), (2_100, 1), (2_430, 1)]);
        assert_eq!(hours[&0].missed, 3);
    }

    #[test]
    fn the_only_report_of_a_day_stands_for_the_interval_of_those_before_midnight() {
        for (interval, at) in [(900, 300), (3_600, 1_800)] {
            let before = [(at - 2 * interval, 120), (at - interval, 110)];
            let sum = of_day(&before, &[(at, 100)])[&0];
            assert_eq!((sum.energy_ws, sum.missed), (interval * 100, 0));
        }
    }

    #[test]
    fn the_interval_is_learned_from_the_day() {
        assert_eq!(interval_s(vec![]), 300);
        assert_eq!(interval_s(vec![300, 299, 310, 900]), 300);
        assert_eq!(interval_s(vec![905, 899, 900, 1_800]), 900);
        assert_eq!(interval_s(vec![40_000]), 3_600);
    }
}
