//! Who publishes, and the messages that it publishes.

use std::time::Duration;

use mqtt::Message;
use wire::{Announcement, BaseTopic, GatewayState, InstanceId, Serial, Status, Topic};

use crate::outbox::Outgoing;

/// The scraper of one Envoy at one broker.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The Envoy whose readings these are.
    pub(crate) envoy: Serial,
    /// The first part of every topic.
    pub(crate) base: BaseTopic,
    /// This process: random, so that its own announcements can be told from another's.
    pub(crate) instance: InstanceId,
    /// The longest time between two announcements.
    pub(crate) announce_every: Duration,
}

impl Identity {
    /// The topics to listen to: where our announcement comes back, and what the plain topics hold.
    pub(crate) fn own_filters(&self) -> [String; 2] {
        let envoy = self.envoy.clone();
        [
            Topic::Journal { envoy }.render(&self.base),
            self.base.inverters_of_filter(&self.envoy),
        ]
    }

    /// Whether the scraper is there. `Offline` is also its last will.
    pub(crate) fn status(&self, status: Status) -> Message {
        let envoy = self.envoy.clone();
        self.retained(&Topic::EnvoyStatus { envoy }, status.encode().to_owned())
    }

    /// What the scraper holds.
    pub(crate) fn announcement(&self, announcement: &Announcement) -> Message {
        let envoy = self.envoy.clone();
        self.retained(&Topic::Journal { envoy }, announcement.encode())
    }

    /// The gateway as it is now.
    pub(crate) fn gateway(&self, gateway: &GatewayState) -> Message {
        let envoy = self.envoy.clone();
        self.retained(&Topic::Gateway { envoy }, gateway.encode())
    }

    /// A reading, plain or late.
    pub(crate) fn reading(&self, outgoing: &Outgoing) -> Message {
        Message {
            topic: outgoing.topic().render(&self.base),
            payload: outgoing.reading.encode().into(),
            retain: outgoing.plain,
        }
    }

    fn retained(&self, topic: &Topic, payload: String) -> Message {
        Message {
            topic: topic.render(&self.base),
            payload: payload.into(),
            retain: true,
        }
    }
}
