//! One inverter with its panel: what it gives in what light.

use thiserror::Error;

use super::daylight::{Daylight, LONGEST_LAG_S};
use super::noise::{hash, smooth, unit};

/// One inverter with its panel.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) serial: String,
    /// Names this panel in every hash.
    pub(super) key: u64,
    /// What the panel gives in full sun, in watts.
    rated_w: f64,
    /// What the inverter can feed in at most, in watts.
    limit_w: f64,
    /// The record it had set before the simulation, in watts.
    pub(super) record_w: i32,
    /// How much later than others the edge of a cloud reaches it, in seconds.
    lag_s: i64,
    pub(super) is: Panels,
}

/// The inverter can't be made dead, shaded or well.
#[derive(Debug, Error)]
pub enum NotChanged {
    /// A recording stands still.
    #[error("a recorded gateway keeps its inverters: simulate a site")]
    Recorded,
    /// There is none of this serial in use.
    #[error("{0:?} is no inverter in use: take a serial of the list, of one that reports")]
    Unknown(String),
}

/// How an inverter is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Panels {
    Well,
    /// It gives this share of what it would, 0 to 1.
    Shaded(f64),
    /// It reports no more.
    Dead,
}

impl Panel {
    pub(super) fn new(key: u64, serial: String) -> Self {
        let limit_w = (290.0 + 10.0 * unit(&[key, 1])).round();
        // Some never reach their inverter's limit, so that they break their record now and then.
        let rated_w = 262.0 + 80.0 * unit(&[key, 3]);
        #[expect(clippy::cast_possible_truncation, reason = "at most 300 W")]
        let record_w = (limit_w.min(rated_w) * (0.9 + 0.08 * unit(&[key, 2]))) as i32;
        Self {
            serial,
            key,
            rated_w,
            limit_w,
            record_w,
            lag_s: hash(&[key, 4]).cast_signed().rem_euclid(LONGEST_LAG_S),
            is: Panels::Well,
        }
    }

    /// The average of an interval: its own small wavering around what the light gives, and at most
    /// what the inverter can do.
    pub(super) fn power_w(&self, light: &Daylight, until: i64, duration_s: i64) -> f64 {
        let until = until - self.lag_s;
        let wavering = 1.0 + 0.02 * (smooth(self.key, until, 900) - 0.5);
        let share = match self.is {
            Panels::Shaded(share) => share,
            Panels::Well | Panels::Dead => 1.0,
        };
        let power_w = share * self.rated_w * light.average(until - duration_s, until) * wavering;
        power_w.min(self.limit_w)
    }

    /// The power that it reports of an interval, in watts, and the energy in joules. The power is the
    /// energy over the interval, rounded.
    pub(super) fn interval(&self, light: &Daylight, until: i64, duration_s: i64) -> (i32, i64) {
        let power_w = self.power_w(light, until, duration_s);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most 300 W, for a day"
        )]
        let (power_w, joules) = (
            power_w.round() as i32,
            (power_w * duration_s as f64).round() as i64,
        );
        (power_w, joules)
    }

    /// What an inverter says last: usually nothing, sometimes a few watts, sometimes it draws some.
    pub(super) fn dusk_power_w(&self, day: i64) -> i32 {
        let kind = unit(&[self.key, 5, day.cast_unsigned()]);
        let amount = hash(&[self.key, 6, day.cast_unsigned()]);
        match kind {
            ..0.5 => 0,
            ..0.75 => 1 + (amount % 5) as i32,
            _ => -1 - (amount % 4) as i32,
        }
    }
}
