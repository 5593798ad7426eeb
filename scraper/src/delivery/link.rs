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

use tokio::time::Instant;
use wire::{
    Announcement, BaseTopic, InstanceId, JournalId, JournalSpan, Reading, ReplayRequest,
    ReportTime, Subject, Topic,
};

/// How long the echo of an announcement may take once the broker has acknowledged it. Mosquitto sends
/// both in one go; counted from the acknowledgement, because a dead network is not a missing right.
const ECHO: Duration = Duration::from_secs(10);

/// Plain topics whose state is taken note of: twice the devices of one Envoy. A broker may show any number, and whoever
/// may publish there may have it do so.
pub const MOST_HELD: usize = 4_096;

/// What is known of a connection.
#[derive(Debug, Default)]
pub struct Link {
    /// What the plain topics hold, as far as the broker has shown us.
    held: HashMap<Subject, ReportTime>,
    /// Whether it has shown more than there is room for.
    is_full: bool,
    /// The announcement that is out and whose echo is awaited, by its number.
    awaited: Option<u64>,
    /// Until when, once the broker has acknowledged it.
    deadline: Option<Instant>,
    ready: bool,
    proven: bool,
}

/// A message on a topic that we listen to.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a [u8],
    /// Whether the broker had kept it.
    pub retain: bool,
}

/// Who listens.
#[derive(Debug, Clone, Copy)]
pub struct Listener<'a> {
    /// The first part of every topic.
    pub base: &'a BaseTopic,
    /// This process.
    pub instance: &'a InstanceId,
    /// The journals that it holds.
    pub journals: &'a [JournalSpan],
}

/// What a message on one of our own topics means.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// The first echo of this connection, before anything else was published: we may publish.
    Echo,
    /// An echo after one was missed: what was sent since the last one may have been dropped.
    LateEcho,
    /// A further echo: what went out before its announcement has arrived.
    FurtherEcho,
    /// Another scraper announces itself for this Envoy.
    AnotherScraper(InstanceId),
    /// The id of this journal of ours has been used for readings that it does not have: it was restored
    /// from an older copy, or copied for another scraper, and one number could name two readings.
    JournalUsedElsewhere(JournalId),
    /// There are more plain topics than [`MOST_HELD`]: what the further ones hold is not known. Once on a connection.
    TooManyTopics,
    /// A receiver lacks these readings.
    Request(ReplayRequest),
    /// Nothing new.
    Nothing,
}

impl Link {
    /// Whether readings may be published.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether the broker lets us publish, as far as we know.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// Whether an announcement is out whose echo is awaited: until then no other one goes out.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.awaited.is_some()
    }

    /// Until when the echo of the announcement that is out may take.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What the plain topics hold, for each inverter.
    #[must_use]
    pub fn held(&self) -> HashMap<Subject, ReportTime> {
        self.held.clone()
    }

    /// An announcement goes out. No other one of this process has its number.
    pub fn announced(&mut self, number: u64) {
        self.awaited = Some(number);
    }

    /// The broker has acknowledged an announcement. Its echo may have come before, and the next one be
    /// out.
    pub fn acknowledged(&mut self, number: u64, now: Instant) {
        if self.awaited == Some(number) {
            self.deadline = Some(now + ECHO);
        }
    }

    /// The echo did not come in time: publishing begins, or goes on, without the proof. Whether that
    /// is new on this connection.
    #[must_use]
    pub fn missed(&mut self) -> bool {
        self.awaited = None;
        self.deadline = None;
        let was_ready = std::mem::replace(&mut self.ready, true);
        let was_proven = std::mem::replace(&mut self.proven, false);
        was_proven || !was_ready
    }

    /// Takes in a message on one of our own topics.
    pub fn hear(&mut self, message: Message<'_>, us: Listener<'_>) -> Heard {
        let Ok(topic) = Topic::parse(us.base, message.topic) else {
            return Heard::Nothing;
        };
        match &topic {
            Topic::Journal { .. } => match Announcement::decode(message.payload) {
                Ok(announcement) => self.hear_announcement(announcement, message.retain, us),
                Err(_) => Heard::Nothing,
            },
            Topic::Plain { subject, .. } => match Reading::decode(&topic, message.payload) {
                Ok(reading) => self.hold(subject, reading.at()),
                Err(_) => Heard::Nothing,
            },
            // A retained one is of no receiver of ours: they ask again until they are answered.
            Topic::Replay { .. } if !message.retain => {
                ReplayRequest::decode(message.payload).map_or(Heard::Nothing, Heard::Request)
            }
            _ => Heard::Nothing,
        }
    }

    fn hold(&mut self, subject: &Subject, at: ReportTime) -> Heard {
        if self.held.len() < MOST_HELD || self.held.contains_key(subject) {
            self.held.insert(subject.clone(), at);
            return Heard::Nothing;
        }
        if std::mem::replace(&mut self.is_full, true) {
            Heard::Nothing
        } else {
            Heard::TooManyTopics
        }
    }

    /// Only a live announcement is an echo: a retained one may be of any age, and our own from before
    /// a reconnect.
    fn hear_announcement(
        &mut self,
        announcement: Announcement,
        retained: bool,
        us: Listener<'_>,
    ) -> Heard {
        if announcement.instance == *us.instance {
            return if retained {
                Heard::Nothing
            } else {
                self.echo()
            };
        }
        // Before our own echo a live one may be the last word of the process before this one, which had
        // the same journal.
        let live = !retained && self.proven;
        for span in &announcement.journals {
            let ours = us.journals.iter().find(|ours| ours.id() == span.id());
            if ours.is_some_and(|ours| live || span.last() > ours.last()) {
                return Heard::JournalUsedElsewhere(span.id().clone());
            }
        }
        // Before our own echo it may be the last word of the one that we have just thrown out.
        if live {
            return Heard::AnotherScraper(announcement.instance);
        }
        Heard::Nothing
    }

    fn echo(&mut self) -> Heard {
        self.awaited = None;
        self.deadline = None;
        let ready = std::mem::replace(&mut self.ready, true);
        match (std::mem::replace(&mut self.proven, true), ready) {
            (true, _) => Heard::FurtherEcho,
            (false, true) => Heard::LateEcho,
            (false, false) => Heard::Echo,
        }
    }
}

#[cfg(test)]
mod tests;
