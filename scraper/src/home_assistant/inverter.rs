//! The device of an inverter, or of an AC battery that the gateway lists among them.

use wire::Serial;

use super::Topics;
use super::announcer::InverterFacts;
use super::device::{Announcement, Availability, Component, Device};
use super::quantity::Quantity;

/// The device of an inverter.
#[must_use]
pub fn announcement(topics: &Topics, serial: &Serial, facts: &InverterFacts) -> Announcement {
    let (kind, model) = if facts.is_ac_battery {
        ("AC Battery", "AC Battery")
    } else {
        ("Inverter", "Microinverter")
    };
    let topic = || topics.of(&format!("inverters/{serial}"));
    let sensor = |name, quantity, key| Component::sensor(name, quantity, topic(), key);
    let device = Device {
        identifiers: [topics.device_id(serial)],
        name: facts
            .name
            .clone()
            .unwrap_or_else(|| format!("{kind} {serial}")),
        manufacturer: "Enphase",
        model: model.to_owned(),
        serial_number: serial.to_string(),
        via_device: Some(topics.gateway_id()),
        ..Device::default()
    };
    // A value that is hours old is never shown as the current one: the gateway repeats the last report of an
    // inverter for ever.
    let fresh = |envoy: Availability| {
        let mut available = vec![Availability::scraper(topics), envoy];
        // Those are not judged. Of an inverter that nobody judges, nobody knows that its value is of now.
        if !facts.is_ac_battery {
            let condition = format!(
                "(value_json.get('inverters') or {{}}).get('{serial}', {{}}).get('fresh', false)"
            );
            available.push(Availability::when(topics.of("health"), &condition));
        }
        available
    };
    let now = || fresh(Availability::envoy(topics));
    let announcement = Announcement::new(device, topics)
        .with(
            "power",
            sensor("Power", Quantity::POWER, "power_w").available(now()),
        )
        .with(
            "peak_power",
            sensor("Peak power", Quantity::POWER, "peak_power_w").diagnostic(),
        )
        .with(
            "reported_at",
            sensor("Last report", Quantity::TIME, "reported_at").diagnostic(),
        );
    let announcement = if facts.is_ac_battery {
        // Those are not judged.
        announcement
    } else {
        judged(announcement, topics, serial)
    };
    if facts.detail {
        let today = fresh(Availability::of_today(topics, serial));
        detailed(announcement, &sensor, now, today)
    } else {
        announcement
    }
}

/// What the gateway knows of it beyond its power.
fn detailed(
    announcement: Announcement,
    sensor: &impl Fn(&'static str, Quantity, &'static str) -> Component,
    now: impl Fn() -> Vec<Availability>,
    today: Vec<Availability>,
) -> Announcement {
    let seldom = |name, quantity, key| {
        let sensor = sensor(name, quantity, key).available(now());
        sensor.diagnostic().disabled()
    };
    announcement
        .with(
            "energy_today",
            sensor("Energy today", Quantity::ENERGY_OF_A_DAY, "energy_today_wh").available(today),
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

/// How it does beside the others, from what is said of all of them.
fn judged(announcement: Announcement, topics: &Topics, serial: &Serial) -> Announcement {
    let sensor = |name, quantity, key| {
        let value =
            format!("(value_json.get('inverters') or {{}}).get('{serial}', {{}}).get('{key}')");
        Component::of(name, quantity, topics.of("health"), &value)
            .available(vec![
                Availability::scraper(topics),
                Availability::envoy(topics),
            ])
            .diagnostic()
    };
    announcement
        .with("condition", sensor("Condition", Quantity::TEXT, "state"))
        .with(
            "relative_output",
            sensor(
                "Output relative to the others",
                Quantity::SHARE,
                "relative_output_pct",
            )
            .disabled(),
        )
}
