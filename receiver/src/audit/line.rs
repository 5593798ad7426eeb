//! The order in which what is missing is asked for.

use std::ops::RangeInclusive;

use rangemap::RangeInclusiveSet;
use wire::{JournalId, MAX_JOURNALS, MAX_RANGES};

/// What is missing of each journal, lowest first.
pub(super) type Lacking = [(JournalId, Vec<RangeInclusive<u64>>)];

/// Lowest first; what did not come when it was asked for is at the end.
#[derive(Debug, Default)]
pub(super) struct Line {
    deferred: Vec<(JournalId, RangeInclusiveSet<u64>)>,
}

impl Line {
    /// The lowest that was not asked for in vain, `most` readings of one journal at most; once all was,
    /// from the beginning again.
    pub(super) fn next(
        &mut self,
        lacking: &Lacking,
        most: u64,
    ) -> Option<(JournalId, Vec<RangeInclusive<u64>>)> {
        for (journal, ranges) in lacking {
            let vain = self.deferred.iter().find(|(id, _)| id == journal);
            let ranges = match vain {
                Some((_, vain)) => ranges.iter().flat_map(|range| vain.gaps(range)).collect(),
                None => ranges.clone(),
            };
            let piece = first(&ranges, most);
            if !piece.is_empty() {
                return Some((journal.clone(), piece));
            }
        }
        self.deferred.clear();
        lacking.iter().find_map(|(journal, ranges)| {
            let piece = first(ranges, most);
            (!piece.is_empty()).then(|| (journal.clone(), piece))
        })
    }

    /// These did not come.
    pub(super) fn defer(&mut self, journal: JournalId, ranges: Vec<RangeInclusive<u64>>) {
        let known = self.deferred.iter().position(|(id, _)| *id == journal);
        let place = known.unwrap_or_else(|| {
            self.deferred.push((journal, RangeInclusiveSet::new()));
            self.deferred.len() - 1
        });
        self.deferred[place].1.extend(ranges);
        // Bounded: so much is never out of order.
        if self.deferred[place].1.len() > MAX_RANGES || self.deferred.len() > MAX_JOURNALS {
            self.deferred.clear();
        }
    }

    /// Nothing was asked for in vain.
    pub(super) fn clear(&mut self) {
        self.deferred.clear();
    }
}

/// How many numbers are in these ranges, none of which is empty.
pub(super) fn count(ranges: &[RangeInclusive<u64>]) -> u64 {
    ranges
        .iter()
        .map(|range| range.end() - range.start() + 1)
        .sum()
}

/// The first so many numbers of these ranges.
fn first(ranges: &[RangeInclusive<u64>], most: u64) -> Vec<RangeInclusive<u64>> {
    let mut left = most;
    let mut taken = Vec::new();
    for range in ranges.iter().take(MAX_RANGES) {
        let last = (*range.end()).min(range.start() + left - 1);
        taken.push(*range.start()..=last);
        left -= last - range.start() + 1;
        if left == 0 {
            break;
        }
    }
    taken
}
