//! The values of each kind by name: stores have them under the same names as payloads do.

use super::{Detail, Measured};
use crate::quantity::Quantity;
use crate::subject::Kind;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A word of few, such as the phase of a meter.
    Word(&'a str),
    /// A measured value.
    Quantity(Quantity),
    /// A whole number: watts of an inverter, its device type, a count of inverters.
    Whole(i64),
    /// It is not known.
    Unknown,
}

impl From<Option<Quantity>> for Value<'_> {
    fn from(quantity: Option<Quantity>) -> Self {
        quantity.map_or(Self::Unknown, Self::Quantity)
    }
}

impl From<Quantity> for Value<'_> {
    fn from(quantity: Quantity) -> Self {
        Self::Quantity(quantity)
    }
}

impl<'a> From<&'a Option<crate::Word>> for Value<'a> {
    fn from(word: &'a Option<crate::Word>) -> Self {
        word.as_ref()
            .map_or(Self::Unknown, |word| Self::Word(word.as_str()))
    }
}

impl Measured {
    /// Of which kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Inverter(_) => Kind::Inverter,
            Self::Site(_) => Kind::Site,
            Self::Production(_) => Kind::Production,
            Self::Consumption(_) => Kind::Consumption,
            Self::Net(_) => Kind::Net,
            Self::Meter(_) => Kind::Meter,
            Self::Battery(_) => Kind::Battery,
        }
    }

    /// The fields in the order of the payload, without the names of envoy and subject and without
    /// the time. An inverter's detail is left out where there is none.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, Value<'_>)> {
        match self {
            Self::Inverter(one) => {
                let device_type = one
                    .device_type
                    .map_or(Value::Unknown, |number| Value::Whole(number.into()));
                let mut fields = vec![
                    ("device_type", device_type),
                    ("power_w", Value::Whole(one.power_w.into())),
                    ("peak_power_w", Value::Whole(one.peak_power_w.into())),
                ];
                if let Some(detail) = &one.detail {
                    fields.extend(detail.fields());
                }
                fields
            }
            Self::Site(site) => vec![
                ("basis", Value::Word(site.basis.as_str())),
                ("power_w", site.power_w.into()),
                ("energy_today_wh", site.energy_today_wh.into()),
                ("energy_lifetime_wh", site.energy_lifetime_wh.into()),
                (
                    "inverters_reporting",
                    Value::Whole(site.inverters_reporting.into()),
                ),
                ("inverters_total", Value::Whole(site.inverters_total.into())),
            ],
            Self::Production(flow) | Self::Consumption(flow) => vec![
                ("power_w", flow.power_w.into()),
                ("energy_today_wh", flow.energy_today_wh.into()),
                ("energy_lifetime_wh", flow.energy_lifetime_wh.into()),
            ],
            Self::Net(net) => vec![
                ("power_w", net.power_w.into()),
                ("energy_imported_wh", net.energy_imported_wh.into()),
                ("energy_exported_wh", net.energy_exported_wh.into()),
            ],
            Self::Meter(meter) => vec![
                ("kind", Value::Word(meter.kind.as_str())),
                ("phase", (&meter.phase).into()),
                ("power_w", meter.power_w.into()),
                ("reactive_power_var", meter.reactive_power_var.into()),
                ("apparent_power_va", meter.apparent_power_va.into()),
                ("voltage_v", meter.voltage_v.into()),
                ("current_a", meter.current_a.into()),
                ("frequency_hz", meter.frequency_hz.into()),
                ("power_factor", meter.power_factor.into()),
                ("energy_delivered_wh", meter.energy_delivered_wh.into()),
                ("energy_received_wh", meter.energy_received_wh.into()),
            ],
            Self::Battery(battery) => vec![
                ("kind", Value::Word(battery.kind.as_str())),
                ("state_of_charge_pct", battery.state_of_charge_pct.into()),
                ("power_w", battery.power_w.into()),
                ("energy_capacity_wh", battery.energy_capacity_wh.into()),
                ("temperature_c", battery.temperature_c.into()),
                ("state", (&battery.state).into()),
            ],
        }
    }
}

impl Detail {
    fn fields(&self) -> [(&'static str, Value<'static>); 10] {
        [
            ("interval_s", self.interval_s.into()),
            ("energy_wh", self.energy_wh.into()),
            ("energy_lifetime_wh", self.energy_lifetime_wh.into()),
            ("energy_today_wh", self.energy_today_wh.into()),
            ("ac_voltage_v", self.ac_voltage_v.into()),
            ("ac_current_a", self.ac_current_a.into()),
            ("ac_frequency_hz", self.ac_frequency_hz.into()),
            ("dc_voltage_v", self.dc_voltage_v.into()),
            ("dc_current_a", self.dc_current_a.into()),
            ("temperature_c", self.temperature_c.into()),
        ]
    }
}
