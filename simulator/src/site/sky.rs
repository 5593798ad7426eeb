//! Clouds: one sky for all panels of a site.

use super::noise::{smooth, unit};

/// The weather over a site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sky {
    seed: u64,
}

impl Sky {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// What the sky lets through: about 1 under a clear one, 0.15 to 0.35 under a closed one.
    pub(super) fn transmission(self, day: i64, at: i64) -> f64 {
        let clouds = 0.5 * smooth(self.seed, at, 2_400)
            + 0.3 * smooth(self.seed, at, 600)
            + 0.2 * smooth(self.seed, at, 150);
        match unit(&[self.seed, day.cast_unsigned()]) {
            ..0.35 => 1.0 - 0.06 * clouds,
            ..0.8 => {
                let cover = ((clouds - 0.45) / 0.15).clamp(0.0, 1.0);
                // Between clouds their bright edges add some light.
                1.04 - 0.74 * cover
            }
            _ => 0.35 - 0.2 * clouds,
        }
    }
}
