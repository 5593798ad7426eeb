//! A file of names on the disk: read at the start, and again when it changes.

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use super::{Mistakes, Names};

/// The largest file that is read, in bytes: thousands of inverters.
const LARGEST: u64 = 1 << 20;

/// Why there are no names.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The file can't be read.
    #[error("can't be read")]
    Unreadable(#[source] io::Error),
    /// It is no file: a pipe would be waited for, for ever.
    #[error("is no regular file but {0}; name a file with the names")]
    NoFile(&'static str),
    /// It is no file of names.
    #[error("has more than {LARGEST} bytes, so it is no file of names")]
    Large,
}

/// What a look at the file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// The file has not changed.
    Unchanged,
    /// It was read again.
    Read {
        /// Whether the names are others now.
        are_others: bool,
    },
}

/// A file of names, which is read again when it changes.
#[derive(Debug, Clone)]
pub struct NamesFile {
    path: PathBuf,
    /// When it was changed, and its size, at the last look.
    seen: Option<(SystemTime, u64)>,
    names: Names,
    mistakes: Option<Mistakes>,
}

impl NamesFile {
    /// Reads the file. It may have [`mistakes`](Self::mistakes).
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(path: PathBuf) -> Result<Self, NamesError> {
        let mut file = Self {
            path,
            seen: None,
            names: Names::default(),
            mistakes: None,
        };
        file.look()?;
        Ok(file)
    }

    /// Reads the file again if it has changed. Where it fails the names stay as they were, until the file changes
    /// again.
    ///
    /// # Errors
    /// It can't be read: once for each change.
    pub fn look(&mut self) -> Result<Looked, NamesError> {
        let seen = self.stamp()?;
        if self.seen.is_some() && self.seen == seen.as_ref().ok().copied() {
            return Ok(Looked::Unchanged);
        }
        let was_there = self.seen.is_some();
        self.seen = seen.as_ref().ok().copied();
        let (_, size) = match seen {
            Ok(seen) => seen,
            // Said once: a file that is replaced is away for a moment, one that is gone for good.
            Err(error) if was_there || self.names == Names::default() => {
                return Err(NamesError::Unreadable(error));
            }
            Err(_) => return Ok(Looked::Unchanged),
        };
        if size > LARGEST {
            return Err(NamesError::Large);
        }
        let content = fs::read(&self.path).map_err(NamesError::Unreadable)?;
        let (names, mistakes) = Names::parse(content);
        let are_others = names != self.names;
        self.names = names;
        self.mistakes = mistakes;
        Ok(Looked::Read { are_others })
    }

    /// When the file was changed, and its size, if it is there. What is no file is none.
    fn stamp(&mut self) -> Result<io::Result<(SystemTime, u64)>, NamesError> {
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) => return Ok(Err(error)),
        };
        let stamp = metadata.modified().map(|at| (at, metadata.len()));
        match what_else(metadata.file_type()) {
            // Said once.
            Some(what) if self.seen.is_none() || self.seen != stamp.as_ref().ok().copied() => {
                self.seen = stamp.ok();
                Err(NamesError::NoFile(what))
            }
            _ => Ok(stamp),
        }
    }

    /// The names that were read last.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What is wrong with lines of the file that was read last; nobody is named by those.
    #[must_use]
    pub fn mistakes(&self) -> Option<&Mistakes> {
        self.mistakes.as_ref()
    }

    /// Where they come from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What it is that is no file.
fn what_else(kind: fs::FileType) -> Option<&'static str> {
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}
