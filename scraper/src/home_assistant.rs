//! What Home Assistant is told, so that it shows the gateway and each inverter without being configured.
//!
//! Home Assistant makes entities out of retained messages on topics of its own: one for each device, with
//! all that the device measures. In reading order: [`device`] is such a message, with a [`quantity`] in each entity and
//! its [`origin`]; [`gateway`], [`inverter`] and [`battery`] say what is in those of ours; [`announcer`] keeps what was
//! told, and says what is to be told now; [`prefixes`] knows where that was ever told, and [`withdrawal`] takes it back
//! where it is not told any more.
//!
//! The unique ids in these messages are what Home Assistant keeps names, rooms and histories by: they never
//! change.

pub mod announcer;
pub mod battery;
pub mod device;
pub mod gateway;
pub mod inverter;
pub mod origin;
pub mod prefixes;
pub mod quantity;
pub mod withdrawal;

pub use announcer::Announcer;
pub use prefixes::Prefixes;
pub use withdrawal::Withdrawal;

use wire::{BaseTopic, Serial, Subject};

/// Where Home Assistant listens for devices unless it was told otherwise.
pub const PREFIX: &str = "homeassistant";

/// The topics that the entities of one Envoy's devices read, and the ids that they have.
#[derive(Debug, Clone)]
pub struct Topics {
    base: BaseTopic,
    envoy: Serial,
    prefix: BaseTopic,
}

impl Topics {
    /// Those of an Envoy's scraper that publishes below `base`, for a Home Assistant that listens below
    /// `prefix`.
    #[must_use]
    pub fn new(base: BaseTopic, envoy: Serial, prefix: BaseTopic) -> Self {
        Self {
            base,
            envoy,
            prefix,
        }
    }

    /// The Envoy.
    #[must_use]
    pub fn envoy(&self) -> &Serial {
        &self.envoy
    }

    /// A topic of the contract, below the Envoy's own: `site`, `inverters/SERIAL`.
    #[must_use]
    pub fn of(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.base, self.envoy)
    }

    /// The retained topic on which a device is announced. `object` is unique among those of an Envoy.
    #[must_use]
    pub fn config(&self, object: &str) -> String {
        format!("{}/device/{}/{object}/config", self.prefix, self.envoy)
    }

    /// The same for what is measured; none where it is no device of its own.
    #[must_use]
    pub fn config_of(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::Inverter(serial) => Some(self.config(serial.as_ref())),
            Subject::Battery(serial) => Some(self.config(&format!("battery_{serial}"))),
            _ => None,
        }
    }

    /// Matches the topics on which the Envoy's devices are announced.
    #[must_use]
    pub fn configs_filter(&self) -> String {
        self.config("+")
    }

    /// Where a word is published to hear it again: the proof that devices may be announced. Home Assistant reads no
    /// device there.
    #[must_use]
    pub fn check(&self) -> String {
        format!("{}/device/{}/check", self.prefix, self.envoy)
    }

    /// Where Home Assistant says that it has started.
    #[must_use]
    pub fn birth(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// What the gateway's device is known by; those below it name it.
    #[must_use]
    pub fn gateway_id(&self) -> String {
        format!("envoy_{}", self.envoy)
    }

    /// What a device below the gateway is known by. The Envoy is part of it: the same inverter may be
    /// listed by two of them.
    #[must_use]
    pub fn device_id(&self, serial: &Serial) -> String {
        format!("envoy_{}_{serial}", self.envoy)
    }
}
