//! Gathers messages into batches: pure, with the time as an argument.
//!
//! While one batch is being written the next one gathers. A batch is due when it is full, or when
//! its oldest message has waited for [`LINGER`], so that a burst goes out in one write and a single
//! reading does not wait to be seen.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use wire::Reading;

/// The most messages of one batch: what InfluxDB recommends for a write.
pub const BATCH: usize = 5_000;

/// The longest time that a message waits for company.
pub const LINGER: Duration = Duration::from_millis(100);

/// A message in the order of its arrival. Acknowledgements must go out in that order, so a message
/// that carries no reading takes its place in line, too.
#[derive(Debug)]
pub struct Entry<A> {
    /// The reading, unless the message was refused.
    pub reading: Option<Reading>,
    /// What acknowledges the message.
    pub acknowledgement: A,
}

/// The messages that wait to be written.
#[derive(Debug)]
pub struct Gathering<A> {
    waiting: VecDeque<(Instant, Entry<A>)>,
    /// No batch is due before this: the pause after a failed write.
    not_before: Option<Instant>,
}

impl<A> Default for Gathering<A> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            not_before: None,
        }
    }
}

impl<A> Gathering<A> {
    /// Takes a message in that arrived at `now`.
    pub fn push(&mut self, entry: Entry<A>, now: Instant) {
        self.waiting.push_back((now, entry));
    }

    /// When the next batch should be written: at once when full, unless the store needs a pause;
    /// `None` when nothing waits.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let (oldest, _) = self.waiting.front()?;
        let due = if self.waiting.len() < BATCH {
            *oldest + LINGER
        } else {
            *oldest
        };
        Some(
            self.not_before
                .map_or(due, |not_before| due.max(not_before)),
        )
    }

    /// Takes back a batch that was not stored: it is the first in line again, and more may go
    /// with it the next time. It is due at `not_before`.
    pub fn put_back(&mut self, batch: Vec<Entry<A>>, not_before: Instant) {
        for entry in batch.into_iter().rev() {
            self.waiting.push_front((not_before, entry));
        }
        self.not_before = Some(not_before);
    }

    /// The next batch, in the order of arrival; empty when nothing waits.
    pub fn take(&mut self) -> Vec<Entry<A>> {
        self.not_before = None;
        let count = self.waiting.len().min(BATCH);
        self.waiting
            .drain(..count)
            .map(|(_, entry)| entry)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(acknowledgement: usize) -> Entry<usize> {
        Entry {
            reading: None,
            acknowledgement,
        }
    }

    #[test]
    fn nothing_is_due_when_nothing_waits() {
        assert_eq!(Gathering::<()>::default().due(), None);
    }

    #[test]
    fn a_lone_message_waits_for_company_no_longer_than_the_linger() {
        let start = Instant::now();
        let mut gathering = Gathering::default();
        gathering.push(entry(0), start);
        gathering.push(entry(1), start + LINGER / 2);
        assert_eq!(gathering.due(), Some(start + LINGER));
    }

    #[test]
    fn a_full_batch_is_due_at_once_and_the_rest_stays_in_line() {
        let start = Instant::now();
        let mut gathering = Gathering::default();
        for number in 0..BATCH + 2 {
            gathering.push(entry(number), start);
        }
        assert_eq!(gathering.due(), Some(start));
        let order: Vec<usize> = gathering.take().iter().map(|e| e.acknowledgement).collect();
        assert_eq!(order, (0..BATCH).collect::<Vec<_>>());
        assert_eq!(gathering.due(), Some(start + LINGER));
        assert_eq!(gathering.take().len(), 2);
        assert!(gathering.take().is_empty());
    }

    #[test]
    fn a_batch_that_was_not_stored_is_first_in_line_after_its_pause() {
        let start = Instant::now();
        let mut gathering = Gathering::default();
        for number in 0..3 {
            gathering.push(entry(number), start);
        }
        let batch = gathering.take();
        gathering.push(entry(3), start + LINGER);
        let retry = start + Duration::from_mins(1);
        gathering.put_back(batch, retry);
        assert!(gathering.due() >= Some(retry));
        let order: Vec<usize> = gathering.take().iter().map(|e| e.acknowledgement).collect();
        assert_eq!(order, [0, 1, 2, 3]);
    }

    #[test]
    fn what_arrives_during_a_pause_does_not_shorten_it() {
        let start = Instant::now();
        let mut gathering = Gathering::default();
        gathering.push(entry(0), start);
        let batch = gathering.take();
        let retry = start + Duration::from_mins(1);
        gathering.put_back(batch, retry);
        for number in 1..=BATCH {
            gathering.push(entry(number), start);
        }
        assert!(gathering.due() >= Some(retry));
    }
}
