//! Which certificate each Envoy had.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::fingerprint::{Fingerprint, NotAFingerprint};
use crate::state_files::{Kind, StateFiles};

/// What is pinned can't be read.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// By the system.
    #[error("it can't be read")]
    Unreadable(#[from] io::Error),
    /// It holds something else.
    #[error("its content {0}")]
    Damaged(NotAFingerprint),
}

// No `#[from]`: the cause is in the sentence, and would be said twice.
impl From<NotAFingerprint> for PinError {
    fn from(error: NotAFingerprint) -> Self {
        Self::Damaged(error)
    }
}

/// A pin whose file is there but tells nothing, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPin {
    path: PathBuf,
    why: String,
    remedy: &'static str,
}

impl LostPin {
    pub(super) fn new(path: PathBuf, error: &PinError) -> Self {
        let why = match error {
            PinError::Unreadable(cause) => format!("{error}: {cause}"),
            PinError::Damaged(_) => error.to_string(),
        };
        Self {
            path,
            why,
            remedy: error.remedy(),
        }
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.remedy
    }
}

impl fmt::Display for LostPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// What is pinned for an Envoy.
pub(super) fn read(files: &StateFiles, serial: &str) -> Result<Option<Fingerprint>, PinError> {
    let text = files.read(Kind::Certificate, serial)?;
    Ok(text.map(|text| text.trim().parse()).transpose()?)
}

impl PinError {
    /// What to do.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "make it readable for this program",
            Self::Damaged(_) => "to pin the certificate that it has now, remove that file",
        }
    }
}
