//! When the scraper must not start.

use std::path::PathBuf;

use super::format::KNOWN;
use super::opening::KNOWN_FILE;

/// Why the scraper must not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer version of this program wrote the file: run that one, or begin with an empty
    /// journal.
    #[error(
        "{path} has version {found} of the journal's format, and this program knows only those up \
         to {known}: run the version that wrote it, or move the file away to begin a new journal \
         (what is in it and no receiver has is lost then)",
        path = path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: usize,
        /// The newest version known here.
        known: usize,
    },
    /// The same, where the newer version has another way to store files altogether.
    #[error(
        "{path} is a file of version {found} of redb's format, and this program knows only those up \
         to {known}: run the version that wrote it, or move the file away to begin a new journal \
         (what is in it and no receiver has is lost then)",
        path = path.display()
    )]
    NewerFile {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: u8,
        /// The newest version known here.
        known: u8,
    },
    /// Another process has the file open: end it, or give this one another directory.
    #[error(
        "{path} is in use by another process: is a second scraper running for this Envoy? End it, \
         or give one of them another directory",
        path = path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

impl OpenError {
    pub(super) fn newer(path: PathBuf, found: usize) -> Self {
        Self::Newer {
            path,
            found,
            known: KNOWN,
        }
    }

    pub(super) fn newer_file(path: PathBuf, found: u8) -> Self {
        Self::NewerFile {
            path,
            found,
            known: KNOWN_FILE,
        }
    }
}
