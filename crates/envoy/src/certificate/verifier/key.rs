//! The key of a certificate of which nothing else counts.
//!
//! Of a pinned certificate only its bytes and its key matter. What judges certificates of CAs takes no other than
//! version 3; devices sign their own in version 1, too, which is all that some tools make.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError};
use webpki::RawPublicKeyEntity;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Shorter RSA keys can't be used: `ring` takes none, since they are not safe any more.
const LEAST_RSA_BITS: usize = 2048;

/// A certificate whose key nobody can check.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableKey {
    #[error("the certificate can't be read")]
    Unreadable,
    #[error(
        "the certificate has an RSA key of {0} bits, and fewer than {LEAST_RSA_BITS} are not safe"
    )]
    TooShort(usize),
}

impl From<UnusableKey> for Error {
    fn from(error: UnusableKey) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
    }
}

/// The key in a certificate.
pub(crate) fn of<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<SubjectPublicKeyInfoDer<'a>, UnusableKey> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| UnusableKey::Unreadable)?;
    let key = certificate.tbs_certificate.subject_pki;
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() < LEAST_RSA_BITS => {
            Err(UnusableKey::TooShort(rsa.key_size()))
        }
        _ => {
            // The parser goes past what follows a key within its place; who checks signatures does not.
            let key = SubjectPublicKeyInfoDer::from(key.raw);
            RawPublicKeyEntity::try_from(&key).map_err(|_| UnusableKey::Unreadable)?;
            Ok(key)
        }
    }
}

/// Whether the message was signed with this key. For TLS 1.3 the library has that itself.
pub(super) fn verify_tls12(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let entity = RawPublicKeyEntity::try_from(key).map_err(|_| UnusableKey::Unreadable)?;
    let mapping = algorithms.mapping.iter();
    // A scheme of TLS 1.2 says nothing of the curve, so that there may be several.
    let mut fitting = mapping
        .filter(|(scheme, _)| *scheme == signed.scheme)
        .flat_map(|(_, algorithms)| algorithms.iter());
    fitting
        .any(|algorithm| {
            entity
                .verify_signature(*algorithm, message, signed.signature())
                .is_ok()
        })
        .then(HandshakeSignatureValid::assertion)
        .ok_or(Error::InvalidCertificate(CertificateError::BadSignature))
}
