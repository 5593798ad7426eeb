//! The Envoy, wherever it is: at the address that is configured, or where mDNS finds it.
//!
//! ```text
//! no address yet ──► look for the serial ──► ask there ──► it answers: stay
//!                          ▲                    │
//!                          └── it does not, or another device does ◄──┘
//! ```
//!
//! A configured address is never left: somebody chose it. A name is looked up anew for each connection.

use std::path::{Path, PathBuf};

use daemon::exit::with_causes;
use discovery::{FindError, Found, NotFound};
use envoy::{Error, Gateway, Host, Info, Inverters, Poll, StateFiles, Why};
use wire::Serial;

use crate::config::Access;
use crate::explain::{explain, needs_a_person};
use crate::journal::file_of;

/// How many addresses of one Envoy are tried in a row. Real ones announce three at most.
const MOST: usize = 3;

/// The way to one Envoy.
pub(crate) struct Reach {
    access: Access,
    files: StateFiles,
    /// Of which Envoy there is a journal in which directory, where that alone says which one to look for.
    guess: Option<(Serial, PathBuf)>,
    /// None before an address is known.
    gateway: Option<Gateway>,
}

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
                Error::CertificateChanged(_) | Error::Pin { .. } => "certificate",
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

impl Reach {
    /// The way to the Envoy that is configured. Where it has to be looked for, `known` is the serial of the one
    /// whose journal is in `state_dir`, and no other one will do.
    ///
    /// # Errors
    /// When a password's file can't be read any more; the message names it.
    pub(crate) fn new(
        access: &Access,
        files: StateFiles,
        known: Option<&Serial>,
        state_dir: &Path,
    ) -> Result<Self, String> {
        let mut access = access.clone();
        let guess = known.filter(|_| access.serial.is_none());
        let guess = guess.map(|serial| (serial.clone(), state_dir.to_owned()));
        let gateway = if let Some(host) = access.host.clone() {
            Some(access.gateway(host, files.clone())?)
        } else {
            access.serial = access.serial.or_else(|| known.cloned());
            None
        };
        Ok(Self {
            access,
            files,
            guess,
            gateway,
        })
    }

    /// The client, once there is an address.
    pub(crate) fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// Who the Envoy is.
    pub(crate) async fn info(&mut self) -> Result<Info, Unreached> {
        self.ask(Gateway::info).await
    }

    /// The newest report of each inverter.
    pub(crate) async fn inverters(&mut self) -> Result<Inverters, Unreached> {
        self.ask(Gateway::inverters).await
    }

    /// The inverters, and whatever else it measures.
    pub(crate) async fn poll(&mut self) -> Result<Poll, Unreached> {
        self.ask(Gateway::poll).await
    }

    /// Asks where the Envoy was last, and then where it is.
    async fn ask<T>(
        &mut self,
        question: impl AsyncFn(&mut Gateway) -> Result<T, Error>,
    ) -> Result<T, Unreached> {
        let Some(gateway) = &mut self.gateway else {
            let mut gateway = self.first().await?;
            let answer = question(&mut gateway).await;
            self.gateway = Some(gateway);
            return Ok(answer?);
        };
        let error = match question(gateway).await {
            Err(error) if self.access.host.is_none() && may_have_moved(&error) => error,
            result => return Ok(result?),
        };
        if follow(&self.access, gateway, &error).await {
            return Ok(question(gateway).await?);
        }
        Err(error.into())
    }

    /// Looks for the Envoy, and takes the first of its addresses at which it answers. The error is that of
    /// the best one.
    async fn first(&self) -> Result<Gateway, Unreached> {
        let addresses = addresses(&self.access).await;
        let addresses = addresses.map_err(|error| match (error, &self.guess) {
            (Unreached::Lost(error), Some((serial, state_dir))) => {
                Unreached::lost(error, Some(serial), state_dir)
            }
            (error, _) => error,
        })?;
        let mut hosts = addresses.into_iter();
        let host = hosts.next().ok_or(NotFound::Nobody);
        let host = host.map_err(FindError::from)?;
        let gateway = self.access.gateway(host, self.files.clone());
        let mut gateway = gateway.map_err(Unreached::Settings)?;
        let mut first = None;
        loop {
            let error = match gateway.info().await {
                Err(error) if may_have_moved(&error) => error,
                // Also where it is only busy: it is there.
                _ => return Ok(gateway),
            };
            tracing::debug!(%error, address = %gateway.host(), "the Envoy announces an address that is of no use");
            let error = first.unwrap_or(error);
            let Some(host) = hosts.next() else {
                return Err(error.into());
            };
            first = Some(error);
            gateway.move_to(host);
        }
    }
}

/// Looks for an Envoy that did not answer where it was, and moves to where it does. Whether it did.
async fn follow(access: &Access, gateway: &mut Gateway, error: &Error) -> bool {
    let before = gateway.host().clone();
    let expected = gateway.last_info().map(|info| info.serial.clone());
    let mut wanted = access.clone();
    wanted.serial = wanted
        .serial
        .or_else(|| expected.and_then(|serial| serial.parse().ok()));
    let found = match addresses(&wanted).await {
        Ok(found) => found,
        Err(lost) => {
            tracing::debug!(error = %lost.explain(), "the Envoy is looked for in vain");
            return false;
        }
    };
    let has_several = found.contains(&before);
    // It is there and hangs, as some do once a day: it is left alone.
    if is_silent(error) && has_several {
        return false;
    }
    for host in found.into_iter().filter(|host| *host != before) {
        gateway.move_to(host.clone());
        match gateway.info().await {
            Ok(info) if has_several => {
                tracing::debug!(serial = %info.serial, %before, address = %host, "the Envoy is asked at another of its addresses");
                return true;
            }
            Ok(info) => {
                tracing::warn!(serial = %info.serial, %before, address = %host, "the Envoy has another address");
                return true;
            }
            Err(error) => {
                tracing::debug!(%error, address = %host, "the Envoy announces an address that is of no use");
            }
        }
    }
    gateway.move_to(before);
    false
}

/// Where the Envoy is that is wanted, the best address first.
async fn addresses(access: &Access) -> Result<Vec<Host>, Unreached> {
    let wanted = access.serial.as_ref().map(AsRef::as_ref);
    let found = access.browser.find(wanted).await?;
    tracing::debug!(?found, "an Envoy was found by mDNS");
    Ok(hosts(&found))
}

/// Where to try an Envoy that was found.
pub(crate) fn hosts(found: &Found) -> Vec<Host> {
    let addresses = found.addresses.iter();
    addresses
        .filter_map(|address| address.parse().ok())
        .take(MOST)
        .collect()
}

/// Whether it may be at another address by now: where nothing answers, or something else. That may also
/// be somebody with its serial, if a certificate is pinned that he does not have.
pub(crate) fn may_have_moved(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable { .. }
            | Error::NotAnEnvoy { .. }
            | Error::WrongSerial { .. }
            | Error::CertificateChanged(_)
    )
}

fn is_silent(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable {
            why: Why::Silent,
            ..
        }
    )
}
