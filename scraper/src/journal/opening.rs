//! Opening the file, and what can be wrong with it.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use redb::{Builder, Database, DatabaseError, Error, StorageBackend, StorageError};

use super::bounded::Bounded;
use super::format::Unfit;
use super::medium::{self, Medium};
use super::space::PAGE;

/// What redb may keep of the file in memory, in bytes; its default is a gigabyte.
const CACHE: usize = 4 * 1024 * 1024;

/// The newest version of redb's file format that it knows.
pub(super) const KNOWN_FILE: u8 = 3;

/// Why a file can't be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A newer version of this program wrote it.
    #[error("a newer version of this program wrote it (format {found})")]
    Newer { found: usize },
    /// A newer version of redb wrote it.
    #[error("a newer version of this program wrote it (redb's file format {found})")]
    NewerFile { found: u8 },
    /// Another process has it.
    #[error("another process has it")]
    InUse,
    /// It is damaged, or not this journal.
    #[error("{0}")]
    Corrupt(String),
    /// It can't be read, or not written.
    #[error("{0}")]
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
        match error {
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::InUse,
            // What is no file of redb's, and what ends before its end.
            Error::Io(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidData | ErrorKind::UnexpectedEof
                ) =>
            {
                Self::Corrupt(error.to_string())
            }
            Error::Io(_) | Error::PreviousIo | Error::Backend(_) | Error::Unsupported => {
                Self::Unusable(error.to_string())
            }
            error => Self::Corrupt(error.to_string()),
        }
    }
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

pub(super) fn unusable<E: std::fmt::Display>(error: E) -> Failure {
    Failure::Unusable(error.to_string())
}

/// redb panics on some damaged files.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::Corrupt("redb can't make sense of it".to_owned())))
}

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    // Without the check redb trusts what it finds after a clean shutdown, and panics if it was
    // damaged since.
    builder
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true);
    builder
}

/// Opens the file, and says how long it is from then on.
pub(super) fn database(
    medium: &dyn Medium,
    size: u64,
    extend_to: Option<u64>,
) -> Result<(Database, Arc<AtomicU64>), Failure> {
    let open = || {
        let backend = medium::open(medium).map_err(unusable)?;
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
            let backend = medium::open(medium).map_err(unusable)?;
            if let Some(found) = newer_file(backend.as_ref()).map_err(unusable)? {
                return Err(Failure::NewerFile { found });
            }
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

/// The version of redb's file format, where it is none that the redb of this program knows: redb says the
/// same of it as of a damaged file.
///
/// It stands in both of redb's commit slots. Damage would have to make the same of both, and a number that
/// a version may have.
pub(super) fn newer_file(backend: &dyn StorageBackend) -> std::io::Result<Option<u8>> {
    const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
    const SLOTS: [usize; 2] = [64, 192];
    /// No version for a long time to come.
    const UNLIKELY: u8 = 32;
    let mut head = [0; 320];
    if backend.len()? < head.len() as u64 {
        return Ok(None);
    }
    backend.read(0, &mut head)?;
    let [found, other] = SLOTS.map(|slot| head[slot]);
    let is_one = head.starts_with(MAGIC) && found == other;
    Ok((is_one && (KNOWN_FILE + 1..UNLIKELY).contains(&found)).then_some(found))
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
