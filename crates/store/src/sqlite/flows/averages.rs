//! Average powers of what is measured at moments: no database, no clock.

use super::seconds;

/// How far two readings may be apart for the first to stand until the second, in seconds: one is taken each quarter
/// of an hour at least, and a poll may come a minute late.
pub(super) const LONGEST_S: i64 = 960;

/// The average power of spans, out of readings in the order of time.
#[derive(Debug)]
pub(super) struct Averages<'a> {
    edges: &'a [i64],
    /// Watt-seconds of each span, and the seconds of it that are known of.
    spans: Vec<(f64, i64)>,
    before: Option<(i64, f64)>,
}

impl<'a> Averages<'a> {
    /// Those of `edges.len() - 1` spans, before any reading.
    pub(super) fn new(edges: &'a [i64]) -> Self {
        Self {
            edges,
            spans: vec![(0.0, 0); edges.len().saturating_sub(1)],
            before: None,
        }
    }

    /// The reading before this one stands until it, unless it is too long ago: then nothing is known of the time
    /// between.
    pub(super) fn take(&mut self, at: i64, power_w: f64) {
        let Some((begin, power)) = self.before.replace((at, power_w)) else {
            return;
        };
        if at - begin > LONGEST_S {
            return;
        }
        let first = self.edges.partition_point(|edge| *edge <= begin).max(1) - 1;
        for (edges, (energy, known)) in self.edges.windows(2).zip(&mut self.spans).skip(first) {
            if edges[0] >= at {
                break;
            }
            let part = (at.min(edges[1]) - begin.max(edges[0])).max(0);
            *energy += power * seconds(part);
            *known += part;
        }
    }

    /// The averages in watts; none where nothing is known.
    pub(super) fn each(&self) -> impl Iterator<Item = Option<f64>> {
        let average = |(energy, known): &(f64, i64)| (*known > 0).then(|| energy / seconds(*known));
        self.spans.iter().map(average)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn averages(edges: &[i64], readings: &[(i64, f64)]) -> Vec<Option<f64>> {
        let mut averages = Averages::new(edges);
        for (at, power_w) in readings {
            averages.take(*at, *power_w);
        }
        averages.each().collect()
    }

    #[test]
    fn a_reading_stands_until_the_next_one() {
        let readings = [(900, 100.0), (1_100, 400.0), (1_700, 0.0)];
        assert_eq!(
            averages(&[1_000, 1_200, 1_600], &readings),
            [Some(250.0), Some(400.0)]
        );
    }

    #[test]
    fn of_a_time_without_readings_nothing_is_known() {
        let readings = [(0, 100.0), (300, 100.0), (5_000, 7.0), (5_300, 7.0)];
        assert_eq!(
            averages(&[0, 600, 1_200, 6_000], &readings),
            [Some(100.0), None, Some(7.0)]
        );
    }

    #[test]
    fn the_last_reading_says_nothing_of_what_comes() {
        assert_eq!(averages(&[0, 600], &[(0, 100.0)]), [None]);
        assert_eq!(averages(&[600, 1_200], &[(0, 1.0), (300, 1.0)]), [None]);
    }
}
