//! The gateway's own certificate: self-signed, good for a year, for a name that nobody uses.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use crate::serial::Serial;

/// TLS could not be set up.
#[derive(Debug, Error)]
#[error("can't make a certificate")]
pub struct CertificateError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A certificate with its key.
pub(crate) struct Identity {
    /// In DER.
    pub(crate) certificate: Vec<u8>,
    pub(crate) acceptor: TlsAcceptor,
}

impl Identity {
    /// A new one. Its names don't fit the address, as with real gateways.
    pub(crate) fn new(serial: &Serial, now: Timestamp) -> Result<Self, CertificateError> {
        fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CertificateError {
            CertificateError(error.into())
        }
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
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .map_err(failed)?;
        Ok(Self {
            certificate: certificate.der().to_vec(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}
