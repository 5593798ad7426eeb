//! Which certificates are accepted, and what is remembered of them.
//!
//! ```text
//! /info, without anything secret: any certificate, which is noted ──► judge ──► accepted
//! everything else: the accepted one alone, looked at in each handshake ◄────────────┘
//! ```
//!
//! So a token, a cookie or a digest never reaches somebody whose certificate was not judged before,
//! not even when the connection is made anew between two requests. What is said by http says nothing of
//! a certificate, and a session is never taken up again, since nobody would look at one then.

mod changed;
mod changes;
mod fingerprint;
mod others;
mod pins;
mod policy;
mod standing;
mod verifier;

use std::path::PathBuf;

use jiff::Timestamp;
use rustls::ClientConfig;

use crate::error::Error;
use crate::state_files::{Kind, StateFiles};
use changes::Changes;
use standing::Known;
use verifier::Shown;

pub use changed::{CertificateChanged, Remedy};
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use pins::{LostPin, PinError};
pub use policy::{CertificatePolicy, NotAPolicy};
pub use standing::{Certificate, Standing};
pub(crate) use verifier::{NotAccepted, UnusableKey, key_of};

/// Judges the certificates of one Envoy. Clones share what was noted and what is accepted.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    policy: CertificatePolicy,
    files: StateFiles,
    /// For what the system's CAs stand for, where they decide.
    system: Option<ClientConfig>,
    noted: Shown,
    accepted: Shown,
    last: Option<Certificate>,
    changes: Changes,
}

impl Certificates {
    pub(crate) fn new(policy: CertificatePolicy, files: StateFiles) -> Self {
        let system =
            (policy == CertificatePolicy::System).then(|| verifier::signed_by(verifier::system()));
        Self {
            policy,
            files,
            system,
            noted: Shown::default(),
            accepted: Shown::default(),
            last: None,
            changes: Changes::default(),
        }
    }

    /// For requests that carry nothing secret.
    pub(crate) fn for_info(&self) -> ClientConfig {
        match &self.system {
            Some(system) => system.clone(),
            None => verifier::noting(self.noted.clone()),
        }
    }

    /// For all others.
    pub(crate) fn for_secrets(&self) -> ClientConfig {
        match (&self.system, self.policy) {
            (Some(system), _) => system.clone(),
            (None, CertificatePolicy::Insecure) => verifier::noting(self.noted.clone()),
            (None, _) => verifier::strict(self.accepted.clone()),
        }
    }

    /// Before `/info` is asked: nothing is accepted until it was judged.
    pub(crate) fn begin(&self) {
        self.noted.set(None);
        self.accepted.set(None);
    }

    /// The certificate of the Envoy that was asked last, if it showed one.
    pub(crate) fn last(&self) -> Option<&Certificate> {
        self.last.as_ref()
    }

    /// Decides on the Envoy with this serial, which has just said so at this address: with the
    /// certificate that was noted, or by http, where one that was noted is somebody's who did not say it.
    ///
    /// Looks at the disk, at each contact: to accept another certificate it is enough to remove the
    /// file. So this waits for the disk, and is no work for a thread that has more to do.
    pub(crate) fn judge(
        &mut self,
        serial: &str,
        address: &str,
        tls: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !tls {
            return self.without(serial, address, now);
        }
        let shown = self.noted.get();
        let standing = match (self.policy, shown) {
            (CertificatePolicy::System, _) => Standing::Verified,
            (CertificatePolicy::Insecure, _) => Standing::Unchecked,
            (_, Some(shown)) => self.weigh(serial, address, shown, now)?,
            // Each connection of ours shows one. Were it not so, nothing would be accepted.
            (_, None) => {
                self.last = None;
                return Ok(());
            }
        };
        self.accepted.set(shown);
        self.last = Some(Certificate {
            fingerprint: shown,
            standing,
        });
        Ok(())
    }

    /// The Envoy was read, so it has the accepted certificate.
    pub(crate) fn holds(&mut self, now: Timestamp) {
        if self.changes.are_over(now) {
            tracing::info!("the Envoy's certificate has been the same for a day");
        }
    }

    fn weigh(
        &mut self,
        serial: &str,
        address: &str,
        shown: Fingerprint,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        let (known, lost) = match self.known(serial, address)? {
            Known::This(known) if known == shown => return Ok(Standing::Pinned),
            Known::This(known) if self.is_pinned() => {
                return Err(self.changed(serial, address, known, Some(shown)));
            }
            Known::This(known) => (Some(known), None),
            Known::Lost(lost) => (None, Some(lost)),
            Known::None => (None, None),
        };
        let becomes = if self.files.is_read_only() {
            "is not pinned by this look"
        } else {
            "is pinned from now on"
        };
        // The file may have been removed, so that another one is accepted.
        let before = known.or_else(|| self.last.as_ref()?.fingerprint);
        let standing = if let Some(before) = before.filter(|before| *before != shown) {
            self.changes.say(serial, address, now, || {
                tracing::warn!(
                    serial, address, %before, now = %shown,
                    "the Envoy has another certificate than before, which {becomes}: firmware updates bring one, and so \
                     does each year; if it is neither, look who answers at this address"
                );
            });
            Standing::Changed(before)
        } else if let Some(lost) = lost {
            tracing::warn!(
                serial, address, path = %lost.path().display(), now = %shown,
                "which certificate of the Envoy was pinned is not known any more ({lost}); the one that it shows \
                 now {becomes}"
            );
            Standing::Lost(lost)
        } else {
            tracing::info!(serial, address, certificate = %shown, "the Envoy's first certificate");
            Standing::First
        };
        self.pin(serial, shown);
        Ok(standing)
    }

    /// An Envoy that is asked by http.
    fn without(&mut self, serial: &str, address: &str, now: Timestamp) -> Result<(), Error> {
        // No firmware goes back behind 7, so where one is pinned this is somebody else, or was.
        self.last = match self.known(serial, address)? {
            Known::This(pinned) if self.is_pinned() => {
                return Err(self.changed(serial, address, pinned, None));
            }
            Known::This(before) => {
                let is_said =
                    matches!(&self.last, Some(last) if last.standing == Standing::Gone(before));
                if !is_said {
                    self.changes.say(serial, address, now, || {
                        tracing::warn!(
                            serial, address, %before,
                            "the Envoy had a certificate and answers by http only now, as only firmware below 7 does: no \
                             update goes back to that, so look who answers at this address; nothing is sent to it but a \
                             digest"
                        );
                    });
                }
                Some(Certificate {
                    fingerprint: None,
                    standing: Standing::Gone(before),
                })
            }
            // Nothing is pinned in its place.
            Known::Lost(_) | Known::None => None,
        };
        Ok(())
    }

    fn is_pinned(&self) -> bool {
        matches!(
            self.policy,
            CertificatePolicy::Pinned | CertificatePolicy::PinnedTo(_)
        )
    }

    fn known(&self, serial: &str, address: &str) -> Result<Known, Error> {
        if let CertificatePolicy::PinnedTo(fingerprint) = self.policy {
            return Ok(Known::This(fingerprint));
        }
        if let Some(fingerprint) = self.files.pinned_in_memory(serial) {
            return Ok(Known::This(fingerprint));
        }
        match (pins::read(&self.files, serial), self.path(serial)) {
            (Ok(Some(fingerprint)), _) => Ok(Known::This(fingerprint)),
            // Without a path there is nothing that could be read.
            (Ok(None), _) | (Err(_), None) => Ok(Known::None),
            (Err(source), Some(path)) if self.is_pinned() => Err(Error::Pin {
                address: address.to_owned(),
                serial: serial.to_owned(),
                path,
                source,
            }),
            (Err(source), Some(path)) => Ok(Known::Lost(LostPin::new(path, &source))),
        }
    }

    fn pin(&self, serial: &str, fingerprint: Fingerprint) {
        match self
            .files
            .write(Kind::Certificate, serial, &fingerprint.to_string())
        {
            Ok(true) => return self.files.pin_in_memory(serial, None),
            Ok(false) => {}
            // Said once, however often it becomes another one.
            Err(_) if self.files.pinned_in_memory(serial).is_some() => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                path = %self.path(serial).unwrap_or_default().display(),
                "the Envoy's certificate can't be pinned on disk: it is until this process ends, and the \
                 next one pins what it meets; see that this file can be written"
            ),
        }
        self.files.pin_in_memory(serial, Some(fingerprint));
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
        let on_disk = self
            .path(serial)
            .filter(|_| self.files.pinned_in_memory(serial).is_none());
        let remedy = match (self.policy, on_disk) {
            (CertificatePolicy::PinnedTo(_), _) => Remedy::Configure,
            (_, Some(path)) => Remedy::Remove(path),
            (_, None) => Remedy::Restart,
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
