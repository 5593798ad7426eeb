//! Gathers messages into batches: pure, with the time as an argument.
//!
//! While one batch is being written the next one gathers. A batch is due when it is full, when nothing
//! more has come for [`QUIET`], or when its oldest message has waited for [`LINGER`]: so a burst goes out
//! in one write, and neither a single reading waits to be seen, nor a broker that sends no more before
//! what it has sent is acknowledged.
//!
//! When a connection ends, what it brought can no longer be acknowledged, and the broker delivers
//! it again on the next one. It waits on all the same (a broker that has lost its state delivers
//! nothing again), but gives way to the new delivery of the same reading: however often the
//! connection comes and goes, each reading waits once.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use wire::{JournalId, Reading, Serial};

use crate::dead_letters::DeadLetter;

/// The most messages of one batch: what InfluxDB recommends for a write.
pub const BATCH: usize = 5_000;

/// The longest time that a message waits for company.
pub const LINGER: Duration = Duration::from_millis(100);

/// A burst is over when nothing has come for this long. The messages of one follow each other within a
/// millisecond; and the shipped broker sends a thousand ahead of their acknowledgements, so that one
/// that has more would otherwise pause for [`LINGER`] after each thousand.
pub const QUIET: Duration = Duration::from_millis(5);

/// A message that was received.
#[derive(Debug)]
pub struct Entry<A> {
    /// The reading, unless the message was refused. Acknowledgements must go out in the order of
    /// arrival, so a message without a reading takes its place in line, too.
    pub reading: Option<Reading>,
    /// What is to be kept of the message if it was refused.
    pub dead: Option<DeadLetter>,
    /// What acknowledges the message.
    pub acknowledgement: A,
}

/// What names a reading: the same on each delivery.
type Name = (Serial, JournalId, u64);

/// An entry in line.
#[derive(Debug)]
struct Waiting<A> {
    entry: Entry<A>,
    since: Instant,
    connection: u64,
}

/// Messages to be written together, in the order of their arrival.
#[derive(Debug)]
pub struct Batch<A>(Vec<(u64, Waiting<A>)>);

impl<A> Batch<A> {
    /// Its readings.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.0
            .iter()
            .filter_map(|(_, waiting)| waiting.entry.reading.as_ref())
    }

    /// The places of what is settled once this batch is: of its readings, and of refused messages that
    /// name one.
    pub fn places(&self) -> impl Iterator<Item = (&Serial, &JournalId, u64)> {
        let readings = self.readings();
        let readings = readings.map(|one| (&one.envoy, &one.journal, one.seq));
        let letters = self.dead_letters().filter_map(DeadLetter::place);
        readings.chain(letters.map(|(envoy, journal, seq)| (envoy, journal, *seq)))
    }

    /// What is to be kept of its refused messages.
    pub fn dead_letters(&self) -> impl Iterator<Item = &DeadLetter> {
        self.0
            .iter()
            .filter_map(|(_, waiting)| waiting.entry.dead.as_ref())
    }

    /// What acknowledges its messages, in the order of their arrival.
    pub fn into_acknowledgements(self) -> impl Iterator<Item = A> {
        self.0
            .into_iter()
            .map(|(_, waiting)| waiting.entry.acknowledgement)
    }
}

/// The messages that wait to be written.
#[derive(Debug)]
pub struct Gathering<A> {
    /// By number of arrival.
    waiting: BTreeMap<u64, Waiting<A>>,
    /// The newest delivery of each reading that waits.
    deliveries: HashMap<Name, u64>,
    arrivals: u64,
    /// How many connections have ended.
    connection: u64,
    /// No batch is due before this: the pause after a failed write.
    not_before: Option<Instant>,
}

impl<A> Default for Gathering<A> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            deliveries: HashMap::new(),
            arrivals: 0,
            connection: 0,
            not_before: None,
        }
    }
}

impl<A> Gathering<A> {
    /// Takes a message in that arrived at `now`.
    pub fn push(&mut self, entry: Entry<A>, now: Instant) {
        self.arrivals += 1;
        let waiting = Waiting {
            entry,
            since: now,
            connection: self.connection,
        };
        self.insert(self.arrivals, waiting);
    }

    /// The connection has ended: nothing that waits can be acknowledged any more.
    pub fn disconnected(&mut self) {
        self.connection += 1;
        self.waiting
            .retain(|_, waiting| waiting.entry.reading.is_some());
    }

    /// When the next batch should be written, unless more comes until then: at once when full, and not
    /// while the store needs a pause; `None` when nothing waits.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let (_, oldest) = self.waiting.first_key_value()?;
        let (_, newest) = self.waiting.last_key_value()?;
        let due = if self.waiting.len() < BATCH {
            (newest.since + QUIET).min(oldest.since + LINGER)
        } else {
            oldest.since
        };
        Some(
            self.not_before
                .map_or(due, |not_before| due.max(not_before)),
        )
    }

    /// How many messages wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The next batch; empty when nothing waits.
    pub fn take(&mut self) -> Batch<A> {
        self.not_before = None;
        let mut batch = Vec::with_capacity(self.waiting.len().min(BATCH));
        while batch.len() < BATCH
            && let Some((arrival, waiting)) = self.waiting.pop_first()
        {
            if let Some(name) = name(&waiting) {
                self.deliveries.remove(&name);
            }
            batch.push((arrival, waiting));
        }
        Batch(batch)
    }

    /// Takes back a batch that was not stored: it is the first in line again, and more may go
    /// with it the next time. It is due at `not_before`.
    pub fn put_back(&mut self, batch: Batch<A>, not_before: Instant) {
        for (arrival, waiting) in batch.0 {
            let orphan = waiting.connection != self.connection;
            let delivered_again =
                name(&waiting).is_none_or(|name| self.deliveries.contains_key(&name));
            if !(orphan && delivered_again) {
                self.insert(arrival, waiting);
            }
        }
        self.not_before = Some(not_before);
    }

    /// Puts a message in line. An earlier delivery of its reading, on a connection that has ended,
    /// makes room for it; one on the same connection needs its own acknowledgement.
    fn insert(&mut self, arrival: u64, waiting: Waiting<A>) {
        if let Some(name) = name(&waiting)
            && let Some(earlier) = self.deliveries.insert(name, arrival)
            && self
                .waiting
                .get(&earlier)
                .is_some_and(|earlier| earlier.connection != self.connection)
        {
            self.waiting.remove(&earlier);
        }
        self.waiting.insert(arrival, waiting);
    }
}

fn name<A>(waiting: &Waiting<A>) -> Option<Name> {
    let reading = waiting.entry.reading.as_ref()?;
    Some((reading.envoy.clone(), reading.journal.clone(), reading.seq))
}

#[cfg(test)]
mod tests;
