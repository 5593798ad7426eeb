//! What is made of the messages on our own topics, and of what does not come.

use tokio::time::Instant;
use wire::{InstanceId, JournalId, JournalSpan, ReplayRequest};

use super::link::{Heard, Listener, Message};
use super::{Delivery, Journal};

/// What the user, or whoever drives the delivery, should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The broker lets us publish.
    Allowed,
    /// It does again: what was sent since it did not is sent again, and the status has to be, too.
    AllowedAfterAll,
    /// It has acknowledged an announcement that did not come back.
    NotAllowed,
    /// What was sent before the last announcement has arrived.
    Arrived,
    /// Another scraper announces itself for this Envoy.
    AnotherScraper(InstanceId),
    /// The journal's numbers named readings that it does not have; it has a new id.
    JournalRenewed {
        /// The id before.
        from: JournalId,
        /// The new one.
        to: JournalId,
    },
    /// The broker shows more plain topics than any Envoy has.
    TooManyTopics,
    /// A receiver lacks so many readings that we hold.
    AskedAgain(u64),
    /// Nothing new.
    Nothing,
}

impl<J: Journal> Delivery<J> {
    /// Takes in a message on one of our own topics.
    pub fn hear(&mut self, message: Message<'_>, now: Instant) -> News {
        let Some(link) = &mut self.link else {
            return News::Nothing;
        };
        let us = Listener {
            base: &self.sender.base,
            instance: &self.sender.instance,
            journals: &self.journal.spans(),
        };
        match link.hear(message, us) {
            Heard::Echo => {
                self.begin();
                News::Allowed
            }
            Heard::LateEcho => {
                self.begin();
                News::AllowedAfterAll
            }
            Heard::FurtherEcho => {
                self.outbox.proven();
                News::Arrived
            }
            Heard::AnotherScraper(instance) => News::AnotherScraper(instance),
            Heard::JournalUsedElsewhere(journal) => self.renew(journal, now),
            Heard::TooManyTopics => News::TooManyTopics,
            Heard::Request(request) => self.asked(&request, now),
            Heard::Nothing => News::Nothing,
        }
    }

    /// A receiver asks. Who asks for more than a journal ever had has seen it with other readings.
    fn asked(&mut self, request: &ReplayRequest, now: Instant) -> News {
        let spans = self.journal.spans();
        let span = spans.iter().find(|span| span.id() == request.journal());
        let beyond = |span: &JournalSpan| {
            let mut ranges = request.ranges().iter();
            ranges.any(|range| *range.end() > span.last())
        };
        if span.is_some_and(beyond) {
            let news = self.renew(request.journal().clone(), now);
            if news != News::Nothing {
                return news;
            }
        }
        News::AskedAgain(self.replay.ask(request, &spans))
    }

    /// What was sent since the last echo may have been dropped. It stays in the outbox until an echo
    /// comes, and another announcement asks for one at once, so that given back rights are noticed
    /// soon.
    pub(super) fn echo_missed(&mut self, now: Instant) -> News {
        self.announce_soon(now);
        if !self.link.as_mut().is_some_and(super::Link::missed) {
            return News::Nothing;
        }
        self.begin();
        News::NotAllowed
    }

    /// The journal's numbers may name other readings elsewhere: under a new id they name only ours.
    /// Receivers fetch all of it again.
    fn renew(&mut self, from: JournalId, now: Instant) -> News {
        let lately = |renewed| now < renewed + super::SUSPICION;
        if self.renewed.is_some_and(lately) {
            return News::Nothing;
        }
        let Some(to) = self.journal.renew(&from) else {
            return News::Nothing;
        };
        self.renewed = Some(now);
        self.outbox.renamed(&from, &to);
        if self.link.as_ref().is_some_and(super::Link::is_ready) {
            self.begin();
        }
        self.announce_soon(now);
        News::JournalRenewed { from, to }
    }
}
