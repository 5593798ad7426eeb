//! The journal in its file: one redb transaction for each append.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use daemon::random;
use redb::{Database, ReadableDatabase};
use wire::{JournalId, Serial};

use super::bounded::Bounded;
use super::format::{self, Content};
use super::handle::{Failed, Handle};
use super::index::Index;
use super::medium::{self, Medium};
use super::opening::{Failure, builder, contained, database, unusable};
use super::overlay::Overlay;
use super::pages::{ATTEMPTS, fit, prune, taken, used_pages};
use super::record;
use super::space::{PAGE, Space, Step};
use wire::Measured;

/// What a file is known to have: id shown, id written, and highest number.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: JournalId,
    written_id: JournalId,
    last: u64,
}

/// A journal on disk, as the one that appends sees it.
#[derive(Debug)]
pub(super) struct Disk {
    medium: Arc<dyn Medium>,
    size: u64,
    pub(super) handle: Arc<Handle>,
    pub(super) id: JournalId,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) delivered_below: u64,
    pub(super) index: Arc<Index>,
    /// Whether it can be appended to, or only read.
    pub(super) writable: bool,
    /// Whether its file was removed: it ends with this process.
    pub(super) is_removed: bool,
    /// The id in the file, which is another one until the next append.
    written_id: JournalId,
    /// When the file was made, where that is known.
    birth: Option<String>,
    length: Arc<AtomicU64>,
    /// Bytes that may be appended before pages are counted again.
    room: u64,
    /// The length of the file when they were counted.
    counted_at: u64,
}

impl Disk {
    /// Opens the journal for appending; makes it when there is none.
    pub(super) fn open(
        medium: &Arc<dyn Medium>,
        envoy: &Serial,
        size: u64,
    ) -> Result<Self, Failure> {
        contained(|| {
            let (mut database, length) = database(medium.as_ref(), size, None)?;
            format::prepare(&database, envoy)?;
            // Also of a file that is not new: who made it may have been killed before this.
            medium.sync_entry().map_err(unusable)?;
            fit(&mut database, &length, size)?;
            let content = format::read(&database)?;
            let mut disk = Self::new(medium, size, database, length, content, true);
            disk.notice_a_copy();
            Ok(disk)
        })
    }

    /// Opens a journal that can't be written.
    pub(super) fn open_to_read(medium: &Arc<dyn Medium>, envoy: &Serial) -> Result<Self, Failure> {
        contained(|| {
            let (backend, is_synced) = medium::open_to_read(medium.as_ref()).map_err(unusable)?;
            let backend = Overlay::new(backend).map_err(unusable)?;
            let backend = Bounded::new(Box::new(backend), u64::MAX).map_err(unusable)?;
            let length = backend.length();
            if length.load(Ordering::Relaxed) == 0 {
                return Err(Failure::Unusable("it is empty".to_owned()));
            }
            let database = builder().create_with_backend(backend)?;
            if format::prepare(&database, envoy)? {
                return Err(Failure::Unusable("it is empty".to_owned()));
            }
            let content = format::read(&database)?;
            let mut disk = Self::new(medium, 0, database, length, content, false);
            if !is_synced {
                // What is there may be gone after a power failure, and its numbers given again.
                disk.id = random::id();
            }
            Ok(disk)
        })
    }

    fn new(
        medium: &Arc<dyn Medium>,
        size: u64,
        database: Database,
        length: Arc<AtomicU64>,
        content: Content,
        writable: bool,
    ) -> Self {
        Self {
            medium: Arc::clone(medium),
            size,
            handle: Arc::new(Handle::new(database)),
            id: content.id.clone(),
            written_id: content.id,
            birth: content.birth,
            first: content.first,
            last: content.last,
            delivered_below: content.delivered_below,
            index: Arc::new(content.index),
            writable,
            is_removed: false,
            length,
            room: 0,
            counted_at: 0,
        }
    }

    /// The length of the file, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    /// A file that was made at another time than its content says is a copy: the numbers that follow may
    /// have been given already, here or elsewhere. It gets a new id, written with the next append.
    fn notice_a_copy(&mut self) {
        let made = self.medium.birth();
        if self.birth.is_some() && made.is_some() && self.birth != made {
            self.id = random::id();
            tracing::warn!(
                path = %self.medium.path().display(),
                from = %self.written_id,
                to = %self.id,
                "this journal is a copy of another file; it goes on under a new id, and receivers fetch \
                 all of it again. Never restore or copy a journal: start with an empty one"
            );
        }
        self.birth = made;
    }

    /// Appends in one durable transaction, after making room.
    pub(super) fn append(&mut self, records: &[Measured]) -> Result<(), Failed> {
        let encoded: Vec<Vec<u8>> = records.iter().map(record::encode).collect();
        let bytes = encoded.iter().map(|record| taken(record)).sum();
        // redb lengthens the file and shortens it, and then there is another bound to what it may
        // become.
        if bytes > self.room || self.length.load(Ordering::Relaxed) != self.counted_at {
            self.make_room(bytes)?;
        }
        let last = self.last + records.len() as u64;
        let (id, birth) = (self.id.clone(), self.birth.as_deref());
        self.handle.with(|database| {
            let transaction = database.begin_write()?;
            let mut table = transaction.open_table(format::RECORDS)?;
            for (seq, record) in (self.last + 1..).zip(&encoded) {
                table.insert(seq, record.as_slice())?;
            }
            drop(table);
            let (last, below) = (last.to_string(), self.delivered_below.to_string());
            let mut meta = vec![
                (format::ID, id.as_str()),
                (format::LAST_SEQ, &last),
                (format::DELIVERED_BELOW, &below),
            ];
            meta.extend(birth.map(|birth| (format::BIRTH, birth)));
            format::set_meta(&transaction, &meta)?;
            transaction.commit()?;
            Ok(())
        })?;
        let index = Arc::make_mut(&mut self.index);
        for (seq, record) in (self.last + 1..).zip(records) {
            index.add(seq, record);
        }
        self.last = last;
        self.room = self.room.saturating_sub(bytes);
        self.written_id = id;
        Ok(())
    }

    /// What the file is known to have.
    pub(super) fn known(&self) -> Known {
        Known {
            id: self.id.clone(),
            written_id: self.written_id.clone(),
            last: self.last,
        }
    }

    /// Takes up the journal after a failure. When the file is not as it was known to be (an append
    /// that failed is in it all the same, or another process had it) its content is not what was
    /// announced under its id, or may yet be gone after a power failure: it gets a new id, shown
    /// from now on and written with the next append.
    ///
    /// Returns whether all that was known to be in it is still there, under the same numbers. It is not
    /// in another file that has taken its place.
    pub(super) fn resume(&mut self, known: &Known) -> bool {
        let unchanged = self.written_id == known.written_id && self.last == known.last;
        self.id = if unchanged {
            known.id.clone()
        } else {
            random::id()
        };
        // The id shown may have been written by an append that failed.
        [&known.written_id, &known.id].contains(&&self.written_id) && self.last >= known.last
    }

    /// Whether no reading was ever in it.
    pub(super) fn is_new(&self) -> bool {
        self.last == 0
    }

    /// Takes over all that another journal holds, under the same numbers but its own id: all of it or
    /// nothing, in one durable transaction. Before that nothing may have been in it.
    pub(super) fn take_over(&mut self, other: &Self) -> Result<(), Failed> {
        // What the other one's file had room for.
        let length = other.length.load(Ordering::Relaxed);
        self.extend(length.min(self.size / PAGE * PAGE))?;
        let source = other.handle.with(|database| Ok(database.begin_read()?))?;
        self.handle.with(|database| {
            let transaction = database.begin_write()?;
            format::copy(&source, &transaction, other.last)?;
            let (last, below) = (other.last.to_string(), other.delivered_below.to_string());
            let meta = [(format::LAST_SEQ, last), (format::DELIVERED_BELOW, below)];
            format::set_meta(
                &transaction,
                &meta.each_ref().map(|(key, value)| (*key, value.as_str())),
            )?;
            transaction.commit()?;
            Ok(())
        })?;
        self.first = other.first;
        self.last = other.last;
        self.delivered_below = other.delivered_below;
        self.index = Arc::clone(&other.index);
        self.room = 0;
        Ok(())
    }

    /// Ends all use of the file.
    pub(super) fn close(&self) {
        self.handle.close();
    }

    fn make_room(&mut self, bytes: u64) -> Result<(), Failed> {
        for _ in 0..ATTEMPTS {
            let used = self.handle.with(used_pages)?;
            let space = Space {
                size: self.size,
                length: self.length.load(Ordering::Relaxed),
                used,
            };
            match space.next(bytes) {
                Step::Append { room } => {
                    self.room = room;
                    self.counted_at = space.length;
                    return Ok(());
                }
                Step::Extend { length } => self.extend(length)?,
                Step::Prune { bytes } => {
                    self.first = self
                        .handle
                        .with(|database| prune(database, &self.index, bytes))?
                        .unwrap_or(self.last + 1);
                }
            }
        }
        Err(Failed(format!(
            "the readings of one poll and the newest of each inverter don't fit into {} bytes",
            self.size
        )))
    }

    /// Gives the file a length that redb would not: opening a file that is longer than it was is
    /// a repair, which redb does as after a power failure.
    fn extend(&mut self, length: u64) -> Result<(), Failed> {
        let opened = self.handle.replace(|closing| {
            contained(|| {
                drop(closing);
                database(self.medium.as_ref(), self.size, Some(length))
            })
        });
        self.length = opened.map_err(|failure| Failed(failure.to_string()))?;
        Ok(())
    }
}
