//! The settled numbers of one journal. One range is all that there is where nothing is missing, which is nearly always:
//! that takes 16 bytes, and no memory of its own.

use std::num::NonZeroU64;
use std::ops::RangeInclusive;

use rangemap::RangeInclusiveSet;

/// Numbers from 1 on, as ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ranges {
    /// From the first to the last number; none where the last one is less.
    One(NonZeroU64, u64),
    /// Two or more.
    Many(Box<RangeInclusiveSet<u64>>),
}

impl Default for Ranges {
    fn default() -> Self {
        Self::One(NonZeroU64::MIN, 0)
    }
}

impl Ranges {
    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(first, last) => usize::from(first.get() <= *last),
            Self::Many(set) => set.len(),
        }
    }

    /// Adds these numbers, 1 or more, of which there is one at least.
    pub(super) fn insert(&mut self, numbers: RangeInclusive<u64>) {
        let (from, to) = (*numbers.start(), *numbers.end());
        if let Self::One(first, last) = self
            && first.get() <= *last
            && from <= last.saturating_add(1)
            && to >= first.get() - 1
        {
            *self = Self::one(first.get().min(from), to.max(*last));
            return;
        }
        if let Self::Many(set) = self {
            set.insert(numbers);
            if set.len() == 1 {
                *self = Self::from_set(std::mem::take(set));
            }
            return;
        }
        let mut set = self.take_set();
        set.insert(numbers);
        *self = Self::from_set(set);
    }

    /// Takes these numbers out.
    pub(super) fn remove(&mut self, numbers: RangeInclusive<u64>) {
        let mut set = self.take_set();
        set.remove(numbers);
        *self = Self::from_set(set);
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        match self {
            Self::One(first, last) => (first.get()..=*last).contains(&number),
            Self::Many(set) => set.contains(&number),
        }
    }

    /// The highest range.
    pub(super) fn last(&self) -> Option<RangeInclusive<u64>> {
        match self {
            Self::One(first, last) => (first.get() <= *last).then_some(first.get()..=*last),
            Self::Many(set) => set.last().cloned(),
        }
    }

    /// The numbers of `within` that are not in it, lowest first.
    pub(super) fn gaps(&self, within: &RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
        match self {
            Self::One(first, last) if first.get() <= *last => {
                let below = *within.start()..=(first.get() - 1).min(*within.end());
                let above = last.saturating_add(1).max(*within.start())..=*within.end();
                let both = [below, above].into_iter();
                both.filter(|gap| !gap.is_empty()).collect()
            }
            Self::One(..) => vec![within.clone()],
            Self::Many(set) => set.gaps(within).collect(),
        }
    }

    /// All ranges, lowest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        let (one, many) = match self {
            Self::One(..) => (self.last(), None),
            Self::Many(set) => (None, Some(set.iter().cloned())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    fn one(first: u64, last: u64) -> Self {
        match NonZeroU64::new(first) {
            Some(first) => Self::One(first, last),
            None => Self::default(),
        }
    }

    fn take_set(&mut self) -> RangeInclusiveSet<u64> {
        match std::mem::take(self) {
            Self::One(first, last) if first.get() <= last => {
                RangeInclusiveSet::from_iter([first.get()..=last])
            }
            Self::One(..) => RangeInclusiveSet::new(),
            Self::Many(set) => *set,
        }
    }

    fn from_set(set: RangeInclusiveSet<u64>) -> Self {
        match set.first() {
            None => Self::default(),
            Some(one) if set.len() == 1 => Self::one(*one.start(), *one.end()),
            Some(_) => Self::Many(Box::new(set)),
        }
    }
}
