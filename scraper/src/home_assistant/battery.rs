//! The device of a battery.

use wire::Serial;

use super::Topics;
use super::device::{Announcement, Availability, Component, Device, Quantity};

/// The device of a battery of this kind, as the gateway names it.
#[must_use]
pub fn announcement(topics: &Topics, serial: &Serial, kind: &str) -> Announcement {
    let sensor = |name, quantity, key| {
        let topic = topics.of(&format!("batteries/{serial}"));
        Component::sensor(name, quantity, topic, key)
    };
    let device = Device {
        identifiers: [topics.device_id(serial)],
        name: format!("Battery {serial}"),
        manufacturer: "Enphase",
        model: kind.to_owned(),
        serial_number: serial.to_string(),
        via_device: Some(topics.gateway_id()),
        ..Device::default()
    };
    let mut announcement = Announcement::new(device, topics);
    announcement.availability.push(Availability::envoy(topics));
    announcement
        .with(
            "state_of_charge",
            sensor("State of charge", Quantity::CHARGE, "state_of_charge_pct"),
        )
        .with("power", sensor("Power", Quantity::POWER, "power_w"))
        .with(
            "energy_capacity",
            sensor("Capacity", Quantity::CAPACITY, "energy_capacity_wh").diagnostic(),
        )
        .with(
            "temperature",
            sensor("Temperature", Quantity::TEMPERATURE, "temperature_c").diagnostic(),
        )
        .with(
            "state",
            sensor("State", Quantity::TEXT, "state").diagnostic(),
        )
}
