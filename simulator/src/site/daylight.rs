//! The light of one day on one site, summed up so that its average over any interval is cheap.

use super::sky::Sky;
use super::sun::Sun;

/// Short enough to see a cloud pass, in seconds.
const STEP_S: i64 = 15;
/// Panels see the light up to this much later than the site, in seconds.
pub(super) const LONGEST_LAG_S: i64 = 60;

/// What reaches the panels from before sunrise to after sunset of one solar day, clouds included.
#[derive(Debug)]
pub(super) struct Daylight {
    pub(super) day: i64,
    begins: i64,
    /// At index `i`: the sum of the light of the first `i` steps.
    sums: Vec<f64>,
}

impl Daylight {
    pub(super) fn new(sun: Sun, sky: Sky, day: i64) -> Self {
        let begins = sun.dawn(day) - LONGEST_LAG_S - STEP_S;
        let steps = (sun.dusk(day) + STEP_S - begins) / STEP_S;
        let mut sum = 0.0;
        let mut sums = vec![0.0];
        sums.extend(
            (0..steps)
                .map(|step| begins + step * STEP_S + STEP_S / 2)
                .map(|at| {
                    sum += sun.light(at) * sky.transmission(day, at);
                    sum
                }),
        );
        Self { day, begins, sums }
    }

    /// The average between two Unix seconds; 1 is full sun.
    pub(super) fn average(&self, from: i64, until: i64) -> f64 {
        let index = |at: i64| {
            usize::try_from((at - self.begins) / STEP_S)
                .unwrap_or(0)
                .min(self.sums.len() - 1)
        };
        let (first, last) = (index(from), index(until));
        if last <= first {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most the steps of a day")]
        let steps = (last - first) as f64;
        (self.sums[last] - self.sums[first]) / steps
    }
}
