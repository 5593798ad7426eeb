//! Which certificates are trusted, and which is ours.
//!
//! Files are read and checked here, once, when the configuration is read: a path or a key that is
//! wrong is a mistake of the configuration and not an outage later.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, InconsistentKeys, RootCertStore};

/// The longest file that is read. The CAs of a whole system have some 200 kB; this bounds what a
/// wrong path can cost.
const LONGEST: u64 = 4 * 1024 * 1024;

/// What an encrypted key has in its PEM, in its newer and its older form.
const ENCRYPTED: [&str; 2] = ["ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];

/// What is wrong with a file for TLS. The file's name is left to whoever knows the setting.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file can't be read.
    #[error("can't be read: {0}")]
    Unreadable(io::Error),
    /// The file is far too long.
    #[error("is longer than 4 MiB; name the PEM file with the certificates")]
    TooLong,
    /// There is no certificate in it.
    #[error(
        "has no certificate in PEM form (-----BEGIN CERTIFICATE-----); if it is in DER form, convert it with: openssl x509 -inform der -in FILE -out FILE.pem"
    )]
    NoCertificate,
    /// The PEM is damaged, or nothing in it is a certificate that can be used.
    #[error("has no certificate that can be used; the file is damaged or holds something else")]
    BadCertificate,
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
    /// The system has no CAs.
    #[error(
        "no CA certificates were found on this system; install ca-certificates or name a CA file"
    )]
    NoSystemCas,
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Setup(rustls::Error),
}

/// The CAs that may have signed the broker's certificate.
#[derive(Clone)]
pub struct Authorities(RootCertStore);

impl Authorities {
    /// Those in a PEM file, and no others.
    pub fn in_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        Self::any_of(Certificates::in_file(path)?.0).ok_or(TlsError::BadCertificate)
    }

    /// Those of the system.
    pub fn of_system() -> Result<Self, TlsError> {
        // What can't be read among the system's files is left out: one bad file must not cost the
        // rest.
        let certificates = rustls_native_certs::load_native_certs().certs;
        Self::any_of(certificates).ok_or(TlsError::NoSystemCas)
    }

    fn any_of(certificates: Vec<CertificateDer<'static>>) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        (!roots.is_empty()).then_some(Self(roots))
    }
}

/// Our certificate, followed by those that lead to its CA.
#[derive(Clone)]
pub struct Certificates(Vec<CertificateDer<'static>>);

impl Certificates {
    /// Those in a PEM file, in its order.
    pub fn in_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(&read(path.as_ref())?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| TlsError::BadCertificate)?;
        if certificates.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        Ok(Self(certificates))
    }
}

/// The private key of our certificate.
pub struct PrivateKey(PrivateKeyDer<'static>);

impl PrivateKey {
    /// The first one in a PEM file.
    pub fn in_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let text = read(path.as_ref())?;
        let locked = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            ENCRYPTED.iter().any(|mark| text.contains(mark))
        };
        match PrivateKeyDer::pem_slice_iter(&text).next() {
            _ if locked(&text) => Err(TlsError::LockedKey),
            None => Err(TlsError::NoKey),
            Some(Err(_)) => Err(TlsError::BadKey),
            Some(Ok(key)) => match provider().key_provider.load_private_key(key.clone_key()) {
                Ok(_) => Ok(Self(key)),
                Err(_) => Err(TlsError::BadKey),
            },
        }
    }
}

/// Everything that TLS with a broker needs; cheap to clone.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts `authorities`, and shows the broker no certificate.
    pub fn new(authorities: Authorities) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(trusting(authorities)?.with_no_client_auth())))
    }

    /// Trusts `authorities`, and shows the broker a certificate if it wants one. The certificate's
    /// dates are left to the broker: it may be renewed while we run, and it is the broker that judges.
    pub fn with_certificate(
        authorities: Authorities,
        certificates: Certificates,
        key: PrivateKey,
    ) -> Result<Self, TlsError> {
        let config = trusting(authorities)?
            .with_client_auth_cert(certificates.0, key.0)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::KeyOfAnother
                }
                rustls::Error::InvalidCertificate(_) => TlsError::BadCertificate,
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

fn trusting(
    authorities: Authorities,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, TlsError> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(authorities.0))
}

/// The provider is named here, so that this works whether or not the process has installed one.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(TlsError::Unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(TlsError::TooLong);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
