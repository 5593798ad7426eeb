//! Who publishes, and the messages that it publishes.

use std::time::Duration;

use mqtt::Message;
use wire::{BaseTopic, GatewayState, Health, InstanceId, Serial, Status, Topic};

use crate::delivery::{Outgoing, Sender};

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
    /// The topics to listen to: where our announcement comes back, what the plain topics and those of the gateway and
    /// its inverters' health hold, and where receivers ask.
    pub(crate) fn own_filters(&self) -> Vec<String> {
        let envoy = self.envoy.clone();
        let mut filters = self.base.plain_filters_of(&self.envoy);
        let gateway = Topic::Gateway {
            envoy: envoy.clone(),
        };
        let health = Topic::Health {
            envoy: envoy.clone(),
        };
        filters.extend([gateway, health].map(|topic| topic.render(&self.base)));
        filters.push(Topic::Journal { envoy }.render(&self.base));
        filters.push(self.base.replays_of_filter(&self.envoy));
        filters
    }

    /// Whether the scraper is there. `Offline` is also its last will.
    pub(crate) fn status(&self, status: Status) -> Message {
        let envoy = self.envoy.clone();
        self.retained(&Topic::EnvoyStatus { envoy }, status.encode().to_owned())
    }

    /// The gateway as it is now.
    pub(crate) fn gateway(&self, gateway: &GatewayState) -> Message {
        let envoy = self.envoy.clone();
        self.retained(&Topic::Gateway { envoy }, gateway.encode())
    }

    /// How the inverters do now.
    pub(crate) fn health(&self, health: &Health) -> Message {
        let envoy = self.envoy.clone();
        self.retained(&Topic::Health { envoy }, health.encode())
    }

    /// The message that carries this.
    pub(crate) fn message(&self, outgoing: &Outgoing) -> Message {
        match outgoing {
            Outgoing::Plain(reading) => self.retained(&reading.topic(), reading.encode()),
            Outgoing::Late(reading) | Outgoing::Again(reading) => Message {
                topic: reading.backlog_topic().render(&self.base),
                payload: reading.encode().into(),
                retain: false,
            },
            Outgoing::Announcement(announcement) => {
                let envoy = self.envoy.clone();
                self.retained(&Topic::Journal { envoy }, announcement.encode())
            }
        }
    }

    /// Who this is, for the delivery.
    pub(crate) fn sender(&self) -> Sender {
        Sender {
            base: self.base.clone(),
            instance: self.instance.clone(),
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
