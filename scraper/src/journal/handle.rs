//! The open database, which readers share with the one that appends.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{PoisonError, RwLock};

use redb::{Database, Error, ReadableDatabase};

use super::format;
use super::opening::Failure;
use super::record;
use wire::Measured;

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
    pub(super) fn new(database: Database) -> Self {
        Self(RwLock::new(Some(database)))
    }

    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Error>,
    ) -> Result<T, Failed> {
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
    ) -> Result<Vec<(u64, Measured)>, Failed> {
        self.with(|database| {
            let table = database.begin_read()?.open_table(format::RECORDS)?;
            let mut records = Vec::new();
            for row in table.range(range)?.take(limit) {
                let (seq, bytes) = row?;
                if let Some(record) = record::decode(bytes.value()) {
                    records.push((seq.value(), record));
                }
            }
            Ok(records)
        })
    }

    /// Puts another database in the place of this one, which is closed before that is opened; or
    /// nothing, if that fails. Readers wait.
    pub(super) fn replace<T>(
        &self,
        open: impl FnOnce(Option<Database>) -> Result<(Database, T), Failure>,
    ) -> Result<T, Failure> {
        let mut guard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let closing = guard.take();
        let (database, rest) = open(closing)?;
        *guard = Some(database);
        Ok(rest)
    }

    /// Ends all use of the file.
    pub(super) fn close(&self) {
        let mut guard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let database = guard.take();
        // Closing commits once more, which can fail as any commit does: the next opening repairs.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(database)));
    }
}
