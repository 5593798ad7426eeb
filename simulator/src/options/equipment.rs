//! What a gateway has beside its inverters.

use std::str::FromStr;

use thiserror::Error;

/// The current transformers of a gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meters {
    /// It is a gateway without meters.
    #[default]
    None,
    /// It meters production and what is exchanged with the grid, on three phases.
    Connected,
    /// It could meter, but nothing is connected: its disabled meters show noise, and its totals are all
    /// zero, or frozen from 8.2.4264 on.
    Disabled,
}

/// The text names no kind of metering.
#[derive(Debug, Error)]
#[error("{0:?} names no meters: give none, connected or disabled")]
pub struct NotMeters(String);

impl FromStr for Meters {
    type Err = NotMeters;

    fn from_str(text: &str) -> Result<Self, NotMeters> {
        match text {
            "none" => Ok(Self::None),
            "connected" => Ok(Self::Connected),
            "disabled" => Ok(Self::Disabled),
            _ => Err(NotMeters(text.to_owned())),
        }
    }
}

/// What a gateway has beside its inverters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Equipment {
    pub(crate) meters: Meters,
    pub(crate) batteries: usize,
    pub(crate) ac_batteries: usize,
}

impl Equipment {
    /// What a battery holds, in Wh.
    pub(crate) const BATTERY_WH: f64 = 3_500.0;
    /// What an AC battery holds, in Wh.
    pub(crate) const AC_BATTERY_WH: f64 = 1_200.0;

    pub(super) fn has_batteries(self) -> bool {
        self.batteries + self.ac_batteries > 0
    }

    /// How many AC batteries, and what part each holds of what all batteries do, 0 to 1.
    pub(super) fn each_ac_battery(self) -> (usize, f64) {
        let part = if self.ac_batteries > 0 {
            Self::AC_BATTERY_WH / self.capacity_wh()
        } else {
            0.0
        };
        (self.ac_batteries, part)
    }

    /// What all of them hold, in Wh.
    #[expect(clippy::cast_precision_loss, reason = "40 at most")]
    pub(super) fn capacity_wh(self) -> f64 {
        self.batteries as f64 * Self::BATTERY_WH + self.ac_batteries as f64 * Self::AC_BATTERY_WH
    }
}
