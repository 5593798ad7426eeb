//! The pins of other Envoys.

use std::path::Path;

use super::{CertificatePolicy, Certificates, pins};
use crate::error::Error;

impl Certificates {
    /// Where the first certificate is pinned for good and nothing says which serial is meant: whether this may be
    /// the Envoy. Who takes its address must not get round the pin by telling another serial.
    pub(crate) fn is_of_nobody_else(&self, serial: &str, address: &str) -> Result<(), Error> {
        if self.policy != CertificatePolicy::Pinned || self.pinned_for(serial) {
            return Ok(());
        }
        match self.files.other_pinned(serial) {
            Ok(None) => Ok(()),
            Ok(Some(other)) => Err(Error::OtherPinned {
                address: address.to_owned(),
                found: serial.to_owned(),
                pinned: other.serial,
                path: other.path,
            }),
            Err(source) => Err(Error::Pin {
                address: address.to_owned(),
                serial: serial.to_owned(),
                path: self.files.directory().unwrap_or(Path::new("")).to_owned(),
                source: source.into(),
            }),
        }
    }

    /// Whether there is a pin of this Envoy, be it one that can't be read.
    fn pinned_for(&self, serial: &str) -> bool {
        self.files.pinned_in_memory(serial).is_some()
            || !matches!(pins::read(&self.files, serial), Ok(None))
    }
}
