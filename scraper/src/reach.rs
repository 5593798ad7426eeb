//! The Envoy, wherever it is: at the address that is configured, or where mDNS finds it.
//!
//! ```text
//! no address yet ──► look for the serial ──► ask there ──► it answers: stay
//!                          ▲                    │
//!                          └── it does not, or another device does ◄──┘
//! ```
//!
//! A configured address is never left: somebody chose it. A name is looked up anew for each connection.

use daemon::exit::with_causes;
use discovery::{FindError, NotFound};
use envoy::{Error, Gateway, Host, Info, Inverters, StateFiles, Why};
use wire::Serial;

use crate::config::Access;
use crate::explain::{explain, needs_a_person};

/// How many addresses of one Envoy are tried in a row. Real ones announce three at most.
const MOST: usize = 3;

/// The way to one Envoy.
pub(crate) struct Reach {
    access: Access,
    files: StateFiles,
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
    /// A password's file can't be read any more.
    #[error("the Envoy's settings can't be used: {0}")]
    Settings(String),
}

impl Unreached {
    /// In one line, with the settings it is about.
    pub(crate) fn explain(&self) -> String {
        let settings = match self {
            Self::Envoy(error) => return explain(error),
            Self::Settings(_) => return self.to_string(),
            Self::Lost(FindError::NotFound(NotFound::Several { .. })) => "ENVOY_SERIAL",
            Self::Lost(FindError::NotFound(NotFound::Another { .. })) => "ENVOY_HOST, ENVOY_SERIAL",
            Self::Lost(_) => "ENVOY_HOST",
        };
        format!("{} (settings: {settings})", with_causes(self))
    }

    /// Whether the next poll will fail just the same until somebody changes something.
    pub(crate) fn needs_a_person(&self) -> bool {
        match self {
            Self::Envoy(error) => needs_a_person(error),
            Self::Settings(_) => true,
            Self::Lost(FindError::NotFound(error)) => {
                matches!(error, NotFound::Several { .. } | NotFound::NoAddress { .. })
            }
            Self::Lost(FindError::Browser(_)) => false,
        }
    }
}

impl Reach {
    /// The way to the Envoy that is configured. Where it has to be looked for, `known` is the serial that it
    /// had before, and no other one will do.
    ///
    /// # Errors
    /// When a password's file can't be read any more; the message names it.
    pub(crate) fn new(
        access: &Access,
        files: StateFiles,
        known: Option<&Serial>,
    ) -> Result<Self, String> {
        let mut access = access.clone();
        let gateway = if let Some(host) = access.host.clone() {
            Some(access.gateway(host, files.clone())?)
        } else {
            access.serial = access.serial.or_else(|| known.cloned());
            None
        };
        Ok(Self {
            access,
            files,
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
        let addresses = addresses(&self.access).await?;
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
    // It is there and hangs, as some do once a day: it is left alone.
    if is_silent(error) && found.contains(&before) {
        return false;
    }
    for host in found.into_iter().filter(|host| *host != before) {
        gateway.move_to(host.clone());
        match gateway.info().await {
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
    let hosts = found.addresses.iter();
    Ok(hosts
        .filter_map(|address| address.parse().ok())
        .take(MOST)
        .collect())
}

/// Whether it may be at another address by now: where nothing answers, or something else. That may also
/// be somebody with its serial, if a certificate is pinned that he does not have.
fn may_have_moved(error: &Error) -> bool {
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
