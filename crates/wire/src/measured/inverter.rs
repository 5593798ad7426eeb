//! A report of one inverter.

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::name::{JournalId, Serial};
use crate::quantity::Quantity;
use crate::reading::{Place, seq};
use crate::time::ReportTime;

/// What one inverter has reported.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "InverterPayload")]
pub struct Inverter {
    /// The inverter's serial number.
    pub serial: Serial,
    /// When the inverter reported, by the gateway's clock: the end of the interval that the report
    /// covers.
    pub reported_at: ReportTime,
    /// The gateway's number for the kind of device (1: inverter, 11: AC battery);
    /// firmware before 4.10 does not say it.
    pub device_type: Option<u32>,
    /// Average power over the report interval, in watts; some inverters use a little at night,
    /// which is negative.
    pub power_w: i32,
    /// The highest power that the gateway has on record for this inverter, in watts.
    pub peak_power_w: i32,
    /// What the gateway says beyond that; most firmware says nothing.
    #[serde(flatten)]
    pub detail: Option<Detail>,
}

impl Inverter {
    /// The gateway's number for AC batteries, which it lists among the inverters.
    pub const AC_BATTERY: u32 = 11;

    /// Whether it is an AC battery: what that gives is no production, and it sleeps when it likes.
    #[must_use]
    pub fn is_ac_battery(&self) -> bool {
        self.device_type == Some(Self::AC_BATTERY)
    }
}

/// What some gateways say of an inverter beyond its power (`/ivp/pdm/device_data`). What is unknown
/// is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Detail {
    /// The length of the report interval, in seconds.
    pub interval_s: Option<Quantity>,
    /// What was produced in that interval, in watt-hours (the gateway's joules / 3600).
    pub energy_wh: Option<Quantity>,
    /// What was produced since the inverter was made, in watt-hours.
    pub energy_lifetime_wh: Option<Quantity>,
    /// What was produced since midnight where the gateway is, in watt-hours.
    pub energy_today_wh: Option<Quantity>,
    /// Voltage at the grid's side, in volts.
    pub ac_voltage_v: Option<Quantity>,
    /// Current at the grid's side, in amperes.
    pub ac_current_a: Option<Quantity>,
    /// Frequency of the grid, in hertz.
    pub ac_frequency_hz: Option<Quantity>,
    /// Voltage of the panel, in volts.
    pub dc_voltage_v: Option<Quantity>,
    /// Current of the panel, in amperes.
    pub dc_current_a: Option<Quantity>,
    /// Temperature of the inverter, in degrees Celsius.
    pub temperature_c: Option<Quantity>,
}

/// As it is in JSON: the detail is there as a group or not at all, and a key of it that is missing
/// means the same as `null`.
///
/// With what makes it a reading, where that is there.
#[derive(Deserialize)]
pub(crate) struct InverterPayload {
    serial: Serial,
    reported_at: ReportTime,
    device_type: Option<u32>,
    power_w: i32,
    peak_power_w: i32,
    #[serde(default, deserialize_with = "known")]
    interval_s: Key,
    #[serde(default, deserialize_with = "known")]
    energy_wh: Key,
    #[serde(default, deserialize_with = "known")]
    energy_lifetime_wh: Key,
    #[serde(default, deserialize_with = "known")]
    energy_today_wh: Key,
    #[serde(default, deserialize_with = "known")]
    ac_voltage_v: Key,
    #[serde(default, deserialize_with = "known")]
    ac_current_a: Key,
    #[serde(default, deserialize_with = "known")]
    ac_frequency_hz: Key,
    #[serde(default, deserialize_with = "known")]
    dc_voltage_v: Key,
    #[serde(default, deserialize_with = "known")]
    dc_current_a: Key,
    #[serde(default, deserialize_with = "known")]
    temperature_c: Key,
    envoy: Option<Serial>,
    journal: Option<JournalId>,
    #[serde(default, deserialize_with = "some_seq")]
    seq: Option<u64>,
}

fn some_seq<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    seq(deserializer).map(Some)
}

impl InverterPayload {
    /// Where the reading is, if it is one.
    pub(crate) fn place<E: Error>(&self) -> Result<Place, E> {
        let missing = E::missing_field;
        Ok(Place {
            envoy: self.envoy.clone().ok_or_else(|| missing("envoy"))?,
            journal: self.journal.clone().ok_or_else(|| missing("journal"))?,
            seq: self.seq.ok_or_else(|| missing("seq"))?,
        })
    }
}

/// A key that may be missing, with a value that may be unknown.
#[derive(Default)]
enum Key {
    #[default]
    Missing,
    There(Option<Quantity>),
}

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
    Option::deserialize(deserializer).map(Key::There)
}

impl Key {
    fn take(self, is_there: &mut bool) -> Option<Quantity> {
        match self {
            Self::Missing => None,
            Self::There(value) => {
                *is_there = true;
                value
            }
        }
    }
}

impl From<InverterPayload> for Inverter {
    fn from(payload: InverterPayload) -> Self {
        let mut is_there = false;
        let detail = Detail {
            interval_s: payload.interval_s.take(&mut is_there),
            energy_wh: payload.energy_wh.take(&mut is_there),
            energy_lifetime_wh: payload.energy_lifetime_wh.take(&mut is_there),
            energy_today_wh: payload.energy_today_wh.take(&mut is_there),
            ac_voltage_v: payload.ac_voltage_v.take(&mut is_there),
            ac_current_a: payload.ac_current_a.take(&mut is_there),
            ac_frequency_hz: payload.ac_frequency_hz.take(&mut is_there),
            dc_voltage_v: payload.dc_voltage_v.take(&mut is_there),
            dc_current_a: payload.dc_current_a.take(&mut is_there),
            temperature_c: payload.temperature_c.take(&mut is_there),
        };
        Self {
            serial: payload.serial,
            reported_at: payload.reported_at,
            device_type: payload.device_type,
            power_w: payload.power_w,
            peak_power_w: payload.peak_power_w,
            detail: is_there.then_some(detail),
        }
    }
}
