//! Which certificate each Envoy had.

use std::io;

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
    Damaged(#[from] NotAFingerprint),
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
