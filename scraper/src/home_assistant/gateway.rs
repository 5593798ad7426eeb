//! The device of the gateway: itself, and the site that it measures.

use wire::{GatewayState, Serial};

use super::Topics;
use super::device::{Announcement, Availability, Component, Device};
use super::quantity::Quantity;

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

/// What the gateway measures besides its inverters, and has; each was seen once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measures {
    /// What it says of the site.
    pub site: Site,
    /// What the site uses.
    pub consumption: bool,
    /// What comes from the grid and goes to it.
    pub net: bool,
    /// The meter of its batteries.
    pub storage: Option<Serial>,
    /// A token that ends at some time: from firmware 7 on.
    pub token: bool,
}

/// The device of the gateway.
#[must_use]
pub fn announcement(topics: &Topics, gateway: &GatewayState, measures: &Measures) -> Announcement {
    let device = Device {
        identifiers: [topics.gateway_id()],
        name: format!("Envoy {}", gateway.envoy),
        manufacturer: "Enphase",
        model: "Envoy".to_owned(),
        model_id: gateway.part_number.clone(),
        serial_number: gateway.envoy.to_string(),
        sw_version: gateway.firmware.clone(),
        // Anything else has Home Assistant refuse the whole device.
        configuration_url: gateway
            .address
            .clone()
            .filter(|address| address.starts_with("http")),
        ..Device::default()
    };
    let announcement = site(Announcement::new(device, topics), topics, measures);
    diagnostics(announcement, topics, measures)
}

/// What the site does now, and has done.
fn site(mut announcement: Announcement, topics: &Topics, measures: &Measures) -> Announcement {
    // A counter stays what it was while it can't be read; a power, or what was made today, does not.
    let now = |topic: &str| {
        vec![
            Availability::scraper(topics),
            Availability::current(topics, topic),
        ]
    };
    let power = |name: &str, topic| {
        Component::sensor(name, Quantity::POWER, topics.of(topic), "power_w").available(now(topic))
    };
    let energy = |name: &str, topic: &str, key| {
        Component::sensor(name, Quantity::ENERGY, topics.of(topic), key)
    };
    let today = |name: &str, topic: &str| {
        Component::sensor(
            name,
            Quantity::ENERGY_OF_A_DAY,
            topics.of(topic),
            "energy_today_wh",
        )
        .available(now(topic))
    };
    if measures.site >= Site::Power {
        announcement = announcement.with("site_power", power("Solar power", "site"));
    }
    if measures.site >= Site::Energy {
        announcement = announcement
            .with("site_energy_today", today("Solar energy today", "site"))
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
                today("Energy used today", "consumption"),
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
    if let Some(meter) = &measures.storage {
        // As of each meter, what is delivered goes towards the switchboard.
        let topic = format!("meters/{meter}");
        announcement = announcement
            .with(
                "storage_energy_discharged",
                energy("Energy from the battery", &topic, "energy_delivered_wh"),
            )
            .with(
                "storage_energy_charged",
                energy("Energy to the battery", &topic, "energy_received_wh"),
            );
    }
    announcement
}

/// How the gateway does.
fn diagnostics(announcement: Announcement, topics: &Topics, measures: &Measures) -> Announcement {
    let sensor = |name, quantity, topic, key| {
        Component::sensor(name, quantity, topics.of(topic), key).diagnostic()
    };
    let announcement = announcement
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
            "clock_skew",
            sensor("Clock skew", Quantity::DURATION, "gateway", "clock_skew_s").disabled(),
        );
    if !measures.token {
        return announcement;
    }
    let expiry = sensor(
        "Token expiry",
        Quantity::TIME,
        "gateway",
        "token_expires_at",
    );
    announcement.with("token_expiry", expiry)
}
