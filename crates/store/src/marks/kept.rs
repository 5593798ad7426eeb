//! What is remembered of one Envoy, as small as it can be, and how it is written.

use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use wire::{JournalId, MAX_SEQ, Serial};

use super::ranges::Ranges;
use super::{MOST_JOURNALS, Marks};

/// The journals of one Envoy: 72 bytes, so that with its place in the tree it takes less than 200.
#[derive(Debug, Clone)]
pub(super) struct Envoy {
    /// The journal used last. Nearly always there is no other.
    newest: Journal,
    earlier: Option<Box<Earlier>>,
}

/// Further journals, the one used last at the end.
#[derive(Debug, Clone)]
struct Earlier(Vec<Journal>);

/// What is settled of one journal.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    pub(super) id: JournalId,
    /// Which use of all journals was the last one of this. Of uses beyond four thousand million the order is not known.
    used: u32,
    /// The lowest number that it held when that was judged last. It only grows.
    pub(super) first: Option<NonZeroU64>,
    pub(super) settled: Ranges,
}

/// By what is known of it.
impl PartialEq for Journal {
    fn eq(&self, other: &Self) -> bool {
        let known = |one: &Self| (one.id.clone(), one.first);
        known(self) == known(other) && self.settled == other.settled
    }
}

impl Envoy {
    pub(super) fn new(journal: Journal) -> Self {
        Self {
            newest: journal,
            earlier: None,
        }
    }

    /// Which use of all Envoys was the last one of this.
    pub(super) fn used(&self) -> u32 {
        self.newest.used
    }

    pub(super) fn set_used(&mut self, used: u32) {
        self.newest.used = used;
    }

    /// The one used last at the end.
    pub(super) fn journals(&self) -> impl Iterator<Item = &Journal> {
        let earlier = self.earlier.iter().flat_map(|earlier| &earlier.0);
        earlier.chain([&self.newest])
    }

    /// How many journals and ranges it has.
    pub(super) fn weight(&self) -> usize {
        self.journals().map(|one| 1 + one.settled.len()).sum()
    }

    /// A journal, which is the one used last from now on. Of too many the one that was not used for longest goes.
    pub(super) fn use_journal(&mut self, id: &JournalId) -> &mut Journal {
        if self.newest.id != *id {
            let earlier = self
                .earlier
                .get_or_insert_with(|| Box::new(Earlier(Vec::new())));
            let earlier = &mut earlier.0;
            let next = match earlier.iter().position(|one| one.id == *id) {
                Some(place) => earlier.remove(place),
                None => Journal::new(id.clone()),
            };
            earlier.push(std::mem::replace(&mut self.newest, next));
            if earlier.len() == MOST_JOURNALS {
                earlier.remove(0);
            }
        }
        &mut self.newest
    }

    /// Forgets what is more than so many journals and ranges, which are two or more: the journals that were not used for
    /// longest, then the highest ranges of the one used last.
    pub(super) fn shrink(&mut self, most: usize) {
        let mut weight = self.weight();
        if let Some(earlier) = &mut self.earlier {
            let gone = earlier.0.iter().take_while(|one| {
                let is_too_much = weight > most;
                weight -= if is_too_much {
                    1 + one.settled.len()
                } else {
                    0
                };
                is_too_much
            });
            let gone = gone.count();
            earlier.0.drain(..gone);
            earlier.0.shrink_to_fit();
        }
        if self
            .earlier
            .as_ref()
            .is_some_and(|earlier| earlier.0.is_empty())
        {
            self.earlier = None;
        }
        while self.weight() > most
            && let Some(highest) = self.newest.settled.last()
        {
            self.newest.settled.remove(highest);
        }
    }
}

impl Journal {
    pub(super) fn new(id: JournalId) -> Self {
        Self {
            id,
            used: 0,
            first: None,
            settled: Ranges::default(),
        }
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.first.map(NonZeroU64::get)
    }

    pub(super) fn set_first(&mut self, first: u64) {
        self.first = NonZeroU64::new(first);
    }
}

/// An Envoy as it is written.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    envoy: &'a Serial,
    journals: Vec<WrittenJournal<'a>>,
}

#[derive(Serialize)]
struct WrittenJournal<'a> {
    id: &'a JournalId,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    settled: Vec<(u64, u64)>,
}

impl<'a> Written<'a> {
    fn new(envoy: &'a Serial, known: &'a Envoy) -> Self {
        let journals = known.journals().map(|journal| WrittenJournal {
            id: &journal.id,
            first: journal.first(),
            settled: journal
                .settled
                .iter()
                .map(std::ops::RangeInclusive::into_inner)
                .collect(),
        });
        Self {
            envoy,
            journals: journals.collect(),
        }
    }
}

/// An Envoy as it is read.
#[derive(Deserialize)]
struct Read {
    envoy: Serial,
    journals: Vec<ReadJournal>,
}

#[derive(Deserialize)]
struct ReadJournal {
    id: JournalId,
    first: Option<u64>,
    settled: Vec<(u64, u64)>,
}

impl Marks {
    /// Its Envoys as they are written, the one used last at the end.
    pub(super) fn written(&self) -> impl Iterator<Item = Written<'_>> {
        let envoys = self.ordered().into_iter();
        envoys.map(|(envoy, known)| Written::new(envoy, known))
    }

    /// Takes over an Envoy as it was written, in place of what was known of it.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<(), serde_json::Error> {
        self.take(serde_json::from_slice(line)?)
            .map_err(de::Error::custom)
    }

    fn take(&mut self, read: Read) -> Result<(), String> {
        let mut part = Self::default();
        for journal in read.journals {
            let (envoy, id) = (&read.envoy, &journal.id);
            if let Some(first) = journal.first {
                // Heard of for the first time, so that nothing is lost.
                let _ = part.holds_from(envoy, id, first);
            }
            for (first, last) in journal.settled {
                if first < 1 || last < first || last > MAX_SEQ {
                    return Err(format!("{first} to {last} is no range of readings"));
                }
                part.settle(envoy, id, first..=last);
            }
        }
        self.replace(part);
        Ok(())
    }
}

impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.written())
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut marks = Self::default();
        for read in Vec::<Read>::deserialize(deserializer)? {
            marks.take(read).map_err(de::Error::custom)?;
        }
        Ok(marks)
    }
}
