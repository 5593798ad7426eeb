//! Which certificates are trusted, and which is ours.
//!
//! Files are read and checked here, once, when the configuration is read: a path or a key that is
//! wrong is a mistake of the configuration and not an outage later.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, InconsistentKeys};
use trust::FileError;
pub use trust::{Authorities, OutOfDate};

/// What an encrypted key has in its PEM, in its newer and its older form.
const ENCRYPTED: [&str; 2] = ["ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];

/// What is wrong with a file for TLS. The file's name is left to whoever knows the setting.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file can't be read, or holds something else.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no private key in it.
    #[error(
        "has no private key in PEM form (-----BEGIN PRIVATE KEY-----); it needs the key that belongs to the certificate"
    )]
    NoKey,
    /// The private key is encrypted.
    #[error(
        "holds a key that is locked with a passphrase, which nobody could enter; unlock it with: openssl pkey -in FILE -out FILE.unlocked"
    )]
    LockedKey,
    /// The private key is damaged, or of a kind that we can't use.
    #[error("has a private key that can't be used; RSA, ECDSA (P-256, P-384) and Ed25519 can")]
    BadKey,
    /// Key and certificate do not belong together.
    #[error("does not belong to the certificate; give the key that the certificate was made for")]
    KeyOfAnother,
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Setup(rustls::Error),
}

/// Our certificate, followed by those that lead to its CA.
#[derive(Clone)]
pub struct Certificates(Vec<CertificateDer<'static>>);

impl Certificates {
    /// Those in a PEM file, in its order.
    pub fn in_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        Ok(Self(trust::certificates(path)?))
    }
}

/// The private key of our certificate.
pub struct PrivateKey(PrivateKeyDer<'static>);

impl PrivateKey {
    /// The first one in a PEM file.
    pub fn in_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let text = trust::read(path)?;
        let locked = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            ENCRYPTED.iter().any(|mark| text.contains(mark))
        };
        match PrivateKeyDer::pem_slice_iter(&text).next() {
            _ if locked(&text) => Err(TlsError::LockedKey),
            None => Err(TlsError::NoKey),
            Some(Err(_)) => Err(TlsError::BadKey),
            Some(Ok(key)) => {
                let provider = rustls::crypto::ring::default_provider();
                match provider.key_provider.load_private_key(key.clone_key()) {
                    Ok(_) => Ok(Self(key)),
                    Err(_) => Err(TlsError::BadKey),
                }
            }
        }
    }
}

/// Everything that TLS with a broker needs; cheap to clone.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts `authorities`, and shows the broker no certificate.
    #[must_use]
    pub fn new(authorities: Authorities) -> Self {
        Self(Arc::new(authorities.client_config().with_no_client_auth()))
    }

    /// Trusts `authorities`, and shows the broker a certificate if it wants one. The certificate's
    /// dates are left to the broker: it may be renewed while we run, and it is the broker that judges.
    pub fn with_certificate(
        authorities: Authorities,
        certificates: Certificates,
        key: PrivateKey,
    ) -> Result<Self, TlsError> {
        let config = authorities
            .client_config()
            .with_client_auth_cert(certificates.0, key.0)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::KeyOfAnother
                }
                rustls::Error::InvalidCertificate(_) => FileError::BadCertificate.into(),
                error => TlsError::Setup(error),
            })?;
        Ok(Self(Arc::new(config)))
    }

    /// Whether there is a certificate to show.
    pub(crate) fn has_certificate(&self) -> bool {
        self.0.client_auth_cert_resolver.has_certs()
    }

    pub(crate) fn client_config(&self) -> Arc<ClientConfig> {
        self.0.clone()
    }
}

impl fmt::Debug for Tls {
    /// Shows nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.has_certificate())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
