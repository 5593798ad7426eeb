//! Readings in one `SQLite` file, for a household that wants no servers.

mod export;
mod flows;
mod health;
mod hours;
mod marks;
mod migrations;
mod read;
mod tables;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use wire::{Health, Reading};

pub use self::export::{Export, ExportError};
pub use self::flows::Counter;
pub use self::hours::{Hour, interval_s};
pub use self::migrations::OpenError;
pub use self::read::{QueryError, StoredReading};
use crate::marks::Marks;
use crate::write::{HealthError, Marked, MarkedStore, MarksError, WriteError, Written};

/// How long to wait for another program that has the file locked (a backup, a shell).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A database file. Clones share its two connections, one that writes and one that reads, so that
/// no query keeps a reading waiting.
#[derive(Debug, Clone)]
pub struct Sqlite {
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
}

impl Sqlite {
    /// Opens the file at `path`, or makes it; its directory must be there. An older schema is
    /// brought up to date.
    ///
    /// Blocks for as long as the disk takes.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_unless_stopped(path, || ControlFlow::Continue(()))
    }

    /// Opens the file as [`open`](Self::open) does. While it brings a large one up to date, which may take minutes,
    /// `go_on` is asked again and again; after a [`ControlFlow::Break`] the file is left as it was.
    ///
    /// Blocks for as long as the disk takes.
    pub fn open_unless_stopped(
        path: impl AsRef<Path>,
        go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let unusable = |source| OpenError::Unusable {
            path: path.to_owned(),
            source,
        };
        let mut writer = Connection::open(path).map_err(unusable)?;
        writer.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
        migrations::apply(&mut writer, path, go_on)?;
        // Readers don't wait for the writer, and a commit is one sequential write.
        writer
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(unusable)?;
        // NORMAL would sync only at checkpoints: a power cut could then take back commits, and so
        // readings whose messages have been acknowledged.
        writer
            .pragma_update(None, "synchronous", "FULL")
            .map_err(unusable)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(path, flags).map_err(unusable)?;
        reader.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            reader: Arc::new(Mutex::new(reader)),
        })
    }
}

impl MarkedStore for Sqlite {
    async fn marks(&self) -> Result<Marks, MarksError> {
        Ok(on_connection(&self.reader, |reader| marks::load(reader)).await?)
    }

    /// Readings, the sums of their hours, and marks in one transaction.
    async fn store(&self, readings: &[Reading], marks: &Marks) -> Result<Marked, WriteError> {
        let (readings, marks) = (readings.to_vec(), marks.clone());
        let stored = on_connection(&self.writer, move |writer| {
            let transaction = writer.transaction()?;
            tables::insert(&transaction, &readings)?;
            hours::keep(&transaction, &readings)?;
            let envoys = readings.iter().map(|reading| &reading.envoy);
            marks::replace(&transaction, &marks, envoys)?;
            transaction.commit()
        });
        stored.await.map_err(write_error)?;
        Ok(Marked {
            written: Written::default(),
            saved: Ok(()),
        })
    }

    async fn update(&self, changed: &Marks) -> Result<(), MarksError> {
        let changed = changed.clone();
        let saved = on_connection(&self.writer, move |writer| {
            let transaction = writer.transaction()?;
            marks::replace(&transaction, &changed, [])?;
            transaction.commit()
        });
        Ok(saved.await?)
    }

    async fn save(&self, marks: &Marks) -> Result<(), MarksError> {
        let marks = marks.clone();
        let saved = on_connection(&self.writer, move |writer| {
            let transaction = writer.transaction()?;
            marks::replace_all(&transaction, &marks)?;
            transaction.commit()
        });
        Ok(saved.await?)
    }

    async fn keep_healths(&self, healths: &[Health]) -> Result<(), HealthError> {
        let healths = healths.to_vec();
        let kept = on_connection(&self.writer, move |writer| {
            let transaction = writer.transaction()?;
            for health in &healths {
                health::keep(&transaction, health)?;
            }
            transaction.commit()
        });
        Ok(kept.await.map_err(write_error)?)
    }
}

/// Runs `work` where blocking is allowed. It runs to its end even if nobody waits for it any more.
async fn on_connection<T: Send + 'static>(
    connection: &Arc<Mutex<Connection>>,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> rusqlite::Result<T> {
    let connection = Arc::clone(connection);
    let task = tokio::task::spawn_blocking(move || {
        // A panic can't have left anything half-done: a transaction that is dropped rolls back.
        let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut connection)
    });
    match task.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is ending and did not start the work.
        Err(Err(_cancelled)) => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT),
            None,
        )),
    }
}

fn write_error(error: rusqlite::Error) -> WriteError {
    let remedy = match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "let this program write to the file and to its directory"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged: put it aside, and start with a new one or a backup"
        }
        Some(ErrorCode::DiskFull) => "make room on the disk",
        // Locked by another program, an I/O error: these pass, or show again.
        _ => {
            return WriteError::Unavailable {
                problem: "the database can't be written".to_owned(),
                retry_after: None,
                source: Some(error.into()),
            };
        }
    };
    WriteError::Configuration {
        problem: error.to_string(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_commit_is_synced_to_disk_before_it_is_answered() {
        const FULL: i64 = 2;
        let directory = tempfile::tempdir().unwrap();
        let store = Sqlite::open(directory.path().join("readings.db")).unwrap();
        let writer = store.writer.lock().unwrap();
        let synchronous: i64 = writer
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .unwrap();
        assert_eq!(synchronous, FULL);
    }
}
