//! The Envoy, wherever it is: at the address that is configured, or where mDNS finds it.
//!
//! ```text
//! no address yet ──► look for the serial ──► ask there ──► it answers: stay
//!                          ▲                    │
//!                          └── it does not, or another device does ◄──┘
//! ```
//!
//! A configured address is never left: somebody chose it. A name is looked up anew for each connection.

mod addresses;
mod unreached;

use std::path::{Path, PathBuf};

use discovery::{FindError, NotFound};
use envoy::{Error, Gateway, Host, Info, Inverters, Poll, StateFiles, Why};
use wire::Serial;

use crate::config::Access;
pub(crate) use addresses::{first_of_use, hosts};
pub(crate) use unreached::Unreached;

/// The way to one Envoy.
pub(crate) struct Reach {
    access: Access,
    files: StateFiles,
    /// Of which Envoy there is a journal in which directory, where that alone says which one to look for.
    guess: Option<(Serial, PathBuf)>,
    /// None before an address is known.
    gateway: Option<Gateway>,
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
        let best = addresses.first().cloned().ok_or(NotFound::Nobody);
        let best = best.map_err(FindError::from)?;
        let gateway = self.access.gateway(best, self.files.clone());
        let mut gateway = gateway.map_err(Unreached::Settings)?;
        let (answer, tried) = first_of_use(&mut gateway, addresses).await;
        match (answer, tried.into_iter().next()) {
            (None, Some((_, error))) => Err(error.into()),
            // Also where it is only busy: it is there.
            _ => Ok(gateway),
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
    let others = found.into_iter().filter(|host| *host != before);
    let (answer, _) = first_of_use(gateway, others).await;
    if let Some(Ok(info)) = answer {
        let (serial, address) = (&info.serial, gateway.host());
        if has_several {
            tracing::debug!(%serial, %before, %address, "the Envoy is asked at another of its addresses");
        } else {
            tracing::warn!(%serial, %before, %address, "the Envoy has another address");
        }
        return true;
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
