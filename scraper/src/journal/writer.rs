//! Where an append goes: to disk, or to memory while the disk fails.

mod reopening;

use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::random;
use wire::{JournalId, Serial};

use super::disk::{Disk, Known};
use super::handle::Failed;
use super::medium::Medium;
use super::memory::Memory;
use super::opening::Failure;
use super::{OpenError, REMEDY, RETRY};
use wire::Measured;

/// The place where an append has gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) journal: JournalId,
    pub(super) first: u64,
}

/// The journals of this process.
#[derive(Debug)]
pub(super) struct Writer {
    envoy: Serial,
    medium: Option<Arc<dyn Medium>>,
    size: u64,
    capacity: usize,
    /// The journal on disk, also when it can only be read.
    pub(super) disk: Option<Disk>,
    /// What the file is known to have, for when it is opened again.
    known: Option<Known>,
    /// The ids that the journals had, each with the one after it, which names the same readings.
    pub(super) successions: Vec<(JournalId, JournalId)>,
    pub(super) memory: Option<Memory>,
    /// Whether appends go to disk.
    pub(super) on_disk: bool,
    retry_at: Option<Instant>,
    /// How long a disk that failed is left alone.
    retry_after: Duration,
}

impl Writer {
    /// Leaves a disk that failed, also before this, alone for so long.
    pub(super) fn retry_after(&mut self, pause: Duration, now: Instant) {
        self.retry_after = pause;
        self.retry_at = self.retry_at.map(|at| at.min(now + pause));
    }

    /// A writer that has nothing but memory.
    pub(super) fn in_memory(envoy: Serial, capacity: usize) -> Self {
        Self {
            envoy,
            medium: None,
            size: 0,
            capacity,
            disk: None,
            known: None,
            successions: Vec::new(),
            memory: Some(Memory::new(capacity)),
            on_disk: false,
            retry_at: None,
            retry_after: RETRY,
        }
    }

    /// Opens the journal on disk, or says why there is none.
    pub(super) fn open(
        medium: Arc<dyn Medium>,
        envoy: Serial,
        size: u64,
        capacity: usize,
        now: Instant,
    ) -> Result<Self, OpenError> {
        let path = medium.path().to_owned();
        let mut writer = Self {
            medium: Some(medium),
            size,
            memory: None,
            ..Self::in_memory(envoy, capacity)
        };
        match writer.open_disk() {
            Ok(disk) => {
                writer.disk = Some(disk);
                writer.on_disk = true;
            }
            Err(Failure::InUse) => return Err(OpenError::InUse { path }),
            Err(Failure::Newer { found }) => return Err(OpenError::newer(path, found)),
            Err(Failure::NewerFile { found }) => return Err(OpenError::newer_file(path, found)),
            Err(Failure::Unusable(reason) | Failure::Corrupt(reason)) => {
                tracing::error!(
                    path = %path.display(),
                    reason,
                    "the journal can't be used: readings are kept in memory, and what no receiver \
                     has when the scraper ends is lost; {REMEDY}"
                );
                writer.disk = writer.open_to_read();
                writer.on_memory(now);
            }
        }
        writer.known = writer.disk.as_ref().map(Disk::known);
        Ok(writer)
    }

    /// Appends, whatever happens.
    pub(super) fn append(&mut self, records: &[Measured], now: Instant) -> Place {
        let is_time = self.retry_at.is_some_and(|at| at <= now);
        if self.on_disk {
            match self.append_to_disk(records) {
                Ok(place) => return place,
                Err(Failed(reason)) => self.lose_disk(&reason, now),
            }
        } else if is_time {
            match self.return_to_disk(records) {
                Ok(place) => return place,
                Err(reason) => {
                    tracing::debug!(reason, "the journal still can't be used");
                    self.on_memory(now);
                }
            }
        }
        let memory = self
            .memory
            .get_or_insert_with(|| Memory::new(self.capacity));
        let place = Place {
            journal: memory.id.clone(),
            first: memory.last + 1,
        };
        memory.append(records);
        place
    }

    /// Sees whether the file is still in its place, at each poll. One that was removed can be written
    /// as before, and would end with this process: its content goes to a new file.
    pub(super) fn watch(&mut self, now: Instant) {
        let is_gone = self.medium.as_ref().is_some_and(|medium| medium.is_gone());
        let Some(disk) = self.disk.as_mut().filter(|disk| !disk.is_removed) else {
            return;
        };
        if !is_gone {
            return;
        }
        disk.is_removed = true;
        disk.writable = false;
        let moved = self.move_to_new_file();
        let path = self.medium.as_ref().map(|medium| medium.path().display());
        let path = path.map(tracing::field::display);
        match moved {
            Ok(()) => tracing::error!(
                path,
                "the journal's file was removed or replaced under the running scraper: what was in \
                 it was written to a new one, goes on under a new id, and receivers fetch it again; \
                 stop the scraper before you touch its state directory"
            ),
            Err(reason) => {
                tracing::error!(
                    path,
                    reason,
                    "the journal's file was removed or replaced under the running scraper, and a new \
                     one can't be made: what was in it and further readings are kept while the \
                     scraper runs, and what no receiver has when it ends is lost; {REMEDY}"
                );
                self.on_memory(now);
            }
        }
    }

    /// Gives a journal a new id, durably; none when there is no such journal.
    pub(super) fn renew(&mut self, journal: &JournalId, now: Instant) -> Option<JournalId> {
        let id: JournalId = random::id();
        if let Some(memory) = &mut self.memory
            && memory.id == *journal
        {
            memory.id = id.clone();
            self.succeeded(journal, &id);
            return Some(id);
        }
        let disk = self.disk.as_mut().filter(|disk| disk.id == *journal)?;
        disk.id = id.clone();
        self.known = Some(disk.known());
        self.succeeded(journal, &id);
        // While the disk fails, the new id is written with the first append that does not.
        if self.on_disk {
            match self.append_to_disk(&[]) {
                Ok(_) => {}
                Err(Failed(reason)) => self.lose_disk(&reason, now),
            }
        }
        Some(self.disk.as_ref().map_or(id, |disk| disk.id.clone()))
    }

    /// How many records go into one transaction at most: more than the inverters of any Envoy, but
    /// a small part of a small file.
    pub(super) fn most_at_once(&self) -> usize {
        const LARGE_RECORD: u64 = 256;
        const SHARE: u64 = 16;
        if self.medium.is_none() {
            return usize::MAX;
        }
        usize::try_from(self.size / SHARE / LARGE_RECORD)
            .unwrap_or(usize::MAX)
            .max(1)
    }

    fn append_to_disk(&mut self, records: &[Measured]) -> Result<Place, Failed> {
        let disk = self
            .disk
            .as_mut()
            .filter(|disk| disk.writable)
            .ok_or_else(|| Failed("it can't be written".to_owned()))?;
        let first = disk.last + 1;
        disk.append(records)?;
        self.known = Some(disk.known());
        Ok(Place {
            journal: disk.id.clone(),
            first,
        })
    }

    fn lose_disk(&mut self, reason: &str, now: Instant) {
        let path = self.medium.as_ref().map(|medium| medium.path().display());
        tracing::error!(
            path = path.map(tracing::field::display),
            reason,
            "the journal can't be written any more: readings are kept in memory, and what no \
             receiver has when the scraper ends is lost; {REMEDY}"
        );
        // redb does nothing more once the disk has failed; opened anew the file can be read.
        self.reopen();
        self.on_memory(now);
    }

    fn on_memory(&mut self, now: Instant) {
        self.on_disk = false;
        self.retry_at = Some(now + self.retry_after);
        self.memory
            .get_or_insert_with(|| Memory::new(self.capacity));
    }

    fn return_to_disk(&mut self, records: &[Measured]) -> Result<Place, String> {
        match &self.disk {
            Some(disk) if disk.is_removed => self.move_to_new_file()?,
            Some(disk) if disk.writable => {}
            _ => self.reopen(),
        }
        match self.append_to_disk(records) {
            Ok(place) => {
                tracing::info!(journal = %place.journal, "the journal can be written again");
                self.on_disk = true;
                self.retry_at = None;
                Ok(place)
            }
            Err(Failed(reason)) => {
                self.reopen();
                Err(reason)
            }
        }
    }
}
