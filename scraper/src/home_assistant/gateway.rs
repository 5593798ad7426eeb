//! The device of the gateway: itself, and the site that it measures.

use wire::GatewayState;

use super::Topics;
use super::device::{Announcement, Availability, Component, Device, Quantity};

/// What is known of the whole site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Site {
    /// Nothing.
    #[default]
    Unknown,
    /// Its power.
    Power,
    /// Its energy, too: its inverters have counters, or a meter of production has.
    Energy,
}

/// What the gateway measures besides its inverters; each was seen in a reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measures {
    /// What it says of the site.
    pub site: Site,
    /// What the site uses.
    pub consumption: bool,
    /// What comes from the grid and goes to it.
    pub net: bool,
}

/// The device of the gateway.
#[must_use]
pub fn announcement(topics: &Topics, gateway: &GatewayState, measures: Measures) -> Announcement {
    let device = Device {
        identifiers: [topics.gateway_id()],
        name: format!("Envoy {}", gateway.envoy),
        manufacturer: "Enphase",
        model: "Envoy".to_owned(),
        model_id: gateway.part_number.clone(),
        serial_number: gateway.envoy.to_string(),
        sw_version: (!gateway.firmware.is_empty()).then(|| gateway.firmware.clone()),
        // Anything else has Home Assistant refuse the whole device.
        configuration_url: Some(gateway.address.clone())
            .filter(|address| address.starts_with("http")),
        ..Device::default()
    };
    let announcement = site(Announcement::new(device, topics), topics, measures);
    diagnostics(announcement, topics)
}

/// What the site does now, and has done.
fn site(mut announcement: Announcement, topics: &Topics, measures: Measures) -> Announcement {
    let now = || vec![Availability::scraper(topics), Availability::envoy(topics)];
    let power = |name: &str, topic| {
        Component::sensor(name, Quantity::POWER, topics.of(topic), "power_w").available(now())
    };
    let energy =
        |name: &str, topic, key| Component::sensor(name, Quantity::ENERGY, topics.of(topic), key);
    if measures.site >= Site::Power {
        announcement = announcement.with("site_power", power("Solar power", "site"));
    }
    if measures.site >= Site::Energy {
        announcement = announcement
            .with(
                "site_energy_today",
                energy("Solar energy today", "site", "energy_today_wh"),
            )
            .with(
                "site_energy_lifetime",
                energy("Solar energy", "site", "energy_lifetime_wh"),
            );
    }
    if measures.consumption {
        announcement = announcement
            .with("consumption_power", power("Consumption", "consumption"))
            .with(
                "consumption_energy_today",
                energy("Energy used today", "consumption", "energy_today_wh"),
            )
            .with(
                "consumption_energy_lifetime",
                energy("Energy used", "consumption", "energy_lifetime_wh"),
            );
    }
    if measures.net {
        announcement = announcement
            .with("net_power", power("Grid power", "net"))
            .with(
                "net_energy_imported",
                energy("Energy from the grid", "net", "energy_imported_wh"),
            )
            .with(
                "net_energy_exported",
                energy("Energy to the grid", "net", "energy_exported_wh"),
            );
    }
    announcement
}

/// How the gateway does.
fn diagnostics(announcement: Announcement, topics: &Topics) -> Announcement {
    let sensor = |name, quantity, topic, key| {
        Component::sensor(name, quantity, topics.of(topic), key).diagnostic()
    };
    announcement
        .with(
            "connectivity",
            Component::binary(
                "Connection",
                "connectivity",
                topics.of("gateway"),
                "value_json.get('reachable', true)",
            )
            .diagnostic()
            .attributes("{{ {'problem': value_json.get('problem')} | tojson }}"),
        )
        .with(
            "inverters_reporting",
            sensor(
                "Inverters reporting",
                Quantity::COUNT,
                "health",
                "reporting",
            )
            .icon("mdi:solar-panel"),
        )
        .with(
            "inverters_silent",
            sensor("Inverters silent", Quantity::COUNT, "health", "silent")
                .icon("mdi:solar-panel-large"),
        )
        .with(
            "firmware",
            sensor("Firmware", Quantity::TEXT, "gateway", "firmware").icon("mdi:chip"),
        )
        .with(
            "last_poll",
            sensor(
                "Last successful poll",
                Quantity::TIME,
                "gateway",
                "last_poll_at",
            ),
        )
        .with(
            "token_expiry",
            sensor(
                "Token expiry",
                Quantity::TIME,
                "gateway",
                "token_expires_at",
            ),
        )
        .with(
            "clock_skew",
            sensor("Clock skew", Quantity::DURATION, "gateway", "clock_skew_s").disabled(),
        )
}
