//! The gateway's own certificate: self-signed, good for a year, for a name that nobody uses.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use crate::serial::Serial;

/// TLS could not be set up.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A certificate can't be made.
    #[error("can't make a certificate")]
    Unmade(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file can't be read or written.
    #[error("can't keep the certificate in {}: name a file that can be read and written", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is not a certificate of the simulator: name another file, or move this one away", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

/// A certificate with its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) acceptor: TlsAcceptor,
    key: PrivatePkcs8KeyDer<'static>,
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CertificateError {
    CertificateError::Unmade(error.into())
}

impl Identity {
    /// The one that is kept in a file, both parts in PEM; none when there is no such file.
    pub(crate) fn kept_in(path: &Path) -> Result<Option<Self>, CertificateError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file_error(path)(source)),
        };
        let certificate = CertificateDer::from_pem_slice(&text).ok();
        let key = PrivatePkcs8KeyDer::from_pem_slice(&text).ok();
        let made = certificate.zip(key).map(|(cert, key)| Self::of(cert, key));
        match made {
            Some(Ok(identity)) => Ok(Some(identity)),
            _ => Err(CertificateError::Foreign {
                path: path.to_owned(),
            }),
        }
    }

    /// Keeps it in a file (mode 0600), in place of what is there.
    pub(crate) fn keep_in(&self, path: &Path) -> Result<(), CertificateError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path);
        let mut file = file.map_err(file_error(path))?;
        for (label, der) in [
            ("CERTIFICATE", &*self.certificate),
            ("PRIVATE KEY", self.key.secret_pkcs8_der()),
        ] {
            let lines = STANDARD.encode(der);
            write!(
                file,
                "-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
            )
            .map_err(file_error(path))?;
        }
        Ok(())
    }

    /// A new one. Its names don't fit the address, as with real gateways.
    pub(crate) fn new(serial: &Serial, now: Timestamp) -> Result<Self, CertificateError> {
        let key = KeyPair::generate().map_err(failed)?;
        let names = vec!["envoy.local".to_owned()];
        let mut parameters = CertificateParams::new(names).map_err(failed)?;
        parameters
            .distinguished_name
            .push(DnType::CommonName, serial.as_str());
        let midnight = |days: i64| {
            let time = now + SignedDuration::from_hours(24 * days);
            let date = TimeZone::UTC.to_datetime(time).date();
            date_time_ymd(
                date.year().into(),
                date.month().unsigned_abs(),
                date.day().unsigned_abs(),
            )
        };
        (parameters.not_before, parameters.not_after) = (midnight(-1), midnight(365));
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Self::of(certificate.der().clone(), key)
    }

    fn of(
        certificate: CertificateDer<'static>,
        key: PrivatePkcs8KeyDer<'static>,
    ) -> Result<Self, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.clone_key().into())
            .map_err(failed)?;
        Ok(Self {
            certificate,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            key,
        })
    }
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> CertificateError {
    let path = path.to_owned();
    move |source| CertificateError::File {
        path: path.clone(),
        source,
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}
