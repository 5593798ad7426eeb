//! The readings of one journal of which it is not proven that the broker has them, by number.
//!
//! Sets of numbers are kept as ranges: a week of readings that wait is a few of them.

use std::ops::RangeInclusive;

use rangemap::RangeInclusiveSet;

/// What is known of each number on its way from the journal to the broker.
#[derive(Debug, Default)]
pub(super) struct Unproven {
    /// The highest number that was ever added.
    last: u64,
    all: RangeInclusiveSet<u64>,
    /// Which of these are not on their way.
    unsent: RangeInclusiveSet<u64>,
    /// Which of these the broker has acknowledged.
    acknowledged: RangeInclusiveSet<u64>,
    /// Which of these it had acknowledged before the announcement whose echo is awaited.
    announced: RangeInclusiveSet<u64>,
}

impl Unproven {
    /// These have to be sent.
    pub(super) fn add(&mut self, numbers: RangeInclusive<u64>) {
        self.last = self.last.max(*numbers.end());
        if numbers.is_empty() {
            return;
        }
        self.acknowledged.remove(numbers.clone());
        self.announced.remove(numbers.clone());
        self.unsent.insert(numbers.clone());
        self.all.insert(numbers);
    }

    /// These are of the same journal. What one of the two has to send has to be sent.
    pub(super) fn join(&mut self, other: Self) {
        self.last = self.last.max(other.last);
        self.all.extend(other.all);
        self.acknowledged.extend(other.acknowledged);
        self.announced.extend(other.announced);
        self.unsent.extend(other.unsent);
        for numbers in self.unsent.iter() {
            self.acknowledged.remove(numbers.clone());
            self.announced.remove(numbers.clone());
        }
    }

    /// All of them have to be sent again.
    pub(super) fn again(&mut self) {
        self.unsent = self.all.clone();
        self.acknowledged.clear();
        self.announced.clear();
    }

    /// The numbers that have to be sent, lowest first.
    pub(super) fn unsent(&self) -> impl Iterator<Item = u64> {
        self.unsent.iter().flat_map(Clone::clone)
    }

    pub(super) fn sent(&mut self, number: u64) {
        self.unsent.remove(number..=number);
    }

    pub(super) fn acknowledged(&mut self, number: u64) {
        self.unsent.remove(number..=number);
        // Not one that was given up meanwhile.
        if self.all.contains(&number) {
            self.acknowledged.insert(number..=number);
        }
    }

    pub(super) fn announced(&mut self) {
        for numbers in std::mem::take(&mut self.acknowledged) {
            self.announced.insert(numbers);
        }
    }

    pub(super) fn proven(&mut self) {
        for numbers in std::mem::take(&mut self.announced) {
            self.all.remove(numbers);
        }
    }

    /// This one can't be sent.
    pub(super) fn give_up(&mut self, number: u64) {
        self.remove(number..=number);
    }

    /// Nothing below `first` can be sent any more. How many of these the broker had not acknowledged.
    pub(super) fn give_up_below(&mut self, first: u64) -> u64 {
        let Some(below) = first.checked_sub(1) else {
            return 0;
        };
        let waiting = self.waiting();
        self.remove(0..=below);
        waiting - self.waiting()
    }

    fn remove(&mut self, numbers: RangeInclusive<u64>) {
        self.all.remove(numbers.clone());
        self.unsent.remove(numbers.clone());
        self.acknowledged.remove(numbers.clone());
        self.announced.remove(numbers);
    }

    /// The lowest number whose arrival is not proven; one more than the last when there is none.
    pub(super) fn proven_below(&self) -> u64 {
        self.all
            .first()
            .map_or(self.last + 1, |range| *range.start())
    }

    /// How many the broker has not acknowledged.
    pub(super) fn waiting(&self) -> u64 {
        count(&self.all) - count(&self.acknowledged) - count(&self.announced)
    }

    /// How many are not proven to have arrived.
    pub(super) fn count(&self) -> u64 {
        count(&self.all)
    }
}

fn count(numbers: &RangeInclusiveSet<u64>) -> u64 {
    numbers
        .iter()
        .map(|range| range.end() - range.start() + 1)
        .sum()
}
