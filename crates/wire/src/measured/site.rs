//! What the whole site does.

use serde::{Deserialize, Serialize};

use crate::quantity::Quantity;
use crate::time::ReportTime;

/// What the site produces. Every gateway has it: measured, or as the sum of the inverters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Site {
    /// When, by the gateway's clock; of a sum the newest report in it.
    pub measured_at: ReportTime,
    /// Where the values come from.
    pub basis: Basis,
    /// Power in watts, + produced.
    pub power_w: Quantity,
    /// What was produced since midnight where the gateway is, in watt-hours; none where no counter
    /// is sound.
    pub energy_today_wh: Option<Quantity>,
    /// What was ever produced, in watt-hours; none where no counter is sound.
    pub energy_lifetime_wh: Option<Quantity>,
    /// How many inverters' reports are recent.
    pub inverters_reporting: u32,
    /// How many inverters there are.
    pub inverters_total: u32,
}

/// Where the values of a [`Site`] come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The gateway measures production.
    Meter,
    /// The sum of the inverters' reports.
    Inverters,
}

impl Basis {
    /// As in the payload.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::Inverters => "inverters",
        }
    }
}

/// Production or consumption, as the gateway measures it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// When, by the gateway's clock.
    pub measured_at: ReportTime,
    /// Power in watts: of production + produced, of consumption + used.
    pub power_w: Quantity,
    /// Energy since midnight where the gateway is, in watt-hours.
    pub energy_today_wh: Option<Quantity>,
    /// All energy ever counted, in watt-hours.
    pub energy_lifetime_wh: Option<Quantity>,
}

/// What is exchanged with the grid, as the gateway measures it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Net {
    /// When, by the gateway's clock.
    pub measured_at: ReportTime,
    /// Power in watts, + taken from the grid, − given to it.
    pub power_w: Quantity,
    /// All energy ever taken from the grid, in watt-hours.
    pub energy_imported_wh: Option<Quantity>,
    /// All energy ever given to the grid, in watt-hours.
    pub energy_exported_wh: Option<Quantity>,
}
