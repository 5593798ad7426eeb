//! What one battery does.

use serde::{Deserialize, Serialize};

use crate::name::{Serial, Word};
use crate::quantity::Quantity;
use crate::time::ReportTime;

/// The state of a battery.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Battery {
    /// The battery's serial number.
    pub serial: Serial,
    /// When, by the gateway's clock.
    pub measured_at: ReportTime,
    /// The kind of device (`encharge`, `acb`).
    pub kind: Word,
    /// How full it is, in percent.
    pub state_of_charge_pct: Option<Quantity>,
    /// Power in watts, + discharging, − charging.
    pub power_w: Option<Quantity>,
    /// What it holds when it is full, in watt-hours.
    pub energy_capacity_wh: Option<Quantity>,
    /// Temperature in degrees Celsius.
    pub temperature_c: Option<Quantity>,
    /// What it does, in the gateway's word (`charging`, `discharging`, `full`, `idle`).
    pub state: Option<Word>,
}
