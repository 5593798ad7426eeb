//! Which certificates are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

/// Trusts the CAs in a PEM file, and no others.
pub(crate) fn trusting_file(path: &Path) -> Result<Arc<ClientConfig>, ConfigError> {
    let unreadable = |source| ConfigError::CaFile {
        path: path.to_owned(),
        source,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(ConfigError::EmptyCaFile(path.to_owned()));
    }
    trusting(roots)
}

/// Trusts the CAs of the system.
pub(crate) fn trusting_system() -> Result<Arc<ClientConfig>, ConfigError> {
    let mut roots = RootCertStore::empty();
    // What can't be read among the system's files is left out: one bad file must not cost the rest.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(ConfigError::NoSystemCas);
    }
    trusting(roots)
}

/// The provider is named here, so that this works whether or not the process has installed one.
fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, ConfigError> {
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(ConfigError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(Arc::new(config))
}
