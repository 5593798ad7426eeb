//! The journal in its file: one redb transaction for each append.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use daemon::random;
use redb::{
    Builder, Database, DatabaseError, Error, ReadableDatabase, ReadableTable, StorageBackend,
    StorageError,
};
use wire::{JournalId, Serial};

use super::bounded::Bounded;
use super::format::{self, Content, Unfit};
use super::index::Index;
use super::medium::Medium;
use super::overlay::Overlay;
use super::record::Record;
use super::space::{PAGE, Space, Step};

/// What redb may keep of the file in memory, in bytes; its default is a gigabyte.
const CACHE: usize = 4 * 1024 * 1024;

/// What a record takes in a page beside its own bytes: its number and where it lies.
const OVERHEAD: u64 = 16;

/// How often room is looked for before the file is said to be full: the second time follows a
/// pruning, and the others are for pages that are scattered.
const ATTEMPTS: u32 = 10;

/// Why a file can't be opened.
#[derive(Debug)]
pub(super) enum Failure {
    /// A newer version of this program wrote it.
    Newer { found: usize },
    /// Another process has it.
    InUse,
    /// It is damaged, or not this journal.
    Corrupt(String),
    /// It can't be read, or not written.
    Unusable(String),
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Newer { found } => Self::Newer { found },
            Unfit::Content(text) => Self::Corrupt(text),
            Unfit::Storage(error) => error.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind::{InvalidData, UnexpectedEof};
        match error {
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::InUse,
            // What is no file of redb's, and what ends before its end.
            Error::Io(error) if matches!(error.kind(), InvalidData | UnexpectedEof) => {
                Self::Corrupt(error.to_string())
            }
            Error::Io(_) | Error::PreviousIo | Error::Backend(_) | Error::Unsupported => {
                Self::Unusable(error.to_string())
            }
            error => Self::Corrupt(error.to_string()),
        }
    }
}

/// A step that failed in mid-run, in words.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// The database, which readers share with the one that appends. It is locked for writing only
/// while it is closed and opened again.
#[derive(Debug, Default)]
pub(super) struct Handle(RwLock<Option<Database>>);

impl Handle {
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, Failed> {
        let guard = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let database = guard
            .as_ref()
            .ok_or_else(|| Failed("it is closed".to_owned()))?;
        // redb panics on some damage that it meets.
        match catch_unwind(AssertUnwindSafe(|| work(database))) {
            Ok(result) => Ok(result?),
            Err(_) => Err(Failed("it is damaged".to_owned())),
        }
    }

    /// The records in a range of numbers, lowest first, at most `limit`. What can't be decoded is
    /// left out.
    pub(super) fn records(
        &self,
        range: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Record)>, Failed> {
        self.with(|database| {
            let table = database.begin_read()?.open_table(format::RECORDS)?;
            let mut records = Vec::new();
            for row in table.range(range)?.take(limit) {
                let (seq, bytes) = row?;
                if let Some(record) = Record::decode(bytes.value()) {
                    records.push((seq.value(), record));
                }
            }
            Ok(records)
        })
    }

    fn close(&self) {
        let mut guard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let database = guard.take();
        // Closing commits once more, which can fail as any commit does: the next opening repairs.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(database)));
    }
}

/// What a file is known to have: id shown, id written, and highest number.
#[derive(Debug, Clone)]
pub(super) struct Known {
    id: JournalId,
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
    /// The id in the file, which is another one until the next append.
    written_id: JournalId,
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
            Ok(Self::new(medium, size, database, length, content, true))
        })
    }

    /// Opens a journal that can't be written.
    pub(super) fn open_to_read(medium: &Arc<dyn Medium>, envoy: &Serial) -> Result<Self, Failure> {
        contained(|| {
            let (backend, is_synced) = medium.open_to_read().map_err(unusable)?;
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
            handle: Arc::new(Handle(RwLock::new(Some(database)))),
            id: content.id.clone(),
            written_id: content.id,
            first: content.first,
            last: content.last,
            delivered_below: content.delivered_below,
            index: Arc::new(content.index),
            writable,
            length,
            room: 0,
            counted_at: 0,
        }
    }

    /// Appends in one durable transaction, after making room.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), Failed> {
        let encoded: Vec<Vec<u8>> = records.iter().map(Record::encode).collect();
        let bytes = encoded.iter().map(|record| taken(record)).sum();
        // redb lengthens the file and shortens it, and then there is another bound to what it may
        // become.
        if bytes > self.room || self.length.load(Ordering::Relaxed) != self.counted_at {
            self.make_room(bytes)?;
        }
        let last = self.last + records.len() as u64;
        let id = self.id.clone();
        self.handle.with(|database| {
            let transaction = database.begin_write()?;
            let mut table = transaction.open_table(format::RECORDS)?;
            for (seq, record) in (self.last + 1..).zip(&encoded) {
                table.insert(seq, record.as_slice())?;
            }
            drop(table);
            let (last, below) = (last.to_string(), self.delivered_below.to_string());
            let meta = [
                (format::ID, id.as_str()),
                (format::LAST_SEQ, &last),
                (format::DELIVERED_BELOW, &below),
            ];
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
    pub(super) fn resume(&mut self, known: Known) {
        let unchanged = self.written_id == known.written_id && self.last == known.last;
        self.id = if unchanged { known.id } else { random::id() };
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
        let mut guard = self
            .handle
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let closing = guard.take();
        let opened = contained(|| {
            drop(closing);
            database(self.medium.as_ref(), self.size, Some(length))
        });
        match opened {
            Ok((database, length)) => {
                *guard = Some(database);
                self.length = length;
                Ok(())
            }
            Err(failure) => Err(Failed(format!("{failure:?}"))),
        }
    }
}

/// What a record takes, in bytes.
fn taken(record: &[u8]) -> u64 {
    record.len() as u64 + OVERHEAD
}

fn unusable(error: std::io::Error) -> Failure {
    Failure::Unusable(error.to_string())
}

/// redb panics on some damaged files.
fn contained<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::Corrupt("redb can't make sense of it".to_owned())))
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    // Without the check redb trusts what it finds after a clean shutdown, and panics if it was
    // damaged since.
    builder
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true);
    builder
}

/// Opens the file, and says how long it is from then on.
fn database(
    medium: &dyn Medium,
    size: u64,
    extend_to: Option<u64>,
) -> Result<(Database, Arc<AtomicU64>), Failure> {
    let open = || {
        let backend = medium.open().map_err(unusable)?;
        if let Some(length) = extend_to
            && backend.len().map_err(unusable)? < length
        {
            backend.set_len(length).map_err(unusable)?;
            backend.sync_data().map_err(unusable)?;
        }
        let backend = Bounded::new(backend, size).map_err(unusable)?;
        let length = backend.length();
        let database = builder().create_with_backend(backend)?;
        Ok((database, length))
    };
    match open() {
        Err(Failure::Corrupt(reason)) => {
            let backend = medium.open().map_err(unusable)?;
            if !was_never_finished(backend.as_ref()).map_err(unusable)? {
                return Err(Failure::Corrupt(reason));
            }
            backend.set_len(0).map_err(unusable)?;
            drop(backend);
            open()
        }
        result => result,
    }
}

/// Whether the making of the file was interrupted, so that nothing was ever in it: redb writes its
/// first nine bytes last, and before them nothing but the rest of the first page.
fn was_never_finished(backend: &dyn StorageBackend) -> std::io::Result<bool> {
    const LONGEST: u64 = 32 * PAGE;
    let length = backend.len()?;
    if length > LONGEST {
        return Ok(false);
    }
    let mut content = vec![0; usize::try_from(length).unwrap_or_default()];
    backend.read(0, &mut content)?;
    let mut bytes = content.iter().zip(0..);
    Ok(bytes.all(|(byte, at)| *byte == 0 || (9..PAGE).contains(&at)))
}

fn used_pages(database: &Database) -> Result<u64, Error> {
    let transaction = database.begin_write()?;
    let used = transaction.stats()?.allocated_pages();
    transaction.abort()?;
    Ok(used)
}

/// Removes the lowest records that together take `bytes`, in one transaction; the newest and the
/// last of each inverter are kept apart. Returns the lowest number that is left.
fn prune(database: &Database, index: &Index, bytes: u64) -> Result<Option<u64>, Error> {
    let transaction = database.begin_write()?;
    let first = {
        let mut records = transaction.open_table(format::RECORDS)?;
        let mut newest = transaction.open_table(format::NEWEST)?;
        let mut last = transaction.open_table(format::LAST)?;
        let mut removed = 0;
        let mut upto = 0;
        for row in records.iter()? {
            let (seq, value) = row?;
            if removed >= bytes {
                break;
            }
            upto = seq.value();
            removed += taken(value.value());
            let Some(record) = Record::decode(value.value()) else {
                continue;
            };
            let serial = record.serial();
            if index.is_newest(serial, upto) {
                newest.insert(serial.as_str(), (upto, value.value()))?;
            }
            if index.is_last(serial, upto) {
                let seconds = record.reported_at().unix_seconds();
                last.insert(serial.as_str(), (upto, seconds))?;
            }
        }
        records.retain_in(..=upto, |_, _| false)?;
        records.first()?.map(|(seq, _)| seq.value())
    };
    transaction.commit()?;
    // redb uses the pages that this gave up after the next transaction.
    database.begin_write()?.commit()?;
    Ok(first)
}

/// Makes a file that is too long, because its size was set lower, short enough.
fn fit(database: &mut Database, length: &AtomicU64, size: u64) -> Result<(), Failure> {
    if length.load(Ordering::Relaxed) <= size {
        return Ok(());
    }
    let index = format::read(database)?.index;
    for _ in 0..ATTEMPTS {
        let used = used_pages(database)?;
        match (Space {
            size,
            length: size,
            used,
        })
        .next(0)
        {
            Step::Prune { bytes } => drop(prune(database, &index, bytes)?),
            Step::Append { .. } | Step::Extend { .. } => break,
        }
    }
    database.compact().map_err(Error::from)?;
    Ok(())
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Error::from(error).into()
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Error::from(error).into()
    }
}
