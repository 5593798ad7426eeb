//! Which certificates are accepted, and what is remembered of them.
//!
//! ```text
//! /info, without anything secret: any certificate, which is noted ──► judge ──► accepted
//! everything else: the accepted one alone, looked at in each handshake ◄────────────┘
//! ```
//!
//! So a token, a cookie or a digest never reaches somebody whose certificate was not judged before,
//! not even when the connection is made anew between two requests.

mod changed;
mod fingerprint;
mod pins;
mod policy;
mod verifier;

use std::path::PathBuf;

use rustls::ClientConfig;

use crate::error::Error;
use crate::state_files::{Kind, StateFiles};
use verifier::Shown;

pub use changed::CertificateChanged;
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use pins::PinError;
pub use policy::{CertificatePolicy, NotAPolicy};
pub(crate) use verifier::NotAccepted;

/// The certificate of the Envoy that answered, and how it came to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Which one it is; that of a certificate that the system's CAs stand for is not looked at.
    pub fingerprint: Option<Fingerprint>,
    /// Why it is accepted.
    pub standing: Standing,
}

/// Why a certificate is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the one that was pinned before.
    Pinned,
    /// None was pinned yet.
    First,
    /// It came in the place of this one.
    Changed(Fingerprint),
    /// A CA of the system stands for it.
    Verified,
    /// Any is.
    Unchecked,
}

/// Judges the certificates of one Envoy.
#[derive(Debug)]
pub(crate) struct Certificates {
    policy: CertificatePolicy,
    files: StateFiles,
    /// What could not be written.
    in_memory: Option<(String, Fingerprint)>,
    noted: Shown,
    accepted: Shown,
    last: Option<Certificate>,
}

impl Certificates {
    pub(crate) fn new(policy: CertificatePolicy, files: StateFiles) -> Self {
        Self {
            policy,
            files,
            in_memory: None,
            noted: Shown::default(),
            accepted: Shown::default(),
            last: None,
        }
    }

    /// For requests that carry nothing secret.
    pub(crate) fn for_info(&self) -> ClientConfig {
        match self.policy {
            CertificatePolicy::System => verifier::of_system(),
            _ => verifier::noting(self.noted.clone()),
        }
    }

    /// For all others.
    pub(crate) fn for_secrets(&self) -> ClientConfig {
        match self.policy {
            CertificatePolicy::System => verifier::of_system(),
            CertificatePolicy::Insecure => verifier::noting(self.noted.clone()),
            _ => verifier::strict(self.accepted.clone()),
        }
    }

    /// Before `/info` is asked.
    pub(crate) fn begin(&self) {
        self.noted.set(None);
    }

    /// The certificate of the Envoy that was asked last, if it showed one.
    pub(crate) fn last(&self) -> Option<&Certificate> {
        self.last.as_ref()
    }

    /// Decides on the Envoy with this serial, which has just answered at this address, with the
    /// certificate that was noted.
    ///
    /// Looks at the disk, at each contact: to accept another certificate it is enough to remove the
    /// file.
    pub(crate) fn judge(&mut self, serial: &str, address: &str, tls: bool) -> Result<(), Error> {
        let shown = self.noted.get();
        let standing = match (self.policy, shown) {
            (CertificatePolicy::System, _) if tls => Standing::Verified,
            (CertificatePolicy::Insecure, Some(_)) => Standing::Unchecked,
            (CertificatePolicy::System | CertificatePolicy::Insecure, _) => {
                self.last = None;
                return Ok(());
            }
            (_, Some(shown)) => self.weigh(serial, address, shown)?,
            (_, None) if tls => {
                // It said by http who it is: what is asked by https now has no certificate to go by.
                self.accepted.set(None);
                self.last = None;
                return Ok(());
            }
            (_, None) => return self.without(serial, address),
        };
        self.accepted.set(shown);
        self.last = Some(Certificate {
            fingerprint: shown,
            standing,
        });
        Ok(())
    }

    fn weigh(
        &mut self,
        serial: &str,
        address: &str,
        shown: Fingerprint,
    ) -> Result<Standing, Error> {
        let known = self.known(serial, address)?;
        let standing = match known {
            Some(known) if known == shown => return Ok(Standing::Pinned),
            Some(known) if self.is_pinned() => {
                self.accepted.set(None);
                return Err(self.changed(serial, address, known, Some(shown)));
            }
            Some(known) => {
                tracing::warn!(
                    serial, address, before = %known, now = %shown,
                    "the Envoy has another certificate than before, which is pinned from now on: \
                     firmware updates bring one; if there was none, look who answers at this address"
                );
                Standing::Changed(known)
            }
            None => {
                tracing::info!(serial, address, certificate = %shown, "the Envoy's first certificate");
                Standing::First
            }
        };
        self.pin(serial, shown);
        Ok(standing)
    }

    /// An Envoy that is asked by http.
    fn without(&mut self, serial: &str, address: &str) -> Result<(), Error> {
        self.accepted.set(None);
        self.last = None;
        match self.known(serial, address)? {
            // No firmware goes back behind 7, so this is somebody else, or was.
            Some(pinned) if self.is_pinned() => Err(self.changed(serial, address, pinned, None)),
            _ => Ok(()),
        }
    }

    fn is_pinned(&self) -> bool {
        matches!(
            self.policy,
            CertificatePolicy::Pinned | CertificatePolicy::PinnedTo(_)
        )
    }

    fn known(&self, serial: &str, address: &str) -> Result<Option<Fingerprint>, Error> {
        if let CertificatePolicy::PinnedTo(fingerprint) = self.policy {
            return Ok(Some(fingerprint));
        }
        if let Some((of, fingerprint)) = &self.in_memory
            && of == serial
        {
            return Ok(Some(*fingerprint));
        }
        match (pins::read(&self.files, serial), self.path(serial)) {
            (Ok(known), _) => Ok(known),
            (Err(source), Some(path)) if self.is_pinned() => Err(Error::Pin {
                address: address.to_owned(),
                serial: serial.to_owned(),
                path,
                source,
            }),
            (Err(error), path) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    path = %path.unwrap_or_default().display(),
                    "which certificate the Envoy had is not known any more; the one that it has is pinned"
                );
                Ok(None)
            }
        }
    }

    fn pin(&mut self, serial: &str, fingerprint: Fingerprint) {
        match self
            .files
            .write(Kind::Certificate, serial, &fingerprint.to_string())
        {
            Ok(true) => {
                self.in_memory = None;
                return;
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                path = %self.path(serial).unwrap_or_default().display(),
                "the Envoy's certificate can't be pinned on disk; it is until this process ends"
            ),
        }
        self.in_memory = Some((serial.to_owned(), fingerprint));
    }

    /// The file in which this Envoy's is pinned.
    fn path(&self, serial: &str) -> Option<PathBuf> {
        self.files.path(Kind::Certificate, serial)
    }

    fn changed(
        &self,
        serial: &str,
        address: &str,
        pinned: Fingerprint,
        shown: Option<Fingerprint>,
    ) -> Error {
        let remedy = match (self.policy, self.path(serial)) {
            (CertificatePolicy::Pinned, Some(path)) => format!("remove {}", path.display()),
            (CertificatePolicy::Pinned, None) => "start again".to_owned(),
            _ => "write its fingerprint in the place of the old one".to_owned(),
        };
        Error::CertificateChanged(Box::new(CertificateChanged {
            address: address.to_owned(),
            serial: serial.to_owned(),
            pinned,
            shown,
            remedy,
        }))
    }
}

#[cfg(test)]
mod tests;
