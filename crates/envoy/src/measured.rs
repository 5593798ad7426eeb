//! What one poll of an Envoy brings: the inverters, and whatever else this one really measures.
//!
//! Values are as the Envoy gives them, in the units that the fields name. What it does not measure, or
//! measures in a way that is known to be wrong on its firmware, is `None`, never a guess.

pub(crate) mod choice;
pub(crate) mod counters;
pub(crate) mod readings;

use std::collections::BTreeMap;

use crate::endpoints::inverters::{InverterReport, Inverters};

/// What one poll brings. The inverters are complete whatever else failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Poll {
    /// The newest report of each inverter.
    pub inverters: Inverters,
    /// More about reports in that list, by serial; to be had by [`detail`](Self::detail).
    pub details: BTreeMap<String, Detail>,
    /// The Envoy's own sum of its inverters, where no production meter works and it
    /// is not far below what they report. It is of use for a site as a whole; nothing of it is metered.
    pub inverter_total: Option<Flow>,
    /// What the production meter shows, + produced. `None` also in polls that did not ask for it, as for
    /// all that follows.
    pub production: Option<Flow>,
    /// What the site uses, + used, where a consumption meter works.
    pub consumption: Option<Flow>,
    /// What is exchanged with the grid, where a meter stands there.
    pub net: Option<Net>,
    /// Each enabled meter, and each of its phases where it has several.
    pub meters: Vec<Meter>,
    /// Each battery.
    pub batteries: Vec<Battery>,
    /// What was asked for in vain in this poll.
    pub notes: Vec<Note>,
}

/// More about one report of one inverter. Each value is `None` where the Envoy does not say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// The end of the interval, in Unix seconds: that of the report it belongs to.
    pub reported_at: i64,
    /// The length of the interval in seconds.
    pub interval_s: Option<f64>,
    /// Energy of the interval in watt-hours: joules / 3600.
    pub energy_wh: Option<f64>,
    /// All energy of this inverter in watt-hours: joules / 3600.
    pub energy_lifetime_wh: Option<f64>,
    /// Energy since the Envoy's midnight in watt-hours; advisory, as it is not always set back then.
    pub energy_today_wh: Option<f64>,
    /// Voltage towards the grid, in volts.
    pub ac_voltage_v: Option<f64>,
    /// Current towards the grid, in amperes.
    pub ac_current_a: Option<f64>,
    /// Frequency of the grid, in hertz.
    pub ac_frequency_hz: Option<f64>,
    /// Voltage of the panel, in volts.
    pub dc_voltage_v: Option<f64>,
    /// Current of the panel, in amperes.
    pub dc_current_a: Option<f64>,
    /// Temperature of the inverter, in degrees Celsius.
    pub temperature_c: Option<f64>,
}

/// Production or consumption.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// When, by the Envoy's clock, in Unix seconds; of a sum the newest report in it.
    pub measured_at: i64,
    /// Power in watts; a production meter shows a few negative ones at night.
    pub power_w: f64,
    /// Energy since the Envoy's midnight in watt-hours; advisory, as it is not always set back then.
    pub energy_today_wh: Option<f64>,
    /// What the Envoy's counter of all energy shows, in watt-hours: it may have been set back, wrap, or show nothing for
    /// minutes after a start. `None` where it is known to be of no use.
    pub energy_lifetime_wh: Option<f64>,
}

/// What is exchanged with the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Net {
    /// When, by the Envoy's clock, in Unix seconds.
    pub measured_at: i64,
    /// Power in watts: + taken from the grid, − given to it.
    pub power_w: f64,
    /// What the Envoy's counter of all energy taken from the grid shows, in watt-hours; see [`Flow`].
    pub energy_imported_wh: Option<f64>,
    /// The same of all energy given to the grid.
    pub energy_exported_wh: Option<f64>,
}

/// One meter, or one phase of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    /// The Envoy's number for it.
    pub eid: u64,
    /// When, by the Envoy's clock, in Unix seconds.
    pub measured_at: i64,
    /// What it measures: `production`, `net-consumption`, `total-consumption`, `storage`, …; made of
    /// `[A-Za-z0-9_-]{1,32}`.
    pub kind: String,
    /// `ph-a`, `ph-b` or `ph-c`; `None` for the whole meter.
    pub phase: Option<&'static str>,
    /// Real power in watts, + towards the switchboard (production, import, discharge).
    pub power_w: Option<f64>,
    /// Reactive power in var.
    pub reactive_power_var: Option<f64>,
    /// Apparent power in volt-amperes.
    pub apparent_power_va: Option<f64>,
    /// Voltage in volts; of a whole meter the sum of its phases.
    pub voltage_v: Option<f64>,
    /// Current in amperes.
    pub current_a: Option<f64>,
    /// Frequency in hertz.
    pub frequency_hz: Option<f64>,
    /// Power factor, −1 to 1.
    pub power_factor: Option<f64>,
    /// All energy towards the switchboard in watt-hours.
    pub energy_delivered_wh: Option<f64>,
    /// All energy away from it in watt-hours; slightly negative on some firmwares.
    pub energy_received_wh: Option<f64>,
}

/// One battery, or all AC batteries together.
#[derive(Clone, Debug, PartialEq)]
pub struct Battery {
    /// Its serial, `[A-Za-z0-9_-]{1,32}`; `acb` for all AC batteries, of which the Envoy gives only the sum.
    pub serial: String,
    /// When, by the Envoy's clock, in Unix seconds.
    pub measured_at: i64,
    /// `encharge` or `acb`.
    pub kind: &'static str,
    /// State of charge in per cent, 0 to 100.
    pub state_of_charge_pct: Option<f64>,
    /// Power in watts: + discharging, − charging.
    pub power_w: Option<f64>,
    /// How much it holds when full, in watt-hours.
    pub energy_capacity_wh: Option<f64>,
    /// Temperature in degrees Celsius.
    pub temperature_c: Option<f64>,
    /// What it says that it does, such as `charging`; made of `[A-Za-z0-9_-]{1,32}`.
    pub state: Option<String>,
}

/// An endpoint that was asked in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its path.
    pub endpoint: &'static str,
    /// What kind of failure it is.
    pub failure: Failure,
    /// The status of the answer, where one came that said no.
    pub status: Option<u16>,
    /// What happened, for people.
    pub message: String,
}

/// Why an endpoint brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// This Envoy, or who is asking, does not have it: 401, 403, 404, a page or an error instead of data.
    Missing,
    /// No answer in time.
    Slow,
    /// Anything else: it is tried again sooner.
    Broken,
}

impl Failure {
    /// One word for it: `missing`, `slow`, `broken`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Slow => "slow",
            Self::Broken => "broken",
        }
    }
}

impl Poll {
    /// More about this report; none where the Envoy has only the detail of another interval.
    #[must_use]
    pub fn detail(&self, report: &InverterReport) -> Option<&Detail> {
        let detail = self.details.get(&report.serial);
        detail.filter(|detail| detail.reported_at == report.reported_at)
    }
}
