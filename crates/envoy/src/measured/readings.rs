//! What an Envoy's endpoints say in the course of one poll.

use std::collections::BTreeMap;

use super::{Battery, Detail, Flow, Meter, Net};
use crate::endpoints::meters::Enabled;

/// What was said so far. Each [updater](crate::endpoints::Updater) adds what its endpoint has, and takes nothing
/// away from what was said before it.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    /// By serial; of whichever report.
    pub(crate) details: BTreeMap<String, Detail>,
    /// Sums of the inverters, as several endpoints have them, those first that are asked first.
    pub(crate) inverter_totals: Vec<Flow>,
    pub(crate) production: Option<Flow>,
    pub(crate) consumption: Option<Flow>,
    pub(crate) net: Option<Net>,
    pub(crate) meters: Vec<Meter>,
    pub(crate) batteries: Vec<Battery>,
    pub(crate) kept: Kept,
}

/// What goes from poll to poll, since its endpoint is not asked in each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// The meters that are worth a look at their readings.
    pub(crate) meters: Vec<Enabled>,
    pub(crate) made_today: Option<Today>,
}

/// What was made since midnight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Today {
    /// When it was read, by the Envoy's clock, in Unix seconds.
    pub(crate) measured_at: i64,
    pub(crate) energy_wh: f64,
}

impl Readings {
    /// Those of a poll, before anything is asked.
    pub(crate) fn new(kept: Kept) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }
}
