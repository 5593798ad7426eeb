//! What has yet to reach the broker, and on which topic it goes.
//!
//! The plain topic of an inverter is retained and shows its newest reading, and never steps back in
//! time; whatever is not newer than what it showed goes to the backlog topic. A reading leaves the
//! outbox when the broker has acknowledged it and an announcement sent after that has come back: a
//! broker that does not let us publish acknowledges, too. What a broker has lost of its retained
//! state is put back: after each connect the outbox is told what the plain topics hold.
//!
//! The readings themselves are in the journal. The outbox has the newest of each inverter, and of all
//! others their numbers as ranges: it stays small, whatever waits.

mod unproven;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

use wire::{JournalId, JournalSpan, Reading, ReportTime, Subject};

use unproven::Unproven;

/// What to send next.
#[allow(
    clippy::large_enum_variant,
    reason = "one lives at a time, for as long as it takes to send it"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This reading, on its plain topic.
    Plain(Reading),
    /// The reading of this journal with this number, on its backlog topic.
    Late(JournalId, u64),
}

/// The readings on their way to the broker.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The newest reading of each inverter, delivered or not: the one with the latest report time.
    newest: HashMap<Subject, Reading>,
    /// What each plain topic shows, or will once what is on its way has arrived.
    shown: HashMap<Subject, ReportTime>,
    /// The inverters whose plain topic has to be given the newest reading.
    behind: BTreeSet<Subject>,
    /// Whether plain topics may be published on.
    open: bool,
    unproven: Vec<(JournalId, Unproven)>,
}

impl Outbox {
    /// The outbox of a scraper that starts with the newest readings of its journal.
    ///
    /// Plain topics wait until [`open`](Self::open): what the journal knows may be older than what
    /// they once showed.
    #[must_use]
    pub fn new(newest: Vec<Reading>) -> Self {
        let mut outbox = Self::default();
        for reading in newest {
            outbox.note_newest(&reading);
        }
        outbox
    }

    /// It is not known whether the broker has these, the last ones of the journal; it has those before
    /// them.
    pub fn has_yet_to_send(&mut self, journal: &JournalId, numbers: RangeInclusive<u64>) {
        self.of(journal).add(numbers);
    }

    /// What the Envoy shows now has been taken in: plain topics may be published on.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Whether plain topics may be published on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether no plain topic that may be published on has to be given a reading.
    #[must_use]
    pub fn shows_newest(&self) -> bool {
        !self.open || self.behind.is_empty()
    }

    /// The gateway's clock was set back to before these: what is dated later must not keep its plain topics
    /// from what is measured now, so that their marks start afresh. How many topics that concerns.
    pub fn forget_later_than(&mut self, latest: ReportTime) -> usize {
        let before = self.newest.len();
        self.newest.retain(|_, reading| reading.at() <= latest);
        let topics = before - self.newest.len();
        self.shown.retain(|_, shown| *shown <= latest);
        let newest = &self.newest;
        self.behind.retain(|subject| newest.contains_key(subject));
        topics
    }

    /// Takes in a reading that the journal has.
    pub fn add(&mut self, reading: &Reading) {
        self.note_newest(reading);
        self.of(&reading.journal).add(reading.seq..=reading.seq);
    }

    /// A connection is ready, or has turned out to drop what we send. `held` is what its broker's
    /// plain topics show; what they should show and do not is sent, and so is all whose arrival is
    /// not proven.
    pub fn connected(&mut self, held: HashMap<Subject, ReportTime>) {
        self.shown = held;
        for (_, unproven) in &mut self.unproven {
            unproven.again();
        }
        let inverters: Vec<Subject> = self.newest.keys().cloned().collect();
        self.behind.clear();
        for inverter in inverters {
            self.compare(inverter);
        }
    }

    /// Nothing of this is shown any more, until there is a reading of it again. What of it waits goes to its
    /// backlog topic.
    pub fn forget(&mut self, subject: &Subject) {
        self.newest.remove(subject);
        self.shown.remove(subject);
        self.behind.remove(subject);
    }

    /// The journal has another id from now on, and the same readings under the same numbers. Some may
    /// be here under that id already.
    pub fn renamed(&mut self, from: &JournalId, to: &JournalId) {
        if let Some(place) = self.unproven.iter().position(|(id, _)| id == from) {
            let (_, unproven) = self.unproven.remove(place);
            self.of(to).join(unproven);
        }
        for reading in self.newest.values_mut() {
            if reading.journal == *from {
                reading.journal.clone_from(to);
            }
        }
    }

    /// The journals of which something is here.
    #[must_use]
    pub fn journals(&self) -> HashSet<JournalId> {
        let waiting = self.unproven.iter().map(|(id, _)| id);
        let newest = self.newest.values().map(|reading| &reading.journal);
        let all: HashSet<&JournalId> = waiting.chain(newest).collect();
        all.into_iter().cloned().collect()
    }

    /// What to send next: what plain topics lack, then what is late in a journal that can be read, lowest
    /// number first.
    #[must_use]
    pub fn next(&self, can_be_read: impl Fn(&JournalId) -> bool) -> Option<Next> {
        if self.open
            && let Some(inverter) = self.behind.first()
        {
            return self.newest.get(inverter).cloned().map(Next::Plain);
        }
        let mut readable = self.unproven.iter().filter(|(id, _)| can_be_read(id));
        readable.find_map(|(journal, unproven)| {
            let late = |seq: &u64| !self.goes_to_plain(journal, *seq);
            let seq = unproven.unsent().find(late)?;
            Some(Next::Late(journal.clone(), seq))
        })
    }

    /// This is on its way, until it is acknowledged or the next connection is ready.
    pub fn sent(&mut self, next: &Next) {
        match next {
            Next::Plain(reading) => {
                // One that the broker had before, and has lost of its retained state, need not be proven
                // again: each connect compares what its topic shows.
                self.change(&reading.journal, |of| of.sent(reading.seq));
                self.behind.remove(&reading.subject());
                self.shown.insert(reading.subject(), reading.at());
            }
            Next::Late(journal, seq) => self.change(journal, |of| of.sent(*seq)),
        }
    }

    /// The broker has acknowledged a reading.
    pub fn acknowledged(&mut self, journal: &JournalId, seq: u64) {
        self.change(journal, |of| of.acknowledged(seq));
    }

    /// An announcement goes out, behind all that was acknowledged until now.
    pub fn announced(&mut self) {
        for (_, unproven) in &mut self.unproven {
            unproven.announced();
        }
    }

    /// The announcement has come back: what was acknowledged before it has arrived.
    pub fn proven(&mut self) {
        for (_, unproven) in &mut self.unproven {
            unproven.proven();
        }
    }

    /// Gives up one reading that the journal can't give back.
    pub fn give_up(&mut self, journal: &JournalId, seq: u64) {
        self.change(journal, |of| of.give_up(seq));
    }

    /// Gives up what the journals do not hold any more. How many of these the broker had not
    /// acknowledged; of a journal that is not held at all nobody knows: its disk may come back, and what
    /// receivers lack of it they ask for.
    pub fn hold_only(&mut self, spans: &[JournalSpan]) -> u64 {
        let mut given_up = 0;
        self.unproven.retain_mut(|(journal, unproven)| {
            let span = spans.iter().find(|span| span.id() == journal);
            given_up += span.map_or(0, |span| unproven.give_up_below(span.first()));
            span.is_some()
        });
        given_up
    }

    /// Below which number of a journal all has arrived, of what was taken in; none when nothing was.
    #[must_use]
    pub fn delivered_below(&self, journal: &JournalId) -> Option<u64> {
        let mut unproven = self.unproven.iter();
        let (_, unproven) = unproven.find(|(id, _)| id == journal)?;
        Some(unproven.proven_below())
    }

    /// How many readings the broker has not acknowledged.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.unproven.iter().map(|(_, of)| of.waiting()).sum()
    }

    /// How many readings are not proven to have arrived.
    #[must_use]
    pub fn unproven(&self) -> u64 {
        self.unproven.iter().map(|(_, of)| of.count()).sum()
    }

    fn note_newest(&mut self, reading: &Reading) {
        let newest = self.newest.get(&reading.subject());
        if newest.is_none_or(|newest| newest.at() < reading.at()) {
            self.newest.insert(reading.subject(), reading.clone());
        }
        self.compare(reading.subject());
    }

    /// Whether the plain topic of an inverter shows less than it should.
    fn compare(&mut self, inverter: Subject) {
        let newest = self.newest.get(&inverter).map(Reading::at);
        if self.shown.get(&inverter) < newest.as_ref() {
            self.behind.insert(inverter);
        } else {
            self.behind.remove(&inverter);
        }
    }

    fn goes_to_plain(&self, journal: &JournalId, seq: u64) -> bool {
        self.behind.iter().any(|inverter| {
            self.newest
                .get(inverter)
                .is_some_and(|newest| newest.seq == seq && newest.journal == *journal)
        })
    }

    /// Changes what is known of a journal's readings, if any of them was taken in.
    fn change(&mut self, journal: &JournalId, change: impl FnOnce(&mut Unproven)) {
        if let Some((_, of)) = self.unproven.iter_mut().find(|(id, _)| id == journal) {
            change(of);
        }
    }

    fn of(&mut self, journal: &JournalId) -> &mut Unproven {
        let known = self.unproven.iter().position(|(id, _)| id == journal);
        let place = known.unwrap_or_else(|| {
            self.unproven.push((journal.clone(), Unproven::default()));
            self.unproven.len() - 1
        });
        &mut self.unproven[place].1
    }
}

#[cfg(test)]
mod tests;
