//! What receivers have asked for again.
//!
//! A receiver that finds a gap in what its store has asks for it by number. Several may ask for the
//! same; each number that waits is sent once. What is asked for comes from outside: only what the
//! journals hold is taken up, and as ranges, of which there is a limit.

use rangemap::RangeInclusiveSet;
use wire::{JournalId, JournalSpan, ReplayRequest};

/// Ranges of one journal that may wait: what four receivers ask for at most. More are not taken up;
/// who lacks them asks again.
pub const MOST_RANGES: usize = 4 * wire::MAX_RANGES;

/// The readings to be sent again.
#[derive(Debug, Default)]
pub struct Replay {
    wanted: Vec<(JournalId, RangeInclusiveSet<u64>)>,
}

impl Replay {
    /// Takes up a request, as far as the journals hold what it asks for. How many readings that is.
    pub fn ask(&mut self, request: &ReplayRequest, held: &[JournalSpan]) -> u64 {
        let Some(span) = held.iter().find(|span| span.id() == request.journal()) else {
            return 0;
        };
        let wanted = self.of(request.journal());
        let mut taken_up = 0;
        for range in request.ranges() {
            let first = *range.start().max(&span.first());
            let last = *range.end().min(&span.last());
            if first <= last && wanted.len() < MOST_RANGES {
                wanted.insert(first..=last);
                taken_up += last - first + 1;
            }
        }
        taken_up
    }

    /// The next to send of a journal that can be read, lowest number first.
    #[must_use]
    pub fn next(&self, can_be_read: impl Fn(&JournalId) -> bool) -> Option<(JournalId, u64)> {
        let mut readable = self.wanted.iter().filter(|(id, _)| can_be_read(id));
        readable.find_map(|(journal, numbers)| {
            let first = numbers.first()?;
            Some((journal.clone(), *first.start()))
        })
    }

    /// This is on its way, or can't be had any more.
    pub fn sent(&mut self, journal: &JournalId, seq: u64) {
        self.of(journal).remove(seq..=seq);
        self.wanted.retain(|(_, numbers)| !numbers.is_empty());
    }

    /// Forgets what the journals do not hold any more.
    pub fn hold_only(&mut self, spans: &[JournalSpan]) {
        self.wanted.retain_mut(|(journal, numbers)| {
            let span = spans.iter().find(|span| span.id() == journal);
            let first = span.map_or(u64::MAX, JournalSpan::first);
            numbers.remove(0..=first - 1);
            !numbers.is_empty()
        });
    }

    fn of(&mut self, journal: &JournalId) -> &mut RangeInclusiveSet<u64> {
        let known = self.wanted.iter().position(|(id, _)| id == journal);
        let place = known.unwrap_or_else(|| {
            let nothing = RangeInclusiveSet::new();
            self.wanted.push((journal.clone(), nothing));
            self.wanted.len() - 1
        });
        &mut self.wanted[place].1
    }
}

#[cfg(test)]
mod tests;
