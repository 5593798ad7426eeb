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
use envoy::{Answered, CertificatePolicy, Error, Gateway, Host, Info, Poll, StateFiles, Why};
use wire::Serial;

use crate::config::Access;
pub(crate) use addresses::{MOST, first_of_use, hosts};
use addresses::{Turn, is_refused, most_telling};
pub(crate) use unreached::Unreached;

/// The way to one Envoy.
pub(crate) struct Reach {
    access: Access,
    files: StateFiles,
    /// Of which Envoy there is a journal in which directory, where that alone says which one to look for.
    guess: Option<(Serial, PathBuf)>,
    /// None before an address is known.
    gateway: Option<Gateway>,
    /// What has answered an earlier process, beside the inverters.
    recalled: Option<Answered>,
    /// Which of the addresses that are heard comes first at the next look.
    turn: Turn,
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
            recalled: None,
            turn: Turn::default(),
        })
    }

    /// It led to the Envoy with this serial, whose journal is in `state_dir`; where it has to be looked for, no
    /// other one will do from now on.
    pub(crate) fn leads_to(&mut self, serial: &Serial, state_dir: &Path) {
        if self.access.serial.is_none() {
            self.guess = Some((serial.clone(), state_dir.to_owned()));
        }
        if self.access.host.is_none() {
            self.access.serial.get_or_insert_with(|| serial.clone());
        }
    }

    /// No other Envoy than this one will do from now on.
    pub(crate) fn stay_with(&mut self, serial: &Serial) {
        self.access.serial.get_or_insert_with(|| serial.clone());
    }

    /// Whether whichever Envoy is at the address is read: neither a serial nor a certificate says which one it is.
    pub(crate) fn takes_any(&self) -> bool {
        let is_pinned = matches!(
            self.access.certificate,
            CertificatePolicy::Pinned | CertificatePolicy::PinnedTo(_)
        );
        self.access.host.is_some() && self.access.serial.is_none() && !is_pinned
    }

    /// These endpoints have answered an earlier process.
    pub(crate) fn recall(&mut self, answered: Answered) {
        if let Some(gateway) = &mut self.gateway {
            gateway.recall(answered.clone());
        }
        self.recalled = Some(answered);
    }

    /// The endpoints that have answered, this process or an earlier one.
    pub(crate) fn answered(&self) -> Option<Answered> {
        let now = self.gateway.as_ref().and_then(Gateway::answered);
        now.or_else(|| self.recalled.clone())
    }

    /// The client, once there is an address.
    pub(crate) fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// Who the Envoy is.
    pub(crate) async fn info(&mut self) -> Result<Info, Unreached> {
        self.ask(Gateway::info).await
    }

    /// The newest report of each inverter, and whatever else it measures.
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
        match follow(&self.access, gateway, &error, &mut self.turn).await {
            Ok(()) => Ok(question(gateway).await?),
            Err(refused) => Err(refused.unwrap_or(error).into()),
        }
    }

    /// Looks for the Envoy, and takes the first of its addresses at which it answers.
    async fn first(&mut self) -> Result<Gateway, Unreached> {
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
        if let Some(answered) = self.recalled.clone() {
            gateway.recall(answered);
        }
        let addresses = self.turn.order(addresses);
        let (answer, tried) = first_of_use(&mut gateway, addresses).await;
        // Also where it is only busy it is there.
        if answer.is_some() {
            self.turn.is_over();
            return Ok(gateway);
        }
        self.turn.vain(tried.len());
        most_telling(tried).map_or(Ok(gateway), |error| Err(error.into()))
    }
}

/// Looks for an Envoy that did not answer where it was, and moves to where it does.
///
/// # Errors
/// When it stays. With an error where somebody was met who may be it, and is not accepted: how to accept him is
/// worth more than that nobody answers at the old address.
async fn follow(
    access: &Access,
    gateway: &mut Gateway,
    error: &Error,
    turn: &mut Turn,
) -> Result<(), Option<Error>> {
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
            return Err(None);
        }
    };
    let has_several = found.contains(&before);
    // It is there and hangs, as some do once a day: it is left alone.
    if is_silent(error) && has_several {
        return Err(None);
    }
    let others = found.into_iter().filter(|host| *host != before).collect();
    let (answer, tried) = first_of_use(gateway, turn.order(others)).await;
    if let Some(Ok(info)) = answer {
        turn.is_over();
        let (serial, address) = (&info.serial, gateway.host());
        if has_several {
            tracing::debug!(%serial, %before, %address, "the Envoy is asked at another of its addresses");
        } else {
            tracing::warn!(%serial, %before, %address, "the Envoy has another address");
        }
        return Ok(());
    }
    gateway.move_to(before);
    turn.vain(tried.len());
    Err(most_telling(tried).filter(is_refused))
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
            | Error::OtherPinned { .. }
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
