//! What has yet to reach the broker, and on which topic it goes.
//!
//! The plain topic of an inverter is retained and shows its newest reading, and never steps back in
//! time; whatever is not newer than what it showed goes to the backlog topic. A reading leaves the
//! outbox when the broker has acknowledged it and an announcement sent after that has come back: a
//! broker that does not let us publish acknowledges, too. What a broker has lost of its retained
//! state is put back: after each connect the outbox is told what the plain topics hold.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use wire::{Reading, ReportTime, Serial, Topic};

/// Readings that may wait for the broker. At some 300 bytes each they take 30 MB at most: nearly
/// eleven days of 100 inverters that report each 15 minutes for 10 hours a day, and more than a
/// week of outage seldom finds.
pub const CAPACITY: usize = 40_000;

/// A reading and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The reading.
    pub reading: Reading,
    /// Whether it goes to its plain topic, where the broker keeps it; else to the backlog.
    pub plain: bool,
}

impl Outgoing {
    /// Where it goes.
    #[must_use]
    pub fn topic(&self) -> Topic {
        if self.plain {
            self.reading.topic()
        } else {
            self.reading.backlog_topic()
        }
    }
}

/// The readings on their way to the broker.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The newest reading of each inverter, delivered or not.
    newest: HashMap<Serial, Reading>,
    /// What each plain topic shows, or will once what is on its way has arrived.
    shown: HashMap<Serial, ReportTime>,
    /// What may have to be sent, or sent again, by number.
    kept: BTreeMap<u64, Reading>,
    /// Which of these are not on their way.
    unsent: BTreeSet<u64>,
    /// Which of these the broker has acknowledged.
    acknowledged: BTreeSet<u64>,
    /// Which of these it had acknowledged before the announcement whose echo is awaited.
    announced: BTreeSet<u64>,
}

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a reading in. When the outbox is full the oldest one makes room; it is returned, and
    /// lost.
    pub fn add(&mut self, reading: Reading) -> Option<Reading> {
        match self.newest.entry(reading.serial.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(reading.clone());
            }
            Entry::Occupied(mut newest) if newest.get().reported_at < reading.reported_at => {
                newest.insert(reading.clone());
            }
            Entry::Occupied(_) => {}
        }
        self.keep(reading);
        if self.kept.len() <= CAPACITY {
            return None;
        }
        let (seq, oldest) = self.kept.pop_first()?;
        self.unsent.remove(&seq);
        self.acknowledged.remove(&seq);
        self.announced.remove(&seq);
        Some(oldest)
    }

    /// A connection is ready, or has turned out to drop what we send. `held` is what its broker's
    /// plain topics show; what it should show and does not is put in line again, and so is all whose
    /// arrival is not proven.
    pub fn connected(&mut self, held: HashMap<Serial, ReportTime>) {
        self.shown = held;
        self.unsent = self.kept.keys().copied().collect();
        self.acknowledged.clear();
        self.announced.clear();
        let missing: Vec<Reading> = self
            .newest
            .values()
            .filter(|newest| self.is_ahead_of_topic(newest))
            .cloned()
            .collect();
        for reading in missing {
            self.keep(reading);
        }
    }

    /// What to send next, lowest number first.
    #[must_use]
    pub fn next_unsent(&self) -> Option<Outgoing> {
        let reading = self.kept.get(self.unsent.first()?)?;
        Some(Outgoing {
            plain: self.is_newest(reading) && self.is_ahead_of_topic(reading),
            reading: reading.clone(),
        })
    }

    /// A reading is on its way, until it is acknowledged or the next connection is ready.
    pub fn sent(&mut self, outgoing: &Outgoing) {
        let Outgoing { reading, plain } = outgoing;
        self.unsent.remove(&reading.seq);
        if *plain {
            self.shown
                .insert(reading.serial.clone(), reading.reported_at);
        }
    }

    /// The broker has acknowledged a reading.
    pub fn acknowledged(&mut self, seq: u64) {
        self.unsent.remove(&seq);
        // Not one that was given up meanwhile.
        if self.kept.contains_key(&seq) {
            self.acknowledged.insert(seq);
        }
    }

    /// An announcement goes out, behind all that was acknowledged until now.
    pub fn announced(&mut self) {
        self.announced.append(&mut self.acknowledged);
    }

    /// The announcement has come back: what was acknowledged before it has arrived.
    pub fn proven(&mut self) {
        for seq in std::mem::take(&mut self.announced) {
            self.kept.remove(&seq);
        }
    }

    /// The lowest number that the broker has not acknowledged.
    #[must_use]
    pub fn first_waiting(&self) -> Option<u64> {
        let mut kept = self.kept.keys();
        kept.find(|seq| !self.is_acknowledged(**seq)).copied()
    }

    /// How many readings the broker has not acknowledged.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.kept.len() - self.acknowledged.len() - self.announced.len()
    }

    /// How many readings are not proven to have arrived.
    #[must_use]
    pub fn unproven(&self) -> usize {
        self.kept.len()
    }

    fn keep(&mut self, reading: Reading) {
        self.unsent.insert(reading.seq);
        self.kept.insert(reading.seq, reading);
    }

    fn is_acknowledged(&self, seq: u64) -> bool {
        self.acknowledged.contains(&seq) || self.announced.contains(&seq)
    }

    fn is_newest(&self, reading: &Reading) -> bool {
        self.newest
            .get(&reading.serial)
            .is_some_and(|newest| newest.seq == reading.seq)
    }

    fn is_ahead_of_topic(&self, reading: &Reading) -> bool {
        self.shown
            .get(&reading.serial)
            .is_none_or(|shown| *shown < reading.reported_at)
    }
}

#[cfg(test)]
mod tests;
