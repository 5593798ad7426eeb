//! CAs, and their dates.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use crate::file::{FileError, certificates};
use crate::verifier::Verifier;

/// The CAs that may have signed a server's certificate.
#[derive(Clone)]
pub struct Authorities(pub(crate) Vec<Authority>);

#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) anchor: TrustAnchor<'static>,
    /// Only of one from a file.
    term: Option<Term>,
}

/// From when until when a CA is valid.
#[derive(Clone)]
struct Term {
    /// Which CA, for messages.
    ca: String,
    from: ASN1Time,
    until: ASN1Time,
}

impl Authorities {
    /// Those in a PEM file, and no others. One that has expired is not trusted, and a file in which all
    /// have is a mistake. A file with CAs that are not valid yet is none: a machine without a battery
    /// for its clock starts like this, and sets it later.
    pub fn in_file(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::in_file_at(path.as_ref(), UnixTime::now())
    }

    fn in_file_at(path: &Path, now: UnixTime) -> Result<Self, FileError> {
        let certificates = certificates(path)?;
        let authorities = certificates
            .iter()
            .filter_map(|certificate| Authority::in_file(certificate, path));
        let authorities = Self(authorities.collect());
        let last = authorities.0.iter().filter_map(|each| each.term.as_ref());
        let Some(last) = last.max_by_key(|term| term.until) else {
            return Err(FileError::BadCertificate);
        };
        match last.at(now) {
            Err(OutOfDate { date, expired, .. }) if expired => {
                Err(FileError::Expired { last: date })
            }
            _ => Ok(authorities),
        }
    }

    /// Those of the system.
    pub fn of_system() -> Result<Self, FileError> {
        // What can't be read among the system's files is left out: one bad file must not cost the
        // rest.
        let certificates = rustls_native_certs::load_native_certs().certs;
        let authorities: Vec<_> = certificates
            .iter()
            .filter_map(Authority::of_system)
            .collect();
        if authorities.is_empty() {
            return Err(FileError::NoSystemCas);
        }
        Ok(Self(authorities))
    }

    /// Nobody, for a connection without TLS.
    #[must_use]
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Those that are not trusted today.
    #[must_use]
    pub fn out_of_date(&self) -> Vec<OutOfDate> {
        let now = UnixTime::now();
        self.0
            .iter()
            .filter_map(|each| each.at(now).err())
            .collect()
    }

    /// The beginning of a client's configuration that trusts these.
    #[must_use]
    pub fn client_config(self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        // The provider is named here, so that this works whether or not the process has installed
        // one.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new(self, &provider);
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions of TLS")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

impl Authority {
    /// Nothing, unless it can be used as a CA and has dates that can be read.
    fn in_file(certificate: &CertificateDer<'_>, file: &Path) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let subject = parsed.subject().to_string();
        Some(Self {
            term: Some(Term {
                ca: format!("'{}' in {}", subject.escape_debug(), file.display()),
                from: parsed.validity().not_before,
                until: parsed.validity().not_after,
            }),
            anchor: anchor(certificate)?,
        })
    }

    fn of_system(certificate: &CertificateDer<'_>) -> Option<Self> {
        Some(Self {
            anchor: anchor(certificate)?,
            term: None,
        })
    }

    pub(crate) fn at(&self, now: UnixTime) -> Result<(), OutOfDate> {
        self.term.as_ref().map_or(Ok(()), |term| term.at(now))
    }
}

impl Term {
    fn at(&self, now: UnixTime) -> Result<(), OutOfDate> {
        // A clock so wrong that it does not fit is far in the future.
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let (expired, date) = if now > self.until.timestamp() {
            (true, self.until)
        } else if now < self.from.timestamp() {
            (false, self.from)
        } else {
            return Ok(());
        };
        Err(OutOfDate {
            ca: self.ca.clone(),
            date: date.to_datetime().date().to_string(),
            expired,
        })
    }
}

/// The name and the key of a CA.
fn anchor(certificate: &CertificateDer<'_>) -> Option<TrustAnchor<'static>> {
    let mut one = RootCertStore::empty();
    one.add(certificate.clone().into_owned()).ok()?;
    one.roots.pop()
}

/// A CA of a file that is not valid any more, or not yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the CA {ca} {} {date}",
    if *expired { "expired on" } else { "is not valid before" }
)]
pub struct OutOfDate {
    /// Its name and its file.
    ca: String,
    /// The day, in UTC.
    date: String,
    expired: bool,
}

impl OutOfDate {
    /// The CA that a handshake failed for, if it was that.
    #[must_use]
    pub fn behind(error: &rustls::Error) -> Option<&Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
                other.0.downcast_ref()
            }
            _ => None,
        }
    }

    /// Whether it is too late for it, and not too early.
    #[must_use]
    pub fn has_expired(&self) -> bool {
        self.expired
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        if self.expired {
            "put the CA's new certificate into that file and restart (or check this machine's clock)"
        } else {
            "check this machine's clock"
        }
    }
}

#[cfg(test)]
mod tests;
