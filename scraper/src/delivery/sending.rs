//! What is sent, and in which order: new readings, late ones, what receivers have asked for, then the
//! announcement of it.

use std::time::Duration;

use tokio::time::Instant;
use wire::{Announcement, JournalId, Reading};

use super::outbox::Next;
use super::{Delivery, Journal, Link, Unreadable};

/// Readings that may be on their way at once. Enough to fill a link with a long round trip;
/// few enough that a status or an announcement never waits long behind them.
const WINDOW: usize = 100;

/// How long an announcement waits for the readings that are on their way, so that it need not call
/// them waiting. While a long backlog is sent there always are some.
const COMPANY: Duration = Duration::from_secs(5);

/// How long a journal that can't be read is left alone. Its file is opened again within about a second,
/// or with the next poll.
pub(super) const READ_AGAIN: Duration = Duration::from_secs(1);

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// On the inverter's plain topic, retained.
    Plain(Reading),
    /// On its backlog topic.
    Late(Reading),
    /// The same, because a receiver has asked for it.
    Again(Reading),
    /// What the journals hold.
    Announcement(Announcement),
}

/// Stands for a message that is on its way, until its acknowledgement.
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    epoch: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Reading(JournalId, u64),
    Again,
    Announcement(u64),
}

impl Ticket {
    /// Whether it stands for a reading that nobody has asked for.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        matches!(self.what, What::Reading(..))
    }

    /// Whether it stands for a reading that a receiver has asked for.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(self.what, What::Again)
    }
}

impl<J: Journal> Delivery<J> {
    /// What to send next; the same again until it was [`sent`](Self::sent).
    pub fn next(&mut self, now: Instant) -> Option<Outgoing> {
        if self.link.as_ref()?.is_ready() {
            self.follow_ids();
            let reading = self.next_reading(now).or_else(|| self.next_again(now));
            if reading.is_some() {
                return reading;
            }
        }
        self.may_announce(now).then(|| {
            Outgoing::Announcement(Announcement {
                instance: self.sender.instance.clone(),
                journals: self.journal.spans(),
                waiting: self.outbox.waiting(),
            })
        })
    }

    /// This is on its way.
    pub fn sent(&mut self, outgoing: &Outgoing, now: Instant) -> Ticket {
        let what = match outgoing {
            Outgoing::Plain(reading) => {
                self.outbox.sent(&Next::Plain(reading.clone()));
                self.reading_sent(reading, now)
            }
            Outgoing::Late(reading) => {
                let late = Next::Late(reading.journal.clone(), reading.seq);
                self.outbox.sent(&late);
                self.reading_sent(reading, now)
            }
            Outgoing::Again(reading) => {
                self.replay.sent(&reading.journal, reading.seq);
                self.pace.sent(now);
                self.again_on_their_way += 1;
                What::Again
            }
            Outgoing::Announcement(_) => {
                self.unannounced = None;
                self.outbox.announced();
                self.announcements += 1;
                if let Some(link) = &mut self.link {
                    link.announced(self.announcements);
                }
                self.on_their_way += 1;
                What::Announcement(self.announcements)
            }
        };
        Ticket {
            epoch: self.epoch,
            what,
        }
    }

    /// The broker has acknowledged a message.
    pub fn acknowledged(&mut self, ticket: &Ticket, now: Instant) {
        let Some(link) = &mut self.link else {
            return;
        };
        // Whatever was lined up anew: on its connection an announcement stays the one that is out.
        if let What::Announcement(number) = ticket.what {
            link.acknowledged(number, now);
        }
        if ticket.epoch != self.epoch {
            return;
        }
        match &ticket.what {
            What::Again => self.again_on_their_way -= 1,
            What::Announcement(_) => self.on_their_way -= 1,
            What::Reading(journal, seq) => {
                self.on_their_way -= 1;
                // Without the proof that we may publish, it says nothing.
                if link.is_proven() {
                    let successor = self.journal.successor(journal);
                    self.follow_ids();
                    let journal = successor.as_ref().unwrap_or(journal);
                    self.outbox.acknowledged(journal, *seq);
                }
            }
        }
    }

    /// When the next burst of what receivers have asked for may begin. While too much of it is on its
    /// way, an acknowledgement has to come first.
    pub(super) fn next_burst(&self) -> Option<Instant> {
        let may_go = self.link.as_ref().is_some_and(Link::is_ready)
            && self.again_on_their_way < WINDOW
            && self.replay.next(|id| self.can_be_read(id)).is_some();
        may_go.then(|| self.pace.pause_until()).flatten()
    }

    /// When an announcement waits no longer for company.
    pub(super) fn next_announcement(&self) -> Option<Instant> {
        let link = self.link.as_ref()?;
        let due_since = self.unannounced.filter(|_| !link.is_awaited())?;
        Some(due_since + COMPANY)
    }

    fn reading_sent(&mut self, reading: &Reading, now: Instant) -> What {
        // What proves that it has arrived.
        self.announce_soon(now);
        self.on_their_way += 1;
        What::Reading(reading.journal.clone(), reading.seq)
    }

    fn next_reading(&mut self, now: Instant) -> Option<Outgoing> {
        while self.on_their_way < WINDOW {
            let (journal, seq) = match self.outbox.next(|journal| self.can_be_read(journal))? {
                Next::Plain(reading) => return Some(Outgoing::Plain(reading)),
                Next::Late(journal, seq) => (journal, seq),
            };
            match self.journal.reading(&journal, seq) {
                Ok(Some(reading)) => return Some(Outgoing::Late(reading)),
                Ok(None) => {
                    self.outbox.give_up(&journal, seq);
                    self.given_up += 1;
                }
                Err(Unreadable) => self.read_later(journal, now),
            }
        }
        None
    }

    /// Whether it arrives is the receivers' business: they ask again.
    fn next_again(&mut self, now: Instant) -> Option<Outgoing> {
        while self.again_on_their_way < WINDOW && self.pace.allows(now) {
            let (journal, seq) = self.replay.next(|journal| self.can_be_read(journal))?;
            match self.journal.reading(&journal, seq) {
                Ok(Some(reading)) => return Some(Outgoing::Again(reading)),
                Ok(None) => self.replay.sent(&journal, seq),
                Err(Unreadable) => self.read_later(journal, now),
            }
        }
        None
    }

    fn can_be_read(&self, journal: &JournalId) -> bool {
        !self.unreadable.contains_key(journal)
    }

    fn read_later(&mut self, journal: JournalId, now: Instant) {
        self.unreadable.insert(journal, now + READ_AGAIN);
    }

    fn may_announce(&self, now: Instant) -> bool {
        let (Some(link), Some(due_since)) = (&self.link, self.unannounced) else {
            return false;
        };
        !link.is_awaited() && (self.on_their_way == 0 || now >= due_since + COMPANY)
    }
}
