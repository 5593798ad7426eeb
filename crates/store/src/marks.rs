//! Which readings a store has: by Envoy and journal, the numbers that it has accepted.
//!
//! A number is marked when its reading is stored, and also when the store has refused it for good. Marks
//! are bounded, and where there are too many those go that are more than a share: whoever invents journals and gaps takes
//! nobody else's marks away. What is forgotten is merely fetched, and stored, once more; a mark too many would lose a
//! reading. So what has left its journal is not marked: how far that went is a number of its own.

mod beside;
mod file;
mod kept;
mod ranges;
mod room;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use wire::{JournalId, MAX_SEQ, Reading, Serial};

pub use beside::BesideFile;
pub use file::MarksFile;
use kept::{Envoy, Journal};
use ranges::Ranges;

/// Envoys that are remembered: more than a receiver has.
pub const MOST_ENVOYS: usize = 32_768;

/// Journals of one Envoy that are remembered: those that were used last.
pub const MOST_JOURNALS: usize = 16;

/// Ranges of one journal that are remembered, the lowest ones. There is one where nothing is missing.
pub const MOST_RANGES: usize = 1_000;

/// Journals and ranges of all Envoys that are remembered: two for each Envoy, and as many again. Whoever invents
/// journals and gaps could fill gigabytes otherwise.
const MOST_IN_ALL: usize = 4 * MOST_ENVOYS;

/// The numbers that a store has accepted. Of an Envoy with one journal of which nothing is missing it is to take less
/// than 200 bytes; `bench/scale` measures that.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// No table: one that has just grown takes twice as much, and the old one stays with the allocator.
    envoys: BTreeMap<Serial, Box<Envoy>>,
    /// How many journals and ranges there are.
    in_all: usize,
    /// How often an Envoy was used. Each knows when it was so last.
    uses: u32,
    /// Those of whom something is to be saved with the next batch, though none of it is theirs.
    unsaved: BTreeSet<Serial>,
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
        self.with(envoy, journal, |known| {
            known.settled.insert(numbers);
            if known.settled.len() > MOST_RANGES
                && let Some(first) = known.first
            {
                // Nobody asks for what the journal does not hold any more.
                known.settled.remove(0..=first.get() - 1);
            }
            if known.settled.len() > MOST_RANGES
                && let Some(highest) = known.settled.last()
            {
                known.settled.remove(highest);
            }
        });
    }

    /// A journal holds nothing below `first`, 1 or more. The answer is how many readings it held when it
    /// was heard of before, and which have left it since without being settled: they are lost. Each
    /// is counted once.
    #[must_use = "what is lost is to be said"]
    pub fn holds_from(&mut self, envoy: &Serial, journal: &JournalId, first: u64) -> u64 {
        let first = first.clamp(1, MAX_SEQ);
        let before = self.with(envoy, journal, |known| {
            let before = known.first();
            known.set_first(before.unwrap_or(first).max(first));
            before
        });
        if before.is_none_or(|before| first > before) {
            self.unsaved.insert(envoy.clone());
        }
        let Some(before) = before.filter(|before| first > *before) else {
            return 0;
        };
        let gone = self.missing(envoy, journal, &(before..=first - 1));
        gone.iter().map(|gap| gap.end() - gap.start() + 1).sum()
    }

    /// Whether a number is settled.
    #[must_use]
    pub fn contains(&self, envoy: &Serial, journal: &JournalId, seq: u64) -> bool {
        self.settled(envoy, journal)
            .is_some_and(|settled| settled.contains(seq))
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
            Some(settled) => settled.gaps(within),
            None => vec![within.clone()],
        }
    }

    /// The marks of some Envoys alone: what is to be saved when those have changed.
    #[must_use]
    pub fn of<'a>(&self, envoys: impl IntoIterator<Item = &'a Serial>) -> Self {
        let mut part = Self::default();
        for envoy in envoys {
            if let Some(known) = self.envoys.get(envoy)
                && !part.envoys.contains_key(envoy)
            {
                part.in_all += known.weight();
                part.envoys.insert(envoy.clone(), known.clone());
            }
        }
        part.uses = self.uses;
        part
    }

    /// Takes over what these marks say of their Envoys.
    pub fn replace(&mut self, part: Self) {
        for (envoy, mut known) in part.into_ordered() {
            self.uses = self.uses.saturating_add(1);
            known.set_used(self.uses);
            self.in_all += known.weight();
            if let Some(before) = self.envoys.insert(envoy, known) {
                self.in_all -= before.weight();
            }
        }
        self.make_room();
    }

    /// The Envoys of whose journals a lowest number was learned since this was asked last, or what is settled was [not
    /// saved](Self::still_unsaved).
    pub fn take_unsaved(&mut self) -> BTreeSet<Serial> {
        std::mem::take(&mut self.unsaved)
    }

    /// These were not saved.
    pub fn still_unsaved(&mut self, mut envoys: BTreeSet<Serial>) {
        self.unsaved.append(&mut envoys);
    }

    /// What is settled, as ranges: Envoy, journal, first and last number. What was used last is last.
    pub fn iter(&self) -> impl Iterator<Item = (&Serial, &JournalId, RangeInclusive<u64>)> {
        self.journals().flat_map(|(envoy, journal)| {
            let ranges = journal.settled.iter();
            ranges.map(move |range| (envoy, &journal.id, range))
        })
    }

    /// Its Envoys, in order.
    pub fn envoys(&self) -> impl Iterator<Item = &Serial> {
        self.envoys.keys()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envoys.is_empty()
    }

    /// The lowest number that each journal held when that was judged last. What was used last is last.
    pub fn firsts(&self) -> impl Iterator<Item = (&Serial, &JournalId, u64)> {
        self.journals()
            .filter_map(|(envoy, journal)| Some((envoy, &journal.id, journal.first()?)))
    }

    fn journals(&self) -> impl Iterator<Item = (&Serial, &Journal)> {
        let envoys = self.ordered().into_iter();
        envoys.flat_map(|(envoy, known)| known.journals().map(move |journal| (envoy, journal)))
    }

    /// The one used last at the end.
    fn ordered(&self) -> Vec<(&Serial, &Envoy)> {
        let envoys = self.envoys.iter();
        let mut ordered: Vec<_> = envoys.map(|(envoy, known)| (envoy, &**known)).collect();
        ordered.sort_unstable_by_key(|(_, known)| known.used());
        ordered
    }

    fn into_ordered(self) -> Vec<(Serial, Box<Envoy>)> {
        let mut ordered: Vec<_> = self.envoys.into_iter().collect();
        ordered.sort_unstable_by_key(|(_, known)| known.used());
        ordered
    }

    /// Changes a journal, which is the one used last from now on; what is too much then is forgotten.
    fn with<T>(
        &mut self,
        envoy: &Serial,
        journal: &JournalId,
        change: impl FnOnce(&mut Journal) -> T,
    ) -> T {
        self.uses = self.uses.saturating_add(1);
        if !self.envoys.contains_key(envoy) {
            let new = Envoy::new(Journal::new(journal.clone()));
            self.in_all += new.weight();
            self.envoys.insert(envoy.clone(), Box::new(new));
        }
        let known = self
            .envoys
            .get_mut(envoy)
            .expect("it was put there if it was not there");
        let before = known.weight();
        let changed = change(known.use_journal(journal));
        known.set_used(self.uses);
        self.in_all = self.in_all - before + known.weight();
        self.make_room();
        changed
    }

    fn settled(&self, envoy: &Serial, journal: &JournalId) -> Option<&Ranges> {
        let mut journals = self.envoys.get(envoy)?.journals();
        let journal = journals.find(|known| known.id == *journal)?;
        Some(&journal.settled)
    }
}

/// By what is settled, the lowest numbers, and the order in which all of it was used.
impl PartialEq for Marks {
    fn eq(&self, other: &Self) -> bool {
        let (own, others) = (self.ordered(), other.ordered());
        let same = |(own, other): (&(&Serial, &Envoy), &(&Serial, &Envoy))| {
            own.0 == other.0 && own.1.journals().eq(other.1.journals())
        };
        own.len() == others.len() && own.iter().zip(&others).all(same)
    }
}

impl Eq for Marks {}

#[cfg(test)]
mod tests;
