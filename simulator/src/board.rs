//! What outlives a reboot of the gateway, and what doesn't.
//!
//! A [`Boot`] is the gateway between two reboots: its firmware, its certificate, its sessions. The
//! [`Board`] is what stays when one boot follows another: site, history, serial, clock.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
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
}

/// The one thing that boots again and again.
#[derive(Debug)]
pub(crate) struct Board {
    faults: Arc<Faults>,
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
    pub(crate) fn new(gateway: Gateway, faults: Arc<Faults>) -> Result<Self, CertificateError> {
        let boot = Boot::of(gateway, faults.clone())?;
        Ok(Self {
            faults,
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
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let gateway = current.envoy.gateway().clone();
        self.boot(Boot {
            envoy: Envoy::new(gateway, self.faults.clone()),
            identity: current.identity.clone(),
        });
    }

    /// Boots with another firmware, and another certificate where that has one.
    pub(crate) fn update(&self, firmware: Firmware) -> Result<(), NotUpdated> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let gateway = self.current().envoy.gateway().updated(firmware)?;
        self.boot(Boot::of(gateway, self.faults.clone())?);
        Ok(())
    }

    /// Makes a new certificate, where there is one. Sessions are forgotten too, since its web server
    /// starts again with it.
    pub(crate) fn renew_certificate(&self) -> Result<(), CertificateError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let gateway = self.current().envoy.gateway().clone();
        self.boot(Boot::of(gateway, self.faults.clone())?);
        Ok(())
    }

    fn boot(&self, boot: Boot) {
        self.current.send_replace(Arc::new(boot));
    }
}

impl Boot {
    /// With a new certificate where the firmware has one.
    fn of(gateway: Gateway, faults: Arc<Faults>) -> Result<Self, CertificateError> {
        let identity = gateway.firmware.uses_tokens().then(|| {
            let now: Timestamp = gateway.now();
            Identity::new(&gateway.serial, now).map(Arc::new)
        });
        Ok(Self {
            identity: identity.transpose()?,
            envoy: Envoy::new(gateway, faults),
        })
    }

    pub(crate) fn firmware(&self) -> &Firmware {
        &self.envoy.gateway().firmware
    }
}
