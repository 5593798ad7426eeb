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

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire::{JournalId, Reading, Serial};

use crate::dead_letters::DeadLetter;

/// The most messages of one batch. InfluxDB's makers recommend 5,000 lines for a write; fewer take less memory
/// here, and the rest that a write costs is small beside two thousand lines.
pub const BATCH: usize = 2_000;

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
    pub dead: Option<Arc<DeadLetter>>,
    /// What acknowledges the message.
    pub acknowledgement: A,
}

/// What names a reading: the same on each delivery.
type Name = (Serial, JournalId, u64);

/// A place in line.
#[derive(Debug)]
struct Place<A> {
    arrival: u64,
    since: Instant,
    connection: u64,
    has_reading: bool,
    dead: Option<Arc<DeadLetter>>,
    acknowledgement: A,
}

/// Messages to be written together, in the order of their arrival.
#[derive(Debug)]
pub struct Batch<A> {
    /// Of the places that have one.
    readings: Vec<Reading>,
    places: Vec<Place<A>>,
}

impl<A> Batch<A> {
    /// Its readings.
    #[must_use]
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// The places of what is settled once this batch is: of its readings, and of refused messages that
    /// name one.
    pub fn places(&self) -> impl Iterator<Item = (&Serial, &JournalId, u64)> {
        let readings = self.readings.iter();
        let readings = readings.map(|one| (&one.envoy, &one.journal, one.seq));
        let letters = self.dead_letters().filter_map(|letter| letter.place());
        readings.chain(letters.map(|(envoy, journal, seq)| (envoy, journal, *seq)))
    }

    /// What is to be kept of its refused messages.
    pub fn dead_letters(&self) -> impl Iterator<Item = &Arc<DeadLetter>> {
        self.places.iter().filter_map(|place| place.dead.as_ref())
    }

    /// What acknowledges its messages, in the order of their arrival.
    pub fn into_acknowledgements(self) -> impl Iterator<Item = A> {
        self.places.into_iter().map(|place| place.acknowledgement)
    }
}

/// The messages that wait to be written.
#[derive(Debug)]
pub struct Gathering<A> {
    /// In the order of their arrival; the readings beside them, so that a batch of these can be handed to the
    /// store as it is.
    places: VecDeque<Place<A>>,
    readings: VecDeque<Reading>,
    /// Which of the readings that wait came on a connection that has ended: the arrival of each.
    orphans: HashMap<Name, u64>,
    arrivals: u64,
    /// How many connections have ended.
    connection: u64,
    /// No batch is due before this: the pause after a failed write.
    not_before: Option<Instant>,
}

impl<A> Default for Gathering<A> {
    fn default() -> Self {
        Self {
            places: VecDeque::new(),
            readings: VecDeque::new(),
            orphans: HashMap::new(),
            arrivals: 0,
            connection: 0,
            not_before: None,
        }
    }
}

impl<A> Gathering<A> {
    /// Takes a message in that arrived at `now`. An earlier delivery of its reading, on a connection that has
    /// ended, makes room for it; one on the same connection needs its own acknowledgement.
    pub fn push(&mut self, entry: Entry<A>, now: Instant) {
        if let Some(reading) = &entry.reading
            && !self.orphans.is_empty()
            && let Some(earlier) = self.orphans.remove(&name(reading))
        {
            self.remove(earlier);
        }
        self.arrivals += 1;
        self.places.push_back(Place {
            arrival: self.arrivals,
            since: now,
            connection: self.connection,
            has_reading: entry.reading.is_some(),
            dead: entry.dead,
            acknowledgement: entry.acknowledgement,
        });
        self.readings.extend(entry.reading);
    }

    /// The connection has ended: nothing that waits can be acknowledged any more.
    pub fn disconnected(&mut self) {
        self.connection += 1;
        self.places.retain(|place| place.has_reading);
        let orphans = self.places.iter().zip(&self.readings);
        self.orphans = orphans
            .map(|(place, reading)| (name(reading), place.arrival))
            .collect();
    }

    /// When the next batch should be written, unless more comes until then: at once when full, and not
    /// while the store needs a pause; `None` when nothing waits.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let (oldest, newest) = (self.places.front()?, self.places.back()?);
        let due = if self.places.len() < BATCH {
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
        self.places.len()
    }

    /// The next batch; empty when nothing waits.
    pub fn take(&mut self) -> Batch<A> {
        self.not_before = None;
        let size = self.places.len().min(BATCH);
        let places: Vec<_> = self.places.drain(..size).collect();
        let with_reading = places.iter().filter(|place| place.has_reading).count();
        let readings: Vec<_> = self.readings.drain(..with_reading).collect();
        if !self.orphans.is_empty() {
            for reading in &readings {
                self.orphans.remove(&name(reading));
            }
        }
        Batch { readings, places }
    }

    /// Takes back a batch that was not stored: it is the first in line again, and more may go
    /// with it the next time. It is due at `not_before`.
    ///
    /// What of it can't be acknowledged any more gives way to a new delivery that waits already.
    pub fn put_back(&mut self, batch: Batch<A>, not_before: Instant) {
        let is_orphan = |place: &Place<A>| place.connection != self.connection;
        let again: HashSet<Name> = if batch.places.iter().any(is_orphan) {
            self.readings.iter().map(name).collect()
        } else {
            HashSet::new()
        };
        let mut readings = batch.readings.into_iter().rev();
        for place in batch.places.into_iter().rev() {
            let reading = if place.has_reading {
                readings.next()
            } else {
                None
            };
            if is_orphan(&place) {
                match reading.as_ref().map(name) {
                    Some(name) if !again.contains(&name) => {
                        self.orphans.insert(name, place.arrival);
                    }
                    _ => continue,
                }
            }
            self.places.push_front(place);
            if let Some(reading) = reading {
                self.readings.push_front(reading);
            }
        }
        self.not_before = Some(not_before);
    }

    /// Takes a place with a reading out of the line.
    fn remove(&mut self, arrival: u64) {
        let found = self
            .places
            .binary_search_by_key(&arrival, |place| place.arrival);
        if let Ok(index) = found {
            let before = self.places.range(..index);
            let reading = before.filter(|place| place.has_reading).count();
            self.places.remove(index);
            self.readings.remove(reading);
        }
    }
}

fn name(reading: &Reading) -> Name {
    (reading.envoy.clone(), reading.journal.clone(), reading.seq)
}

#[cfg(test)]
mod tests;
