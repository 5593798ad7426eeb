//! Why the Envoy was not read, in words and by kinds.

use std::path::{Path, PathBuf};

use daemon::exit::with_causes;
use discovery::{FindError, NotFound};
use envoy::Error;
use wire::Serial;

use crate::explain::{explain, needs_a_person};
use crate::journal::file_of;

/// Why the Envoy was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreached {
    /// It, or whatever is at its address, said so.
    #[error(transparent)]
    Envoy(#[from] Error),
    /// It is not found.
    #[error(transparent)]
    Lost(#[from] FindError),
    /// The Envoy that was read before is not found, but others are, and no setting says which.
    #[error("{source}; it is looked for since its journal is here: if it never was, remove {}", journal.display())]
    Forgotten {
        /// The others.
        source: NotFound,
        /// The journal of the one that is looked for.
        journal: PathBuf,
    },
    /// A password's file can't be read any more.
    #[error("the Envoy's settings can't be used: {0}")]
    Settings(String),
}

impl Unreached {
    /// Where an Envoy is not found: by its serial in the settings, or by the one that is a `guess`, of the
    /// journal that was written last in `state_dir`.
    pub(crate) fn lost(error: FindError, guess: Option<&Serial>, state_dir: &Path) -> Self {
        match (error, guess) {
            (FindError::NotFound(source @ NotFound::Another { .. }), Some(guess)) => {
                Self::Forgotten {
                    source,
                    journal: file_of(state_dir, guess),
                }
            }
            (error, _) => error.into(),
        }
    }

    /// Every kind of them, as metrics name it.
    pub(crate) const KINDS: [&'static str; 9] = [
        "unreachable",
        "not_an_envoy",
        "wrong_serial",
        "certificate",
        "credentials",
        "busy",
        "bad_answer",
        "not_found",
        "other",
    ];

    /// Which kind this is.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Envoy(error) => match error {
                Error::Unreachable { .. } => "unreachable",
                Error::NotAnEnvoy { .. } => "not_an_envoy",
                Error::WrongSerial { .. } => "wrong_serial",
                Error::CertificateChanged(_) | Error::Pin { .. } | Error::OtherPinned { .. } => {
                    "certificate"
                }
                Error::Credentials(_) | Error::TokenMissing { .. } | Error::HttpsNeeded { .. } => {
                    "credentials"
                }
                Error::Busy { .. } => "busy",
                Error::BadAnswer { .. } => "bad_answer",
                _ => "other",
            },
            Self::Lost(_) | Self::Forgotten { .. } => "not_found",
            Self::Settings(_) => "other",
        }
    }

    /// In one line, with the settings it is about.
    pub(crate) fn explain(&self) -> String {
        let settings = match self {
            Self::Envoy(error) => return explain(error),
            Self::Settings(_) => return self.to_string(),
            Self::Lost(FindError::NotFound(NotFound::Several { .. })) => "ENVOY_SERIAL",
            Self::Lost(FindError::NotFound(NotFound::Another { .. })) | Self::Forgotten { .. } => {
                "ENVOY_HOST, ENVOY_SERIAL"
            }
            Self::Lost(_) => "ENVOY_HOST",
        };
        let text = match self {
            // Its cause is in its own sentence.
            Self::Forgotten { .. } => self.to_string(),
            _ => with_causes(self),
        };
        format!("{text} (settings: {settings})")
    }

    /// Whether the next poll will fail just the same until somebody changes something.
    pub(crate) fn needs_a_person(&self) -> bool {
        match self {
            Self::Envoy(error) => needs_a_person(error),
            Self::Settings(_) => true,
            Self::Lost(FindError::NotFound(error)) => {
                matches!(error, NotFound::Several { .. } | NotFound::NoAddress { .. })
            }
            Self::Lost(FindError::Browser(_)) | Self::Forgotten { .. } => false,
        }
    }
}
