//! A journal that ends with the process: what is left when the disk can't be used.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use daemon::random;
use wire::JournalId;

use super::index::Index;
use wire::Measured;

/// The records that readers see.
pub(super) type Records = Arc<RwLock<BTreeMap<u64, Measured>>>;

/// A journal in memory.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) id: JournalId,
    pub(super) last: u64,
    pub(super) index: Arc<Index>,
    pub(super) records: Records,
    capacity: usize,
}

impl Memory {
    /// An empty journal with a new id that holds `capacity` records, at least 1.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            id: random::id(),
            last: 0,
            index: Arc::default(),
            records: Arc::default(),
            capacity: capacity.max(1),
        }
    }

    /// Appends, and lets the lowest numbers go that are then too many. The newest of each inverter
    /// stays in the index.
    pub(super) fn append(&mut self, new: &[Measured]) {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let index = Arc::make_mut(&mut self.index);
        for record in new {
            self.last += 1;
            index.add(self.last, record);
            records.insert(self.last, record.clone());
            if records.len() > self.capacity {
                records.pop_first();
            }
        }
    }

    /// The lowest number held; `last + 1` when there is none.
    pub(super) fn first(&self) -> u64 {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        records.keys().next().copied().unwrap_or(self.last + 1)
    }
}
