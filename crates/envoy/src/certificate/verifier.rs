//! The judgement of a certificate during the handshake.

mod key;

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use trust::Authorities;

use super::fingerprint::Fingerprint;
pub(crate) use key::{UnusableKey, of as key_of};

/// A certificate that is looked at in one place and set in another.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown(Arc<Mutex<Option<Fingerprint>>>);

impl Shown {
    pub(super) fn get(&self) -> Option<Fingerprint> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, fingerprint: Option<Fingerprint>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fingerprint;
    }
}

/// The other side shows another certificate than the one that was accepted.
#[derive(Debug, thiserror::Error)]
#[error("it has another certificate than the one that was accepted")]
pub(crate) struct NotAccepted;

/// Accepts any certificate, and tells which it was.
pub(super) fn noting(shown: Shown) -> ClientConfig {
    with(Judge::Note(shown))
}

/// Accepts the one certificate that was accepted before.
pub(super) fn strict(accepted: Shown) -> ClientConfig {
    with(Judge::Only(accepted))
}

/// Accepts what one of these CAs stands for.
pub(super) fn signed_by(authorities: Authorities) -> ClientConfig {
    authorities.client_config().with_no_client_auth()
}

/// The CAs of the system. Without any no certificate is accepted, which is said.
pub(super) fn system() -> Authorities {
    Authorities::of_system().unwrap_or_else(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "no certificate of the Envoy can be accepted: the system has no CAs"
        );
        Authorities::none()
    })
}

fn with(judge: Judge) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinning { provider, judge }))
        .with_no_client_auth();
    // A session that is taken up again shows no certificate, so nobody would judge it.
    config.resumption = Resumption::disabled();
    config
}

/// Looks at nothing but which certificate it is, and that the other side really has its key.
#[derive(Debug)]
struct Pinning {
    provider: Arc<CryptoProvider>,
    judge: Judge,
}

#[derive(Debug)]
enum Judge {
    Note(Shown),
    Only(Shown),
}

impl ServerCertVerifier for Pinning {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let fingerprint = Fingerprint::of(end_entity);
        match &self.judge {
            Judge::Note(shown) => shown.set(Some(fingerprint)),
            Judge::Only(accepted) if accepted.get() == Some(fingerprint) => {}
            Judge::Only(_) => {
                let other = OtherError(Arc::new(NotAccepted));
                return Err(Error::InvalidCertificate(CertificateError::Other(other)));
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        key::verify_tls12(message, &key::of(cert)?, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key::of(cert)?, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
