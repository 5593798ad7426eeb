//! The device of an inverter.

use wire::Serial;

use super::Topics;
use super::device::{Announcement, Availability, Component, Device, Quantity};

/// The device of an inverter. `name` is what its owner calls it; with `detail` its readings carry what newer
/// firmware measures besides its power.
#[must_use]
pub fn announcement(
    topics: &Topics,
    serial: &Serial,
    name: Option<&str>,
    detail: bool,
) -> Announcement {
    let topic = || topics.of(&format!("inverters/{serial}"));
    let sensor = |name, quantity, key| Component::sensor(name, quantity, topic(), key);
    let device = Device {
        identifiers: [topics.device_id(serial)],
        name: name.map_or_else(|| format!("Inverter {serial}"), str::to_owned),
        manufacturer: "Enphase",
        model: "Microinverter".to_owned(),
        serial_number: serial.to_string(),
        via_device: Some(topics.gateway_id()),
        ..Device::default()
    };
    // A value that is hours old is never shown as the current one: the gateway repeats the last report of an
    // inverter for ever.
    let fresh = || {
        let condition = format!(
            "(value_json.get('inverters') or {{}}).get('{serial}', {{}}).get('fresh', true)"
        );
        vec![
            Availability::scraper(topics),
            Availability::envoy(topics),
            Availability::when(topics.of("health"), &condition),
        ]
    };
    let now = |name, quantity, key| sensor(name, quantity, key).available(fresh());
    let announcement = Announcement::new(device, topics)
        .with("power", now("Power", Quantity::POWER, "power_w"))
        .with(
            "peak_power",
            sensor("Peak power", Quantity::POWER, "peak_power_w").diagnostic(),
        )
        .with(
            "reported_at",
            sensor("Last report", Quantity::TIME, "reported_at").diagnostic(),
        );
    if !detail {
        return announcement;
    }
    let seldom = |name, quantity, key| now(name, quantity, key).diagnostic().disabled();
    announcement
        .with(
            "energy_today",
            sensor("Energy today", Quantity::ENERGY, "energy_today_wh"),
        )
        .with(
            "energy_lifetime",
            sensor("Lifetime energy", Quantity::ENERGY, "energy_lifetime_wh"),
        )
        .with(
            "temperature",
            seldom("Temperature", Quantity::TEMPERATURE, "temperature_c"),
        )
        .with(
            "ac_voltage",
            seldom("AC voltage", Quantity::VOLTAGE, "ac_voltage_v"),
        )
        .with(
            "ac_current",
            seldom("AC current", Quantity::CURRENT, "ac_current_a"),
        )
        .with(
            "ac_frequency",
            seldom("AC frequency", Quantity::FREQUENCY, "ac_frequency_hz"),
        )
        .with(
            "dc_voltage",
            seldom("DC voltage", Quantity::VOLTAGE, "dc_voltage_v"),
        )
        .with(
            "dc_current",
            seldom("DC current", Quantity::CURRENT, "dc_current_a"),
        )
        .with(
            "interval",
            seldom("Report interval", Quantity::DURATION, "interval_s"),
        )
}
