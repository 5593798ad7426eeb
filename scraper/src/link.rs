//! One connection to the broker, from its greeting to its readiness.
//!
//! Mosquitto acknowledges a publish that its ACL forbids, so neither PUBACK nor SUBACK shows that we
//! may publish. The scraper subscribes to its own topics and then announces its journal; the echo of
//! that announcement is the proof. What came retained before the echo is what the broker's plain
//! topics hold, so publishing waits for it.

use std::collections::HashMap;
use std::time::Duration;

use mqtt::{Connection, Delivery};
use tokio::time::Instant;
use wire::{Announcement, BaseTopic, InstanceId, Reading, ReportTime, Serial, Topic};

/// How long the echo may take before publishing begins without it.
const ECHO: Duration = Duration::from_secs(10);

/// A connection and what is known of it.
#[derive(Debug)]
pub(crate) struct Link {
    /// The way to the broker.
    pub(crate) connection: Connection,
    /// What the plain topics held before we published on this connection.
    held: HashMap<Serial, ReportTime>,
    /// When publishing begins without the echo; `None` once it has begun.
    deadline: Option<Instant>,
    proven: bool,
}

/// What a message on one of our own topics means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The first echo of this connection: we may publish.
    Echo {
        /// Whether publishing had begun without it, so that what was sent may have been dropped.
        late: bool,
    },
    /// Another scraper announces itself for this Envoy.
    AnotherScraper(InstanceId),
    /// Nothing new.
    Nothing,
}

impl Link {
    /// A connection on which the greeting has just begun.
    #[must_use]
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            held: HashMap::new(),
            deadline: Some(Instant::now() + ECHO),
            proven: false,
        }
    }

    /// Whether readings may be published.
    #[must_use]
    pub(crate) fn is_ready(&self) -> bool {
        self.deadline.is_none()
    }

    /// Whether the broker has shown that it lets us publish.
    #[must_use]
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }

    /// When publishing begins without the echo; `None` once it has begun.
    #[must_use]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What the plain topics held before we published on this connection, for each inverter.
    #[must_use]
    pub(crate) fn held(&self) -> HashMap<Serial, ReportTime> {
        self.held.clone()
    }

    /// Begins publishing, with the echo or without.
    pub(crate) fn begin(&mut self) {
        self.deadline = None;
    }

    /// Takes in a message on one of our own topics.
    pub(crate) fn hear(&mut self, delivery: &Delivery, base: &BaseTopic, us: &InstanceId) -> Heard {
        let Ok(topic) = Topic::parse(base, &delivery.topic) else {
            return Heard::Nothing;
        };
        match &topic {
            Topic::Journal { .. } => self.hear_announcement(delivery, us),
            Topic::Inverter { inverter, .. } => {
                if !self.is_ready()
                    && delivery.retain
                    && let Ok(reading) = Reading::decode(&topic, &delivery.payload)
                {
                    self.held.insert(inverter.clone(), reading.reported_at);
                }
                Heard::Nothing
            }
            _ => Heard::Nothing,
        }
    }

    /// Only a live announcement tells anything: a retained one may be of any age, and our own from
    /// before a reconnect.
    fn hear_announcement(&mut self, delivery: &Delivery, us: &InstanceId) -> Heard {
        let Ok(announcement) = Announcement::decode(&delivery.payload) else {
            return Heard::Nothing;
        };
        if delivery.retain {
            return Heard::Nothing;
        }
        if announcement.instance != *us {
            // Before our own echo it may be the last word of the one that we have just thrown out.
            return if self.proven {
                Heard::AnotherScraper(announcement.instance)
            } else {
                Heard::Nothing
            };
        }
        if std::mem::replace(&mut self.proven, true) {
            return Heard::Nothing;
        }
        let late = self.is_ready();
        self.begin();
        Heard::Echo { late }
    }
}
