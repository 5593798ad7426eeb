//! What the cloud was asked: whoever logs in too often is locked out of the real one.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Far more than years of a well-behaved client; the oldest give way, so that a bad one can't fill the
/// memory.
const REMEMBERED: usize = 100_000;

/// One request that the cloud has had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudRequest {
    /// When, by the gateway's clock.
    pub at: Timestamp,
    /// The path without its query: `/login/login.json`, `/tokens`, `/entrez-auth-token`, `/login`,
    /// `/entrez_tokens`, or one that the cloud does not have.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Whether it gave what was asked for: a session, or a token.
    pub granted: bool,
}

/// The file of requests can't be written.
#[derive(Debug, Error)]
#[error("can't open {} for the cloud's requests: name a file that can be written", path.display())]
pub struct CloudRequestsError {
    path: PathBuf,
    source: io::Error,
}

/// The requests up to now.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    remembered: VecDeque<CloudRequest>,
    file: Option<File>,
}

impl Requests {
    /// Remembers them, and writes them to this file.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, CloudRequestsError> {
        let open = |path: &Path| {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.map_err(|source| CloudRequestsError {
                path: path.to_owned(),
                source,
            })
        };
        let file = path.map(open).transpose()?;
        let remembered = VecDeque::new();
        Ok(Self(Mutex::new(Inner { remembered, file })))
    }

    pub(super) fn note(&self, request: CloudRequest) {
        let mut inner = self.lock();
        if let Some(file) = &mut inner.file {
            let mut line =
                serde_json::to_vec(&request).expect("strings and numbers always serialise");
            line.push(b'\n');
            if let Err(error) = file.write_all(&line) {
                tracing::error!(%error, "the file of the cloud's requests is incomplete");
            }
        }
        if inner.remembered.len() == REMEMBERED {
            inner.remembered.pop_front();
        }
        inner.remembered.push_back(request);
    }

    pub(super) fn all(&self) -> Vec<CloudRequest> {
        self.lock().remembered.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
