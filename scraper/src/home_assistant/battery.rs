//! The device of a battery.

use std::collections::BTreeSet;

use wire::{Battery, Serial};

use super::Topics;
use super::device::{Announcement, Availability, Component, Device};
use super::quantity::Quantity;

// The keys of its entities.
const CHARGE: &str = "state_of_charge";
const POWER: &str = "power";
const CAPACITY: &str = "energy_capacity";
const TEMPERATURE: &str = "temperature";
const STATE: &str = "state";

/// What the device of a battery is made of: no gateway says all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatteryFacts {
    /// The kind, as the gateway names it.
    kind: String,
    /// The keys of the entities whose values are known, or ever were.
    told: BTreeSet<&'static str>,
}

impl BatteryFacts {
    /// Those that a reading carries.
    #[must_use]
    pub fn of(battery: &Battery) -> Self {
        let told = [
            (POWER, battery.power_w.is_some()),
            (CAPACITY, battery.energy_capacity_wh.is_some()),
            (TEMPERATURE, battery.temperature_c.is_some()),
            (STATE, battery.state.is_some()),
        ];
        let told = told.into_iter().filter(|(_, is_known)| *is_known);
        Self {
            kind: battery.kind.to_string(),
            // There is none without it; it may be unknown for a while.
            told: told.map(|(key, _)| key).chain([CHARGE]).collect(),
        }
    }

    /// These and those that were known before: what was known once stays announced.
    #[must_use]
    pub fn and(mut self, before: &Self) -> Self {
        self.told.extend(&before.told);
        self
    }
}

/// The device of a battery.
#[must_use]
pub fn announcement(topics: &Topics, serial: &Serial, facts: &BatteryFacts) -> Announcement {
    let sensor = |name, quantity, key| {
        let topic = topics.of(&format!("batteries/{serial}"));
        Component::sensor(name, quantity, topic, key)
    };
    let device = Device {
        identifiers: [topics.device_id(serial)],
        name: format!("Battery {serial}"),
        manufacturer: "Enphase",
        model: facts.kind.clone(),
        serial_number: serial.to_string(),
        via_device: Some(topics.gateway_id()),
        ..Device::default()
    };
    let mut announcement = Announcement::new(device, topics);
    let path = format!("batteries/{serial}");
    announcement
        .availability
        .push(Availability::current(topics, &path));
    let entities = [
        (
            CHARGE,
            sensor("State of charge", Quantity::CHARGE, "state_of_charge_pct"),
        ),
        (POWER, sensor("Power", Quantity::POWER, "power_w")),
        (
            CAPACITY,
            sensor("Capacity", Quantity::CAPACITY, "energy_capacity_wh").diagnostic(),
        ),
        (
            TEMPERATURE,
            sensor("Temperature", Quantity::TEMPERATURE, "temperature_c").diagnostic(),
        ),
        (STATE, sensor("State", Quantity::TEXT, "state").diagnostic()),
    ];
    for (key, entity) in entities {
        if facts.told.contains(key) {
            announcement = announcement.with(key, entity);
        }
    }
    announcement
}
