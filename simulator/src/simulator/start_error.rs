//! Why there is no simulator.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use crate::announcer::AnnounceError;
use crate::certificate::CertificateError;
use crate::cloud::CloudRequestsError;
use crate::gateway::RecordingError;
use crate::ledger::LedgerError;
use crate::options::OptionsError;

/// Why a simulator could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// An option has a value that can't be.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The recording can't be replayed.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The ledger can't be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The token can't be written.
    #[error("can't write the token to {}: name a file that can be written", .path.display())]
    TokenOut {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: take a free port of this machine, or port 0")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// TLS could not be set up.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The cloud's requests can't be written.
    #[error(transparent)]
    CloudRequests(#[from] CloudRequestsError),
    /// It can't be announced.
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}

impl StartError {
    /// Whether another choice of options would help; else the machine is in the way.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        !matches!(
            self,
            Self::Listen { .. }
                | Self::Announce(_)
                | Self::Certificate(CertificateError::Unmade(_))
        )
    }
}
