//! What one meter shows.

use serde::{Deserialize, Serialize};

use crate::name::{Serial, Word};
use crate::quantity::Quantity;
use crate::time::ReportTime;

/// A current transformer's values, or those of one of its phases, with the gateway's signs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Meter {
    /// The number that the gateway has given it.
    pub eid: Serial,
    /// When, by the gateway's clock.
    pub measured_at: ReportTime,
    /// What it measures, in the gateway's word (`production`, `net-consumption`, `storage`).
    pub kind: Word,
    /// Which phase; none for all of them together.
    pub phase: Option<Word>,
    /// Active power in watts.
    pub power_w: Quantity,
    /// Reactive power in var.
    pub reactive_power_var: Option<Quantity>,
    /// Apparent power in volt-amperes.
    pub apparent_power_va: Option<Quantity>,
    /// Voltage in volts.
    pub voltage_v: Option<Quantity>,
    /// Current in amperes.
    pub current_a: Option<Quantity>,
    /// Frequency in hertz.
    pub frequency_hz: Option<Quantity>,
    /// Active by apparent power, −1 to 1.
    pub power_factor: Option<Quantity>,
    /// The counter of delivered energy, in watt-hours. Of a storage meter it never falls, and is what batteries gave.
    pub energy_delivered_wh: Option<Quantity>,
    /// The counter of received energy, in watt-hours. Of a storage meter it never falls, and is what batteries took.
    pub energy_received_wh: Option<Quantity>,
}

impl Meter {
    /// Whether it measures what batteries give and take.
    #[must_use]
    pub fn is_storage(&self) -> bool {
        self.kind.as_str() == "storage"
    }
}
