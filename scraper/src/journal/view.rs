//! What readers see of the journals: as they were after the last append.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError};

use wire::{JournalId, JournalSpan, Measured, Reading, Serial, Subject};

use super::disk::Disk;
use super::handle::{Failed, Handle};
use super::index::Index;
use super::memory::{Memory, Records};
use super::writer::Writer;

/// The journals, the one that is appended to first; never none.
#[derive(Debug)]
pub(super) struct View {
    pub(super) journals: Vec<Held>,
    /// What the file on disk takes up, in bytes.
    pub(super) bytes: u64,
    /// The ids that they had, each with the one after it.
    pub(super) successions: Vec<(JournalId, JournalId)>,
}

/// A journal that is announced.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) span: JournalSpan,
    index: Arc<Index>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Disk(Arc<Handle>),
    Memory(Records),
}

impl View {
    pub(super) fn of(writer: &Writer) -> Self {
        let disk = writer.disk.as_ref().map(Held::on_disk);
        let memory = writer.memory.as_ref().map(Held::in_memory);
        let (first, second) = if writer.on_disk {
            (disk, memory)
        } else {
            (memory, disk)
        };
        Self {
            journals: first.into_iter().chain(second).collect(),
            bytes: writer.disk.as_ref().map_or(0, Disk::bytes),
            successions: writer.successions.clone(),
        }
    }

    /// A reading; none when its journal does not hold it.
    pub(super) fn reading(
        &self,
        envoy: &Serial,
        journal: &JournalId,
        seq: u64,
    ) -> Result<Option<Reading>, Failed> {
        let held = self
            .held(journal)
            .ok_or_else(|| Failed("it is not held".to_owned()))?;
        // The newest of a subject outlives its place.
        let newest = held.index.newest().find(|(newest, _)| *newest == seq);
        let record = match newest {
            Some((_, record)) => Some(record.clone()),
            None => held.records(seq..=seq, 1)?.pop().map(|(_, record)| record),
        };
        Ok(record.map(|record| record.numbered(envoy.clone(), journal.clone(), seq)))
    }

    pub(super) fn readings(
        &self,
        envoy: &Serial,
        journal: &JournalId,
        range: RangeInclusive<u64>,
        limit: usize,
    ) -> Vec<Reading> {
        let records = self
            .held(journal)
            .and_then(|held| held.records(range, limit).ok());
        records
            .unwrap_or_default()
            .into_iter()
            .map(|(seq, record)| record.numbered(envoy.clone(), journal.clone(), seq))
            .collect()
    }

    fn held(&self, journal: &JournalId) -> Option<&Held> {
        self.journals.iter().find(|held| held.span.id() == journal)
    }

    /// Of two with one report time that of the first journal is the newer.
    pub(super) fn newest(&self, envoy: &Serial) -> Vec<Reading> {
        let mut newest: HashMap<Subject, (&JournalId, u64, &Measured)> = HashMap::new();
        for held in &self.journals {
            for (seq, record) in held.index.newest() {
                let subject = record.subject();
                let is_newer = newest
                    .get(&subject)
                    .is_none_or(|(_, _, other)| other.at() < record.at());
                if is_newer {
                    newest.insert(subject, (held.span.id(), seq, record));
                }
            }
        }
        newest
            .into_values()
            .map(|(journal, seq, record)| {
                record.clone().numbered(envoy.clone(), journal.clone(), seq)
            })
            .collect()
    }
}

impl Held {
    fn on_disk(disk: &Disk) -> Self {
        Self {
            span: span(&disk.id, disk.first, disk.last),
            index: Arc::clone(&disk.index),
            content: Content::Disk(Arc::clone(&disk.handle)),
        }
    }

    fn in_memory(memory: &Memory) -> Self {
        Self {
            span: span(&memory.id, memory.first(), memory.last),
            index: Arc::clone(&memory.index),
            content: Content::Memory(Arc::clone(&memory.records)),
        }
    }

    fn records(
        &self,
        range: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Measured)>, Failed> {
        // An append that is under way, or has failed, may be in the file already.
        let first = self.span.first().max(*range.start());
        let last = self.span.last().min(*range.end());
        if first > last {
            return Ok(Vec::new());
        }
        match &self.content {
            Content::Disk(handle) => handle.records(first..=last, limit),
            Content::Memory(records) => Ok(records
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .range(first..=last)
                .take(limit)
                .map(|(seq, record)| (*seq, record.clone()))
                .collect()),
        }
    }
}

fn span(id: &JournalId, first: u64, last: u64) -> JournalSpan {
    JournalSpan::new(id.clone(), first, last).expect(
        "journals hold what lies between their lowest number and the highest ever given, and at a \
         thousand readings a second that takes 285,000 years to become too high",
    )
}
