//! Which readings a store has: by Envoy and journal, the numbers that it has accepted.
//!
//! A number is marked when its reading is stored, and also when the store has refused it for good. Marks
//! are bounded. What is forgotten is merely fetched, and stored, once more; a mark too many would lose a
//! reading. So what has left its journal is not marked: how far that went is a number of its own.

mod file;

use std::ops::RangeInclusive;

use rangemap::RangeInclusiveSet;
use serde::{Deserialize, Serialize};
use wire::{JournalId, MAX_SEQ, Reading, Serial};

pub use file::{BesideFile, MarksFile};

/// Envoys that are remembered: more than a receiver has.
pub const MOST_ENVOYS: usize = 64;

/// Journals of one Envoy that are remembered: those that were used last.
pub const MOST_JOURNALS: usize = 16;

/// Ranges of one journal that are remembered, the lowest ones. There is one where nothing is missing.
pub const MOST_RANGES: usize = 1_000;

/// The numbers that a store has accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks {
    /// The one used last at the end.
    envoys: Vec<Envoy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Envoy {
    envoy: Serial,
    /// The one used last at the end.
    journals: Vec<Journal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    id: JournalId,
    /// The lowest number that it held when that was judged last. It only grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    #[serde(with = "ranges")]
    settled: RangeInclusiveSet<u64>,
}

impl Marks {
    /// Marks a reading as stored.
    pub fn add(&mut self, reading: &Reading) {
        self.settle(&reading.envoy, &reading.journal, reading.seq..=reading.seq);
    }

    /// Marks numbers of a journal as settled; what no journal can have is left out.
    pub fn settle(&mut self, envoy: &Serial, journal: &JournalId, numbers: RangeInclusive<u64>) {
        let numbers = *numbers.start().max(&1)..=*numbers.end().min(&MAX_SEQ);
        if numbers.is_empty() {
            return;
        }
        let known = self.used(envoy, journal);
        known.settled.insert(numbers);
        if known.settled.len() > MOST_RANGES
            && let Some(first) = known.first
        {
            // Nobody asks for what the journal does not hold any more.
            known.settled.remove(0..=first - 1);
        }
        if known.settled.len() > MOST_RANGES
            && let Some(highest) = known.settled.last().cloned()
        {
            known.settled.remove(highest);
        }
    }

    /// A journal holds nothing below `first`, 1 or more. The answer is how many readings it held when it
    /// was heard of before, and which have left it since without being settled: they are lost. Each
    /// is counted once.
    #[must_use = "what is lost is to be said"]
    pub fn holds_from(&mut self, envoy: &Serial, journal: &JournalId, first: u64) -> u64 {
        let first = first.clamp(1, MAX_SEQ);
        let known = self.used(envoy, journal);
        let before = *known.first.get_or_insert(first);
        if first <= before {
            return 0;
        }
        known.first = Some(first);
        let gone = self.missing(envoy, journal, &(before..=first - 1));
        gone.iter().map(|gap| gap.end() - gap.start() + 1).sum()
    }

    /// Whether a number is settled.
    #[must_use]
    pub fn contains(&self, envoy: &Serial, journal: &JournalId, seq: u64) -> bool {
        self.settled(envoy, journal)
            .is_some_and(|settled| settled.contains(&seq))
    }

    /// The highest number of a journal that is settled.
    #[must_use]
    pub fn highest(&self, envoy: &Serial, journal: &JournalId) -> Option<u64> {
        let highest = self.settled(envoy, journal)?.last()?;
        Some(*highest.end())
    }

    /// The numbers of a journal in `within` that are not settled, lowest first, as few ranges as
    /// possible.
    #[must_use]
    pub fn missing(
        &self,
        envoy: &Serial,
        journal: &JournalId,
        within: &RangeInclusive<u64>,
    ) -> Vec<RangeInclusive<u64>> {
        if within.is_empty() {
            return Vec::new();
        }
        match self.settled(envoy, journal) {
            Some(settled) => settled.gaps(within).collect(),
            None => vec![within.clone()],
        }
    }

    /// What is settled, as ranges: Envoy, journal, first and last number. What was used last is last.
    pub fn iter(&self) -> impl Iterator<Item = (&Serial, &JournalId, RangeInclusive<u64>)> {
        self.envoys.iter().flat_map(|envoy| {
            envoy.journals.iter().flat_map(|journal| {
                let ranges = journal.settled.iter();
                ranges.map(|range| (&envoy.envoy, &journal.id, range.clone()))
            })
        })
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envoys.is_empty()
    }

    /// The lowest number that each journal held when that was judged last. What was used last is last.
    pub fn firsts(&self) -> impl Iterator<Item = (&Serial, &JournalId, u64)> {
        self.envoys.iter().flat_map(|envoy| {
            let journals = envoy.journals.iter();
            journals.filter_map(|journal| Some((&envoy.envoy, &journal.id, journal.first?)))
        })
    }

    /// A journal, which is the one used last from now on; what is too much then is forgotten.
    fn used(&mut self, envoy: &Serial, journal: &JournalId) -> &mut Journal {
        if self.envoys.len() == MOST_ENVOYS && self.envoys.iter().all(|own| own.envoy != *envoy) {
            self.envoys.remove(0);
        }
        let new = || Envoy {
            envoy: envoy.clone(),
            journals: Vec::new(),
        };
        let known = used(&mut self.envoys, |known| known.envoy == *envoy, new);
        let journals = &mut known.journals;
        if journals.len() == MOST_JOURNALS && journals.iter().all(|own| own.id != *journal) {
            journals.remove(0);
        }
        let new = || Journal {
            id: journal.clone(),
            first: None,
            settled: RangeInclusiveSet::new(),
        };
        used(journals, |known| known.id == *journal, new)
    }

    fn settled(&self, envoy: &Serial, journal: &JournalId) -> Option<&RangeInclusiveSet<u64>> {
        let envoy = self.envoys.iter().find(|known| known.envoy == *envoy)?;
        let journal = envoy.journals.iter().find(|known| known.id == *journal)?;
        Some(&journal.settled)
    }
}

/// The item that is meant, new if there is none, moved to the end of the list.
fn used<T>(list: &mut Vec<T>, is_meant: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let end = list.len().saturating_sub(1);
    match list.iter().position(is_meant) {
        Some(place) if place == end => {}
        Some(place) => {
            let item = list.remove(place);
            list.push(item);
        }
        None => list.push(new()),
    }
    list.last_mut().expect("it was just put there")
}

/// Ranges as pairs of first and last number.
mod ranges {
    use rangemap::RangeInclusiveSet;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use wire::MAX_SEQ;

    pub(super) fn serialize<S: Serializer>(
        ranges: &RangeInclusiveSet<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let pairs: Vec<(u64, u64)> = ranges
            .iter()
            .map(|range| range.clone().into_inner())
            .collect();
        pairs.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<RangeInclusiveSet<u64>, D::Error> {
        let pairs = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let mut ranges = RangeInclusiveSet::new();
        for (first, last) in pairs {
            if first < 1 || last < first || last > MAX_SEQ {
                return Err(de::Error::custom(format_args!(
                    "{first} to {last} is no range of readings"
                )));
            }
            ranges.insert(first..=last);
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests;
