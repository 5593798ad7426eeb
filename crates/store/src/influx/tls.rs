//! Which certificates are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::settings::{Settings, SettingsError};

/// TLS for the address in `settings`, with the CAs of its file, or else the system's.
pub(super) fn config(settings: &Settings) -> Result<ClientConfig, SettingsError> {
    let roots = match (&settings.ca_file, settings.url.scheme() == "https") {
        (Some(_), false) => {
            return Err(SettingsError::CaFileWithoutTls {
                url: settings.url.to_string(),
            });
        }
        (Some(path), true) => of_file(path)?,
        (None, true) => of_the_system()?,
        (None, false) => RootCertStore::empty(),
    };
    // The provider is named here, so that this works whether or not the process has installed one.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn of_file(path: &Path) -> Result<RootCertStore, SettingsError> {
    let unreadable = |source| SettingsError::CaFile {
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
        return Err(SettingsError::EmptyCaFile(path.to_owned()));
    }
    Ok(roots)
}

fn of_the_system() -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    // A certificate that can't be read is left out, as everywhere; the others do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(SettingsError::NoAuthorities);
    }
    Ok(roots)
}
