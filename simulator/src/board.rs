//! What outlives a reboot of the gateway, and what doesn't.
//!
//! A [`Boot`] is the gateway between two reboots: its firmware, its certificate, its sessions. The
//! [`Board`] is what stays when one boot follows another: site, history, serial, clock.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio::sync::watch;

use crate::certificate::{CertificateError, Identity};
use crate::envoy::Envoy;
use crate::faults::Faults;
use crate::firmware::Firmware;
use crate::gateway::Gateway;
use crate::options::OptionsError;

/// A gateway from one boot to the next.
#[derive(Debug)]
pub(crate) struct Boot {
    pub(crate) envoy: Envoy,
    /// None below firmware 7.
    pub(crate) identity: Option<Arc<Identity>>,
    /// Whether it is at its next address.
    pub(crate) moved: bool,
}

/// The one thing that boots again and again.
#[derive(Debug)]
pub(crate) struct Board {
    faults: Arc<Faults>,
    /// The file that its certificate is kept in.
    certificate: Option<PathBuf>,
    current: watch::Sender<Arc<Boot>>,
    /// Held from looking at the current boot until the next one is there.
    changing: Mutex<()>,
}

/// The firmware can't be changed.
#[derive(Debug, Error)]
pub enum NotUpdated {
    /// The answers of a recording belong to its firmware.
    #[error("a recorded gateway has the firmware that it was recorded with: simulate a site")]
    Recorded,
    /// There are no sites of this firmware.
    #[error(transparent)]
    Firmware(#[from] OptionsError),
    /// TLS could not be set up.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl Board {
    /// Boots for the first time, with the certificate that is kept in this file, if there is one.
    pub(crate) fn new(
        gateway: Gateway,
        faults: Arc<Faults>,
        certificate: Option<PathBuf>,
    ) -> Result<Self, CertificateError> {
        let kept = match &certificate {
            Some(path) if gateway.firmware.uses_tokens() => Identity::kept_in(path)?,
            _ => None,
        };
        let identity = match kept {
            Some(identity) => Some(Arc::new(identity)),
            None => new_identity(&gateway, certificate.as_deref())?,
        };
        let boot = Boot {
            envoy: Envoy::new(gateway, faults.clone()),
            identity,
            moved: false,
        };
        Ok(Self {
            faults,
            certificate,
            current: watch::Sender::new(Arc::new(boot)),
            changing: Mutex::default(),
        })
    }

    pub(crate) fn current(&self) -> Arc<Boot> {
        self.current.borrow().clone()
    }

    /// Tells of each boot.
    pub(crate) fn boots(&self) -> watch::Receiver<Arc<Boot>> {
        self.current.subscribe()
    }

    /// Boots with the same firmware and certificate: whoever was logged in is forgotten.
    pub(crate) fn reboot(&self) {
        self.boot_again(|moved| moved);
    }

    /// The same, at its next address.
    pub(crate) fn move_on(&self) {
        self.boot_again(|_| true);
    }

    fn boot_again(&self, moved: impl FnOnce(bool) -> bool) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let gateway = current.envoy.gateway().clone();
        self.boot(Boot {
            envoy: Envoy::new(gateway, self.faults.clone()),
            identity: current.identity.clone(),
            moved: moved(current.moved),
        });
    }

    /// Boots with another firmware, and another certificate where that has one.
    pub(crate) fn update(&self, firmware: Firmware) -> Result<(), NotUpdated> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let gateway = self.current().envoy.gateway().updated(firmware)?;
        self.boot_anew(gateway)?;
        Ok(())
    }

    /// Makes a new certificate, where there is one. Sessions are forgotten too, since its web server
    /// starts again with it.
    pub(crate) fn renew_certificate(&self) -> Result<(), CertificateError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let gateway = self.current().envoy.gateway().clone();
        self.boot_anew(gateway)?;
        Ok(())
    }

    fn boot_anew(&self, gateway: Gateway) -> Result<(), CertificateError> {
        let identity = new_identity(&gateway, self.certificate.as_deref())?;
        self.boot(Boot {
            envoy: Envoy::new(gateway, self.faults.clone()),
            identity,
            moved: self.current().moved,
        });
        Ok(())
    }

    fn boot(&self, boot: Boot) {
        self.current.send_replace(Arc::new(boot));
    }
}

/// A new certificate where the firmware has one, kept in this file.
fn new_identity(
    gateway: &Gateway,
    path: Option<&Path>,
) -> Result<Option<Arc<Identity>>, CertificateError> {
    if !gateway.firmware.uses_tokens() {
        return Ok(None);
    }
    let identity = Identity::new(&gateway.serial, gateway.now())?;
    if let Some(path) = path {
        identity.keep_in(path)?;
    }
    Ok(Some(Arc::new(identity)))
}

impl Boot {
    pub(crate) fn firmware(&self) -> &Firmware {
        &self.envoy.gateway().firmware
    }
}
