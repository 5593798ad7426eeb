//! The message that announces a device, in the form that Home Assistant reads.
//!
//! <https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload>

use std::collections::BTreeMap;

use serde::Serialize;
use wire::Serial;

use super::Topics;
use super::origin::Origin;
use super::quantity::Quantity;

/// A device, with what it measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// What the device is.
    pub device: Device,
    /// Who announces it.
    pub origin: Origin,
    /// Whether what it says holds, as far as it is the same for all of it. All of them have to say so.
    pub availability: Vec<Availability>,
    availability_mode: &'static str,
    qos: u8,
    /// Its entities, by a key that is unique in the device.
    pub components: BTreeMap<&'static str, Component>,
}

impl Announcement {
    /// A device without entities, available as long as the scraper is connected.
    #[must_use]
    pub fn new(device: Device, topics: &Topics) -> Self {
        Self {
            device,
            origin: Origin::default(),
            availability: vec![Availability::scraper(topics)],
            availability_mode: "all",
            qos: 1,
            components: BTreeMap::new(),
        }
    }

    /// Adds an entity. Its unique id is made of the device's and the key, and so never changes.
    #[must_use]
    pub fn with(mut self, key: &'static str, component: Component) -> Self {
        let unique_id = format!("{}_{key}", self.device.identifiers[0]);
        self.components.insert(
            key,
            Component {
                unique_id,
                ..component
            },
        );
        self
    }

    /// The payload, one line of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self)
            .expect("text and whole numbers under text keys can always be written as JSON")
    }
}

/// What a device is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Device {
    /// What it is known by.
    pub identifiers: [String; 1],
    /// What a person calls it.
    pub name: String,
    /// Who made it.
    pub manufacturer: &'static str,
    /// What kind it is.
    pub model: String,
    /// Its part number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Its serial number.
    pub serial_number: String,
    /// Its firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sw_version: Option<String>,
    /// Where a browser reaches it, with the scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_url: Option<String>,
    /// What the device is known by that it is reached through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_device: Option<String>,
}

/// A topic that says whether something holds: `online` or `offline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Availability {
    topic: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_template: Option<String>,
}

impl Availability {
    /// The scraper is connected.
    #[must_use]
    pub fn scraper(topics: &Topics) -> Self {
        Self {
            topic: topics.of("status"),
            value_template: None,
        }
    }

    /// The Envoy answered at the last poll.
    #[must_use]
    pub fn envoy(topics: &Topics) -> Self {
        Self::when(topics.of("gateway"), "value_json.get('reachable', true)")
    }

    /// What was measured, on a topic with this path below the Envoy's, is so now.
    #[must_use]
    pub fn current(topics: &Topics, path: &str) -> Self {
        let condition = format!(
            "value_json.get('reachable', true) and '{path}' not in value_json.get('stale', [])"
        );
        Self::when(topics.of("gateway"), &condition)
    }

    /// What an inverter says that it made today is of today: at night its last report is of the day before. Home
    /// Assistant hears a topic once for each entity, so that this takes the place of [`envoy`](Self::envoy).
    #[must_use]
    pub fn of_today(topics: &Topics, inverter: &Serial) -> Self {
        let condition = format!(
            "value_json.get('reachable', true) and '{inverter}' not in value_json.get('not_of_today', [])"
        );
        Self::when(topics.of("gateway"), &condition)
    }

    /// A condition, a Jinja expression, holds for the payload of a topic.
    #[must_use]
    pub fn when(topic: String, condition: &str) -> Self {
        Self {
            topic,
            value_template: Some(format!("{{{{ 'online' if {condition} else 'offline' }}}}")),
        }
    }
}

/// An entity: one value of a device. Fields are named as Home Assistant names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Component {
    platform: Platform,
    unique_id: String,
    /// What a person calls it, below its device's name.
    name: String,
    state_topic: String,
    value_template: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_of_measurement: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggested_display_precision: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'static str>,
    #[serde(skip_serializing_if = "is_true")]
    enabled_by_default: Enabled,
    /// In place of the device's, where there are some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    availability: Vec<Availability>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_attributes_topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_attributes_template: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Platform {
    #[default]
    Sensor,
    BinarySensor,
}

/// Whether an entity is there without being switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct Enabled(bool);

impl Default for Enabled {
    fn default() -> Self {
        Self(true)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_true(enabled: &Enabled) -> bool {
    enabled.0
}

impl Component {
    /// A sensor that shows one key of the JSON on a topic. While the key is missing it is unknown; a missing
    /// one would be logged with each message.
    #[must_use]
    pub fn sensor(name: &str, quantity: Quantity, topic: String, key: &str) -> Self {
        Self::of(name, quantity, topic, &format!("value_json.get('{key}')"))
    }

    /// A sensor that shows what a Jinja expression makes of the payload of a topic.
    #[must_use]
    pub fn of(name: &str, quantity: Quantity, topic: String, value: &str) -> Self {
        let value_template = if quantity.in_thousands {
            // Single watt-hours are kept: a small inverter makes a few between two reports.
            format!("{{{{ ({value} / 1000) | round(3) if {value} is number else none }}}}")
        } else {
            format!("{{{{ {value} }}}}")
        };
        Self {
            name: name.to_owned(),
            state_topic: topic,
            value_template,
            device_class: quantity.device_class,
            state_class: quantity.state_class,
            unit_of_measurement: quantity.unit,
            suggested_display_precision: quantity.precision,
            ..Self::default()
        }
    }

    /// A sensor that is on while a condition, a Jinja expression, holds for the payload of a topic.
    #[must_use]
    pub fn binary(name: &str, class: &'static str, topic: String, condition: &str) -> Self {
        Self {
            platform: Platform::BinarySensor,
            name: name.to_owned(),
            state_topic: topic,
            value_template: format!("{{{{ 'ON' if {condition} else 'OFF' }}}}"),
            device_class: Some(class),
            ..Self::default()
        }
    }

    /// It is about how well the device does, not about what it is there for.
    #[must_use]
    pub fn diagnostic(mut self) -> Self {
        self.entity_category = Some("diagnostic");
        self
    }

    /// It is there for those who switch it on.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled_by_default = Enabled(false);
        self
    }

    /// It shows this picture, by its name among the Material Design Icons.
    #[must_use]
    pub fn icon(mut self, icon: &'static str) -> Self {
        self.icon = Some(icon);
        self
    }

    /// It holds where all of these do, in place of the device's.
    #[must_use]
    pub fn available(mut self, availability: Vec<Availability>) -> Self {
        self.availability = availability;
        self
    }

    /// It carries these keys of its topic's payload as attributes.
    #[must_use]
    pub fn attributes(mut self, template: &str) -> Self {
        self.json_attributes_topic = Some(self.state_topic.clone());
        self.json_attributes_template = Some(template.to_owned());
        self
    }
}
