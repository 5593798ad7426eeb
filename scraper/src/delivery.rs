//! How readings come from the journal to the broker, and none is lost on the way: pure, with the time as
//! an argument.
//!
//! ```text
//!  journal ──┬─ newest of each inverter ─► outbox ──┬─► plain topics, backlog ──► broker
//!            ├─ late ones, by number ─────► outbox ──┘       ▲                       │
//!            └─ asked for again ──────────► replay ──────────┘ at a pace             │
//!                 outbox ◄── PUBACK, then the echo of a later announcement ── link ◄─┘
//! ```
//!
//! The [`outbox`] knows what the broker has yet to be given, the [`replay`] what receivers have asked
//! for; the [`link`] is what is known of the connection. Whoever drives this sends what
//! [`next`](Delivery::next) returns, and tells it what came of it.

pub mod link;
pub mod outbox;
pub mod replay;

mod hearing;
mod pace;
mod sending;

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use wire::{
    BaseTopic, InstanceId, JournalId, JournalSpan, Reading, ReportTime, SET_BACK_S, Subject,
};

use link::Link;
use outbox::Outbox;
use pace::Pace;
use replay::Replay;

pub use hearing::News;
pub use sending::{Outgoing, Ticket};

/// How long plain topics wait for the first answer of the Envoy. The journal of this scraper may know
/// less than what they once showed (it was lost, or put back from a copy); the Envoy knows the newest.
const FIRST_ANSWER: Duration = Duration::from_mins(1);

/// The shortest time between two new ids of a journal on suspicion. Receivers fetch all of it after each,
/// and whoever may ask for readings can raise the suspicion.
const SUSPICION: Duration = Duration::from_mins(10);

/// Where readings are kept.
pub trait Journal {
    /// The journals that are held, the one that is written to first.
    fn spans(&self) -> Vec<JournalSpan>;

    /// A reading that they hold; none when its journal does not hold it (any more), or something else in
    /// its place.
    ///
    /// # Errors
    /// It can't be read for now, or no journal with this id is held (yet, or any more). It is not given
    /// up for that.
    fn reading(&self, journal: &JournalId, seq: u64) -> Result<Option<Reading>, Unreadable>;

    /// Gives a journal another id, for good; its readings keep their numbers. The new id, if the journal
    /// is held.
    fn renew(&self, journal: &JournalId) -> Option<JournalId>;

    /// The id that a journal has now, if it had this one before: by [`renew`](Self::renew), or by itself
    /// after its disk had failed.
    fn successor(&self, journal: &JournalId) -> Option<JournalId>;
}

/// A journal that can't be read for now: its file is being opened again, or its disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal can't be read for now")]
pub struct Unreadable;

/// Who delivers.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The first part of every topic.
    pub base: BaseTopic,
    /// This process: random, so that its own announcements can be told from another's.
    pub instance: InstanceId,
}

/// What the journal knows at the start.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The newest reading of each inverter.
    pub newest: Vec<Reading>,
    /// Below this number of the journal that is written to the broker has all, as far as is known.
    pub delivered_below: u64,
}

/// The delivery of one Envoy's readings to one broker.
#[derive(Debug)]
pub struct Delivery<J> {
    sender: Sender,
    journal: J,
    outbox: Outbox,
    replay: Replay,
    pace: Pace,
    /// When plain topics wait no longer for the first answer of the Envoy.
    opens: Instant,
    link: Option<Link>,
    /// Announcements that went out.
    announcements: u64,
    /// Counts the times that everything was lined up anew. What was sent before counts no more.
    epoch: u64,
    /// Readings and announcements that are not acknowledged yet.
    on_their_way: usize,
    /// Readings sent again on request that are not acknowledged yet.
    again_on_their_way: usize,
    /// The journals that could not be read, and until when they are left alone.
    unreadable: HashMap<JournalId, Instant>,
    /// Since when an announcement is due: something was sent that none has told yet, or time has
    /// passed.
    unannounced: Option<Instant>,
    /// Readings given up since that was asked for.
    given_up: u64,
    /// When a journal was last given a new id.
    renewed: Option<Instant>,
}

impl<J: Journal> Delivery<J> {
    /// A delivery that begins at `now`, without a connection.
    pub fn new(sender: Sender, journal: J, beginning: Beginning, now: Instant) -> Self {
        let mut outbox = Outbox::new(beginning.newest);
        if let Some(span) = journal.spans().first() {
            let unproven = beginning.delivered_below.max(span.first())..=span.last();
            outbox.has_yet_to_send(span.id(), unproven);
        }
        Self {
            sender,
            outbox,
            journal,
            replay: Replay::default(),
            pace: Pace::new(now),
            opens: now + FIRST_ANSWER,
            link: None,
            announcements: 0,
            epoch: 0,
            on_their_way: 0,
            again_on_their_way: 0,
            unreadable: HashMap::new(),
            unannounced: None,
            given_up: 0,
            renewed: None,
        }
    }

    /// Takes in what a complete answer of the Envoy has brought to the journal.
    pub fn take(&mut self, readings: Vec<Reading>, now: Instant) {
        self.follow_ids();
        for mut reading in readings {
            // It may have another id since it was written.
            if let Some(successor) = self.journal.successor(&reading.journal) {
                reading.journal = successor;
            }
            self.outbox.add(&reading);
            self.announce_soon(now);
        }
        self.outbox.open();
        let spans = self.journal.spans();
        self.given_up += self.outbox.hold_only(&spans);
        self.replay.hold_only(&spans);
    }

    /// Nothing of this is shown on a plain topic any more, until a reading of it is taken in.
    pub fn forget(&mut self, subject: &Subject) {
        self.outbox.forget(subject);
    }

    /// The gateway's own clock shows `now`, in Unix seconds. Where it was set back by over a day the marks of
    /// its plain topics start afresh: of how many.
    pub fn gateways_time(&mut self, now: i64) -> usize {
        ReportTime::from_unix_seconds(now.saturating_add(SET_BACK_S))
            .map_or(0, |latest| self.outbox.forget_later_than(latest))
    }

    /// An announcement is due.
    pub fn announce_soon(&mut self, now: Instant) {
        self.unannounced.get_or_insert(now);
    }

    /// There is a connection. What comes is of it from now on; what goes out waits until our own topics are subscribed to.
    pub fn connected(&mut self, now: Instant) {
        self.line_up_anew();
        self.link = Some(Link::default());
        // Nothing else goes out before it.
        self.announce_soon(now);
    }

    /// The connection has ended.
    pub fn disconnected(&mut self) {
        self.line_up_anew();
        self.link = None;
    }

    /// When something has to be done although nothing has happened: [`at`](Self::at), and then sending
    /// what is [`next`](Self::next).
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let opening = (!self.outbox.is_open()).then_some(self.opens);
        let echo = self.link.as_ref().and_then(Link::deadline);
        let reading = self.unreadable.values().min().copied();
        let times = [
            opening,
            echo,
            reading,
            self.next_burst(),
            self.next_announcement(),
        ];
        times.into_iter().flatten().min()
    }

    /// Does what is due at `now`.
    pub fn at(&mut self, now: Instant) -> News {
        if now >= self.opens {
            self.outbox.open();
        }
        self.unreadable.retain(|_, until| now < *until);
        let missed = self.link.as_ref().and_then(Link::deadline);
        if missed.is_some_and(|deadline| now >= deadline) {
            self.echo_missed(now)
        } else {
            News::Nothing
        }
    }

    /// Whether this connection's plain topics have been given the newest readings, as far as those may be shown yet.
    #[must_use]
    pub fn shows_newest(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_ready) && self.outbox.shows_newest()
    }

    /// How many readings the broker has not acknowledged.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.outbox.waiting()
    }

    /// How many readings are not proven to have arrived.
    #[must_use]
    pub fn unproven(&self) -> u64 {
        self.outbox.unproven()
    }

    /// The journal that is written to, and its lowest number whose arrival is not proven; one more than
    /// the last that was taken in when there is none. The next start may begin there. None when nothing
    /// was taken in of that journal yet.
    #[must_use]
    pub fn delivered_below(&self) -> Option<(JournalId, u64)> {
        let spans = self.journal.spans();
        let current = spans.first()?;
        // What waits may have the id before.
        let own = self.outbox.journals().into_iter().filter(|journal| {
            journal == current.id()
                || self.journal.successor(journal).as_ref() == Some(current.id())
        });
        let below = own.filter_map(|journal| self.outbox.delivered_below(&journal));
        Some((current.id().clone(), below.min()?))
    }

    /// How many readings were given up since this was asked: they have left the journal before the
    /// broker had them.
    pub fn given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    /// Whether nothing is left to be sent or acknowledged.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outbox.unproven() == 0 && self.on_their_way == 0
    }

    /// A journal may have taken another id at any time.
    fn follow_ids(&mut self) {
        for journal in self.outbox.journals() {
            if let Some(successor) = self.journal.successor(&journal) {
                self.outbox.renamed(&journal, &successor);
            }
        }
    }

    /// Lines up what this connection's broker has yet to be given.
    fn begin(&mut self) {
        if let Some(link) = &self.link {
            let held = link.held();
            self.line_up_anew();
            self.outbox.connected(held);
        }
    }

    fn line_up_anew(&mut self) {
        self.epoch += 1;
        self.on_their_way = 0;
        self.again_on_their_way = 0;
    }
}

#[cfg(test)]
mod tests;
