//! What an inverter produces, compared with its siblings, over days: so that one shows that is shaded, soiled,
//! or about to fail.

use serde::{Deserialize, Serialize};

/// How long until what was seen counts half, in seconds: three days.
const HALF_LIFE: f64 = 3.0 * 24.0 * 3600.0;

/// The siblings' power below which nothing is compared, in watts: at dusk a watt makes a large share.
const ENOUGH: i32 = 20;

/// Reports that it takes for a judgement: some hours of them.
const REPORTS: u32 = 12;

/// How long a report stands for at most, in seconds, when the one before it is older: a night, or an outage.
const LONGEST: f64 = 3600.0;

/// What one inverter and its siblings produced of late.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    own: f64,
    siblings: f64,
    reports: u32,
    at: Option<i64>,
}

impl Output {
    /// It reported this power, in watts, when the middle one of its siblings had this one, at a time in Unix
    /// seconds.
    pub fn take(&mut self, power_w: i32, median_w: i32, at: i64) {
        if median_w < ENOUGH {
            return;
        }
        let since = self.at.map_or(LONGEST, |before| {
            #[allow(clippy::cast_precision_loss, reason = "decades have 2^30 seconds")]
            let since = at.saturating_sub(before).max(0) as f64;
            since
        });
        self.at = Some(at);
        let fade = (-since / HALF_LIFE).exp2();
        let weight = since.min(LONGEST);
        self.own = self.own * fade + f64::from(power_w) * weight;
        self.siblings = self.siblings * fade + f64::from(median_w) * weight;
        self.reports = self.reports.saturating_add(1);
    }

    /// When it was compared last, in Unix seconds.
    #[must_use]
    pub fn at(&self) -> Option<i64> {
        self.at
    }

    /// Its share of what the middle one of its siblings produced, in percent; none before there is enough to
    /// compare.
    #[must_use]
    pub fn percent(&self) -> Option<u32> {
        if self.reports < REPORTS || self.siblings <= 0.0 {
            return None;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1000"
        )]
        let percent = (self.own / self.siblings * 100.0)
            .round()
            .clamp(0.0, 1000.0) as u32;
        Some(percent)
    }
}

/// The middle one; of two the lower.
#[must_use]
pub fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// The middle one of the others, in order as `sorted` is, which has `own` once more; of two the lower.
#[must_use]
pub fn median_of_others<T: Ord + Copy>(sorted: &[T], own: T) -> Option<T> {
    let own = sorted.binary_search(&own).ok()?;
    let middle = sorted.len().checked_sub(2)? / 2;
    sorted.get(middle + usize::from(middle >= own)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(days: i64, share: i32) -> Output {
        let mut output = Output::default();
        for day in 0..days {
            for report in 0..100 {
                output.take(2 * share, 200, day * 86_400 + report * 300);
            }
        }
        output
    }

    #[test]
    fn a_share_is_that_of_the_energy() {
        assert_eq!(over(3, 100).percent(), Some(100));
        assert_eq!(over(3, 60).percent(), Some(60));
    }

    #[test]
    fn what_it_did_last_week_counts_less_than_today() {
        let mut output = over(7, 100);
        for day in 7..13 {
            for report in 0..100 {
                output.take(40, 200, day * 86_400 + report * 300);
            }
        }
        let percent = output.percent().expect("known");
        assert!((30..45).contains(&percent), "{percent}");
    }

    #[test]
    fn nothing_is_said_from_a_few_reports_nor_from_dusk() {
        let mut output = Output::default();
        for report in 0..11 {
            output.take(100, 200, report * 300);
        }
        assert_eq!(output.percent(), None);
        for report in 0..100 {
            output.take(0, 3, report * 300);
        }
        assert_eq!(output.percent(), None);
    }

    #[test]
    fn the_middle_one_of_two_is_the_lower() {
        assert_eq!(median(vec![3, 1, 2]), Some(2));
        assert_eq!(median(vec![2, 1]), Some(1));
        assert_eq!(median::<i32>(Vec::new()), None);
    }

    #[test]
    fn who_is_compared_with_the_others_is_none_of_them() {
        for (sorted, own, others) in [
            (&[80, 200][..], 80, Some(200)),
            (&[80, 200], 200, Some(80)),
            (&[1, 2, 3], 1, Some(2)),
            (&[1, 2, 3], 2, Some(1)),
            (&[1, 2, 3], 3, Some(1)),
            (&[1, 2, 3, 4], 2, Some(3)),
            (&[2, 2, 2], 2, Some(2)),
            (&[7], 7, None),
            (&[], 7, None),
        ] {
            let found = median_of_others(sorted, own);
            assert_eq!(found, others, "{own} of {sorted:?}");
        }
    }
}
