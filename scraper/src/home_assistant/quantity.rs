//! Kinds of quantities, as Home Assistant knows them.

/// What kind of quantity a sensor shows: class, unit and digits belong together, and Home Assistant refuses
/// a unit that its class does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub(super) device_class: Option<&'static str>,
    pub(super) state_class: Option<&'static str>,
    pub(super) unit: Option<&'static str>,
    pub(super) precision: Option<u8>,
    /// It is shown in thousands of what the payload has.
    pub(super) in_thousands: bool,
}

impl Quantity {
    const fn measured(class: &'static str, unit: &'static str, precision: u8) -> Self {
        Self {
            device_class: Some(class),
            state_class: Some("measurement"),
            unit: Some(unit),
            precision: Some(precision),
            in_thousands: false,
        }
    }

    /// Watts.
    pub const POWER: Self = Self::measured("power", "W", 0);
    /// Volts.
    pub const VOLTAGE: Self = Self::measured("voltage", "V", 1);
    /// Amperes.
    pub const CURRENT: Self = Self::measured("current", "A", 2);
    /// Hertz.
    pub const FREQUENCY: Self = Self::measured("frequency", "Hz", 2);
    /// Degrees Celsius.
    pub const TEMPERATURE: Self = Self::measured("temperature", "°C", 0);
    /// How full a battery is, in percent.
    pub const CHARGE: Self = Self::measured("battery", "%", 0);
    /// Kilowatt-hours, of a counter of watt-hours that only rises.
    pub const ENERGY: Self = Self {
        device_class: Some("energy"),
        state_class: Some("total_increasing"),
        unit: Some("kWh"),
        precision: Some(1),
        in_thousands: true,
    };
    /// Kilowatt-hours, of a counter of watt-hours that begins anew at midnight.
    pub const ENERGY_OF_A_DAY: Self = Self {
        precision: Some(2),
        ..Self::ENERGY
    };
    /// Kilowatt-hours that something holds, of watt-hours.
    pub const CAPACITY: Self = Self {
        in_thousands: true,
        ..Self::measured("energy_storage", "kWh", 1)
    };
    /// A moment.
    pub const TIME: Self = Self {
        device_class: Some("timestamp"),
        state_class: None,
        unit: None,
        precision: None,
        in_thousands: false,
    };
    /// Seconds.
    pub const DURATION: Self = Self::measured("duration", "s", 0);
    /// A share, in percent.
    pub const SHARE: Self = Self {
        device_class: None,
        ..Self::measured("", "%", 0)
    };
    /// How many.
    pub const COUNT: Self = Self {
        device_class: None,
        state_class: Some("measurement"),
        unit: None,
        precision: None,
        in_thousands: false,
    };
    /// Words.
    pub const TEXT: Self = Self {
        device_class: None,
        state_class: None,
        unit: None,
        precision: None,
        in_thousands: false,
    };
}
