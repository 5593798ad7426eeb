//! The journal: every reading is in it, durably, before it is published.
//!
//! It gives readings their numbers, consecutive from 1; one pair of journal and number never names
//! two readings. In reading order: `record` is what is kept of a reading and `index` the newest of
//! each inverter; `format` is the file's tables; `disk` appends to it, through a `handle` that readers
//! share, with the `space` that it may take, counted in `pages` and kept by `bounded`; `opening` says
//! what can be wrong with a file, and `medium` where it lies; `memory` stands in for a disk that
//! fails, beside an `overlay` that reads what it still can; `writer` chooses between them;
//! `delivering` is what the delivery needs of all this.
//!
//! ```text
//! poller:    append ── Mutex<Writer> ── disk (fsync) ─┐ then
//! publisher: spans, readings, newest ── View ◄────────┘ (replaced in no time)
//! ```
//!
//! Readers never take the writer's lock, and redb lets them read while it commits.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use wire::{JournalId, JournalSpan, Measured, Reading, ReportTime, Serial, Subject};

use medium::{InDirectory, Medium};
use writer::Writer;

mod index;
mod record;

mod bounded;
mod disk;
mod format;
mod handle;
mod medium;
mod opening;
mod pages;
mod space;

mod memory;
mod overlay;
mod view;
mod writer;

mod delivering;

mod refusal;

pub(crate) use medium::file_of;
pub use medium::remembered_serial;
pub use refusal::OpenError;
use view::View;

/// Readings that a journal in memory holds. At some 300 bytes each they take 12 MB at most: ten
/// days of 100 inverters that report each 15 minutes for 10 hours a day.
pub const MEMORY_CAPACITY: usize = 40_000;

/// How long a disk that failed is left alone, unless [`Journals::retry_after`] says otherwise.
pub const RETRY: Duration = Duration::from_mins(1);

/// The least and the most that the file may take, in bytes: redb needs some room to work in, and
/// beyond 2 GiB it lengthens a file by other rules.
const SIZES: RangeInclusive<u64> = 1024 * 1024..=2 * 1024 * 1024 * 1024;

/// What to do about a journal that can't be used.
const REMEDY: &str = "see to it that its directory exists, that the scraper's user may write there \
                      and that the disk has room: the scraper tries again each minute";

/// The journals of one Envoy that this process holds: one, or one on disk and one in memory. Cheap
/// to clone.
#[derive(Debug, Clone)]
pub struct Journals(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    envoy: Serial,
    /// Held through an append and its fsync.
    writer: Mutex<Writer>,
    /// What readers see; never held for longer than it takes to copy a pointer.
    view: RwLock<Arc<View>>,
    /// The time of the last reading of each subject, in whichever journal.
    last_reports: Mutex<HashMap<Subject, ReportTime>>,
    /// The journal on disk, and below which number all was delivered.
    delivered: Mutex<Option<(JournalId, u64)>>,
}

impl Journals {
    /// Opens the journal `journal-<serial>.redb` in a directory, and makes both when missing. The
    /// file takes up to `size` bytes, 1 MiB to 2 GiB (what is less or more counts as that).
    ///
    /// Blocks: reads the whole file, and syncs it.
    ///
    /// # Errors
    /// Only where going on would do harm. A journal that can't be used, or written, is said at
    /// ERROR, and readings are kept in memory; the disk is tried again each minute. A damaged file
    /// is set aside, said at ERROR, and a new one begun.
    pub fn open(directory: &Path, envoy: &Serial, size: u64) -> Result<Self, OpenError> {
        let medium = Arc::new(InDirectory::new(directory, envoy));
        let size = size.clamp(*SIZES.start(), *SIZES.end());
        Self::open_on(medium, envoy, size, Instant::now())
    }

    /// Leaves a disk that failed alone for so long.
    pub fn retry_after(&self, pause: Duration) {
        self.writer().retry_after(pause, Instant::now());
    }

    /// A journal in memory that holds `capacity` readings, at least 1: it ends with the process.
    #[cfg(test)]
    fn in_memory(envoy: &Serial, capacity: usize) -> Self {
        Self::new(envoy, Writer::in_memory(envoy.clone(), capacity))
    }

    fn open_on(
        medium: Arc<dyn Medium>,
        envoy: &Serial,
        size: u64,
        now: Instant,
    ) -> Result<Self, OpenError> {
        let writer = Writer::open(medium, envoy.clone(), size, MEMORY_CAPACITY, now)?;
        Ok(Self::new(envoy, writer))
    }

    fn new(envoy: &Serial, writer: Writer) -> Self {
        let disk = writer.disk.as_ref();
        let last = disk.map(|disk| {
            let last = disk.index.last();
            last.map(|(subject, at)| (subject.clone(), at)).collect()
        });
        Self(Arc::new(Shared {
            envoy: envoy.clone(),
            last_reports: Mutex::new(last.unwrap_or_default()),
            delivered: Mutex::new(disk.map(|disk| (disk.id.clone(), disk.delivered_below))),
            view: RwLock::new(Arc::new(View::of(&writer))),
            writer: Mutex::new(writer),
        }))
    }

    /// Appends what one poll brought, and returns it with its place in a journal, in the same
    /// order. When this returns it is on disk; or, if that fails, which is said at ERROR once, in
    /// memory. Each append, also of nothing, tries a disk that failed again, a minute after the last
    /// attempt, and makes a file anew that was removed meanwhile, which is said at ERROR.
    ///
    /// Blocks until the disk has it.
    #[allow(clippy::must_use_candidate, reason = "to append is what it is for")]
    pub fn append<M: Into<Measured>>(&self, new: Vec<M>) -> Vec<Reading> {
        self.append_at(new, Instant::now())
    }

    fn append_at<M: Into<Measured>>(&self, new: Vec<M>, now: Instant) -> Vec<Reading> {
        let mut writer = self.writer();
        let records: Vec<Measured> = new.into_iter().map(Into::into).collect();
        let mut readings = Vec::with_capacity(records.len());
        self.pass_on_delivered(&mut writer);
        writer.watch(now);
        // A disk that failed is tried again also when there is nothing to write, as at night.
        let nothing = (records.is_empty() && !writer.on_disk).then_some(&records[..]);
        for records in records.chunks(writer.most_at_once()).chain(nothing) {
            self.pass_on_delivered(&mut writer);
            let place = writer.append(records, now);
            let numbered = (place.first..).zip(records.iter().cloned());
            readings.extend(numbered.map(|(seq, record)| {
                record.numbered(self.0.envoy.clone(), place.journal.clone(), seq)
            }));
        }
        lock(&self.0.last_reports)
            .extend(records.iter().map(|record| (record.subject(), record.at())));
        self.show(&writer);
        readings
    }

    fn pass_on_delivered(&self, writer: &mut Writer) {
        if let (Some(disk), Some((journal, below))) = (&mut writer.disk, &*lock(&self.0.delivered))
            && disk.id == *journal
        {
            disk.delivered_below = *below;
        }
    }

    /// What to announce: the journals held, the one that is appended to first.
    #[must_use]
    pub fn spans(&self) -> Vec<JournalSpan> {
        let view = self.view();
        view.journals.iter().map(|held| held.span.clone()).collect()
    }

    /// The size of the file on disk after the last append, in bytes; 0 without one.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.view().bytes
    }

    /// The id of the journal that is appended to.
    #[must_use]
    pub fn id(&self) -> JournalId {
        self.view().journals[0].span.id().clone()
    }

    /// A reading by its place; none when no journal holds it (any more), or it can't be read.
    #[must_use]
    pub fn reading(&self, journal: &JournalId, seq: u64) -> Option<Reading> {
        let found = self.view().reading(&self.0.envoy, journal, seq);
        found.ok().flatten()
    }

    /// The readings of a journal in a range of numbers, lowest first, from at most `limit` numbers
    /// that it holds. What can't be read is left out.
    #[must_use]
    pub fn readings(
        &self,
        journal: &JournalId,
        range: RangeInclusive<u64>,
        limit: usize,
    ) -> Vec<Reading> {
        self.view().readings(&self.0.envoy, journal, range, limit)
    }

    /// The newest reading of each subject, by its time, from all journals held.
    #[must_use]
    pub fn newest(&self) -> Vec<Reading> {
        self.view().newest(&self.0.envoy)
    }

    /// The time of the reading that was appended last, for each subject: what is not new.
    #[must_use]
    pub fn last_reports(&self) -> HashMap<Subject, ReportTime> {
        lock(&self.0.last_reports).clone()
    }

    /// Gives a journal a new random id, under which its readings keep their numbers. Returns it;
    /// none when no such journal is held. When this returns the id is on disk; or, if the disk
    /// fails, used by this process and written once the disk works again.
    ///
    /// Blocks until the disk has it.
    #[allow(clippy::must_use_candidate, reason = "announcements say the new id")]
    pub fn renew(&self, journal: &JournalId) -> Option<JournalId> {
        self.renew_at(journal, Instant::now())
    }

    fn renew_at(&self, journal: &JournalId, now: Instant) -> Option<JournalId> {
        let mut writer = self.writer();
        let id = writer.renew(journal, now);
        self.show(&writer);
        id
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        lock(&self.0.writer)
    }

    fn view(&self) -> Arc<View> {
        let view = self.0.view.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&view)
    }

    fn show(&self, writer: &Writer) {
        let mut delivered = lock(&self.0.delivered);
        if let Some(disk) = &writer.disk
            && delivered.as_ref().is_none_or(|(id, _)| *id != disk.id)
        {
            *delivered = Some((disk.id.clone(), disk.delivered_below));
        }
        drop(delivered);
        let view = Arc::new(View::of(writer));
        *self.0.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

/// A panic while one of these locks was held leaves nothing half done: each change is one
/// assignment, or made by the disk.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
