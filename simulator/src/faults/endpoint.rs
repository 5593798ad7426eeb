//! What a fault can be bound to.

use std::fmt;

use crate::resource::Resource;

/// One thing that a gateway is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/api/v1/production/inverters`.
    Inverters,
    /// `/ivp/pdm/device_data`.
    DeviceData,
    /// `/api/v1/production`.
    Totals,
    /// `/production.json`, `/production`.
    Production,
    /// `/ivp/meters`.
    Meters,
    /// `/ivp/meters/readings`.
    MeterReadings,
    /// `/ivp/ensemble/inventory`.
    Batteries,
    /// `/ivp/ensemble/power`.
    BatteryPower,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Inverters,
        Self::DeviceData,
        Self::Totals,
        Self::Production,
        Self::Meters,
        Self::MeterReadings,
        Self::Batteries,
        Self::BatteryPower,
    ];

    /// Its name in the plan of a fault.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inverters => "inverters",
            Self::DeviceData => "device-data",
            Self::Totals => "totals",
            Self::Production => "production",
            Self::Meters => "meters",
            Self::MeterReadings => "meter-readings",
            Self::Batteries => "batteries",
            Self::BatteryPower => "battery-power",
        }
    }

    /// All names, for messages.
    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// That which a request asks for.
    pub(crate) fn of(resource: &Resource) -> Option<Self> {
        Some(match resource.name() {
            "api_v1_production_inverters" => Self::Inverters,
            "ivp_pdm_device_data" => Self::DeviceData,
            "api_v1_production" => Self::Totals,
            "production.json" | "production" => Self::Production,
            "ivp_meters" => Self::Meters,
            "ivp_meters_readings" => Self::MeterReadings,
            "ivp_ensemble_inventory" => Self::Batteries,
            "ivp_ensemble_power" => Self::BatteryPower,
            _ => return None,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
