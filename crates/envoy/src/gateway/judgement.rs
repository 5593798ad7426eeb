//! Whether whoever answers is the Envoy that is meant: by its serial, and by its certificate.

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::Gateway;
use super::detection::Found;
use crate::error::Error;
use crate::exchange::address;
use crate::host::Scheme;

impl Gateway {
    /// Readings of another Envoy must never pass for those of this one, also where its address has
    /// gone to another.
    pub(super) fn check_serial(&self, found: &Found) -> Result<(), Error> {
        let configured = self.settings.serial.as_deref();
        let expected = configured.or(self.last_info().map(|info| info.serial.as_str()));
        match expected {
            Some(expected) if expected != found.info.serial => Err(Error::WrongSerial {
                address: address(&found.base),
                expected: expected.to_owned(),
                found: found.info.serial.clone(),
                is_configured: configured.is_some(),
            }),
            _ => Ok(()),
        }
    }

    /// Has the certificate judged, on a thread that may wait for the disk.
    pub(super) async fn judge(&mut self, found: &Found, now: Timestamp) -> Result<(), Error> {
        // Whom a pin was made for is the one that is meant, also after a restart.
        let is_meant = self.settings.serial.is_some() || self.last.is_some();
        let mut certificates = self.certificates.clone();
        let (serial, address) = (found.info.serial.clone(), address(&found.base));
        let tls = found.base.scheme() == Scheme::Https.to_string();
        let work = spawn_blocking(move || {
            let judged = if is_meant {
                Ok(())
            } else {
                certificates.is_of_nobody_else(&serial, &address)
            };
            let judged = judged.and_then(|()| certificates.judge(&serial, &address, tls, now));
            (certificates, judged)
        });
        let (certificates, judged) = match work.await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is ending, and this with it.
                Err(_) => std::future::pending().await,
            },
        };
        self.certificates = certificates;
        judged
    }
}
