//! One connection to the broker, from its greeting to its end.
//!
//! Mosquitto acknowledges a publish that its ACL forbids, so neither PUBACK nor SUBACK shows that we
//! may publish. The scraper subscribes to its own topics and then announces its journal; the echo of
//! that announcement is the proof. What came retained before the first echo is what the broker's
//! plain topics hold, so publishing waits for it.
//!
//! Rights can be taken away in the middle of a connection, and given back. So each later
//! announcement has to come back, too: its echo is the proof for what went out before it. Only one
//! is out at a time, because two look alike and the echo of the second must not stand for the first.

use std::collections::HashMap;
use std::time::Duration;

use mqtt::{Connection, Delivery};
use tokio::time::Instant;
use wire::{Announcement, BaseTopic, InstanceId, Reading, ReportTime, Serial, Topic};

/// How long the echo of an announcement may take once the broker has acknowledged it. Mosquitto sends
/// both in one go; counted from the acknowledgement, because a dead network is not a missing right.
const ECHO: Duration = Duration::from_secs(10);

/// A connection and what is known of it.
#[derive(Debug)]
pub(crate) struct Link {
    /// The way to the broker.
    pub(crate) connection: Connection,
    /// What the plain topics hold, as far as the broker has shown us.
    held: HashMap<Serial, ReportTime>,
    /// Whether an announcement is out whose echo is awaited.
    awaited: bool,
    /// Until when, once the broker has acknowledged it.
    deadline: Option<Instant>,
    ready: bool,
    proven: bool,
}

/// What a message on one of our own topics means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The first echo of this connection, before anything else was published: we may publish.
    Echo,
    /// An echo after one was missed: what was sent since the last one may have been dropped.
    LateEcho,
    /// A further echo: what went out before its announcement has arrived.
    FurtherEcho,
    /// Another scraper announces itself for this Envoy.
    AnotherScraper(InstanceId),
    /// Nothing new.
    Nothing,
}

impl Link {
    /// A connection on which the greeting goes out, with its announcement.
    #[must_use]
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            held: HashMap::new(),
            awaited: true,
            deadline: None,
            ready: false,
            proven: false,
        }
    }

    /// Whether readings may be published.
    #[must_use]
    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether the broker lets us publish, as far as we know.
    #[must_use]
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }

    /// Whether an announcement may go out.
    #[must_use]
    pub(crate) fn may_announce(&self) -> bool {
        !self.awaited
    }

    /// Until when the echo of the announcement that is out may take.
    #[must_use]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What the plain topics hold, for each inverter.
    #[must_use]
    pub(crate) fn held(&self) -> HashMap<Serial, ReportTime> {
        self.held.clone()
    }

    /// An announcement goes out.
    pub(crate) fn announced(&mut self) {
        self.awaited = true;
    }

    /// The broker has acknowledged the announcement that is out. Its echo may have come before.
    pub(crate) fn acknowledged(&mut self) {
        if self.awaited {
            self.deadline = Some(Instant::now() + ECHO);
        }
    }

    /// The echo did not come in time: publishing begins, or goes on, without the proof. Whether that
    /// is new on this connection.
    #[must_use]
    pub(crate) fn missed(&mut self) -> bool {
        self.awaited = false;
        self.deadline = None;
        let was_ready = std::mem::replace(&mut self.ready, true);
        let was_proven = std::mem::replace(&mut self.proven, false);
        was_proven || !was_ready
    }

    /// Takes in a message on one of our own topics.
    pub(crate) fn hear(&mut self, delivery: &Delivery, base: &BaseTopic, us: &InstanceId) -> Heard {
        let Ok(topic) = Topic::parse(base, &delivery.topic) else {
            return Heard::Nothing;
        };
        match &topic {
            Topic::Journal { .. } => self.hear_announcement(delivery, us),
            Topic::Inverter { inverter, .. } => {
                if let Ok(reading) = Reading::decode(&topic, &delivery.payload) {
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
        self.awaited = false;
        self.deadline = None;
        let ready = std::mem::replace(&mut self.ready, true);
        match (std::mem::replace(&mut self.proven, true), ready) {
            (true, _) => Heard::FurtherEcho,
            (false, true) => Heard::LateEcho,
            (false, false) => Heard::Echo,
        }
    }
}
