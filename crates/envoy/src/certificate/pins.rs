//! Which certificate each Envoy had, on disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::fingerprint::{Fingerprint, NotAFingerprint};

/// Where the fingerprints of accepted certificates are kept: one file for each Envoy, with one line.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    directory: Option<PathBuf>,
    read_only: bool,
}

/// What is pinned can't be read.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// By the system.
    #[error("it can't be read")]
    Unreadable(#[from] io::Error),
    /// It holds something else.
    #[error("its content {0}")]
    Damaged(#[from] NotAFingerprint),
}

impl Pins {
    /// Nowhere: what is pinned holds for this process alone.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::default()
    }

    /// In this directory, which is made when something is pinned.
    #[must_use]
    pub fn inside(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            read_only: false,
        }
    }

    /// In this directory, where nothing is changed: for a look beside a process that goes on.
    #[must_use]
    pub fn as_found_in(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            read_only: true,
        }
    }

    /// The file of an Envoy.
    pub(super) fn path(&self, serial: &str) -> Option<PathBuf> {
        let directory = self.directory.as_deref()?;
        // A serial comes from outside.
        let plain = !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| directory.join(format!("certificate-{serial}")))
    }

    /// What is pinned for an Envoy.
    pub(super) fn read(&self, serial: &str) -> Result<Option<Fingerprint>, PinError> {
        let Some(path) = self.path(serial) else {
            return Ok(None);
        };
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim().parse()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces it in one step. Whether it is on disk now; it is not meant to be where that is nowhere.
    pub(super) fn write(&self, serial: &str, fingerprint: Fingerprint) -> io::Result<bool> {
        let Some(path) = self.path(serial).filter(|_| !self.read_only) else {
            return Ok(false);
        };
        let directory = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut file = NamedTempFile::new_in(directory)?;
        writeln!(file, "{fingerprint}")?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(true)
    }
}
