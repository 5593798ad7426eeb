//! A certificate authority of a test's own.

use std::path::PathBuf;
use std::sync::Arc;

use mqtt::{Authorities, Certificates, PrivateKey};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// A CA with its PEM file.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    folder: TempDir,
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        Self::until(name, 2100)
    }

    /// One that ends with the beginning of this year.
    pub(crate) fn until(name: &str, year: i32) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate: certificate.der().clone(),
            folder,
        }
    }

    /// The CA as those see it who trust it.
    pub(crate) fn authorities(&self) -> Authorities {
        Authorities::in_file(self.file()).unwrap()
    }

    /// This CA and another one, in one file.
    pub(crate) fn authorities_with(&self, other: &Self) -> Authorities {
        let both = [self, other].map(|ca| std::fs::read(ca.file()).unwrap());
        let file = self.folder.path().join("both.pem");
        std::fs::write(&file, both.concat()).unwrap();
        Authorities::in_file(file).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A broker with a certificate of this CA.
    pub(crate) fn acceptor(&self, name: &str, not_after_year: i32) -> TlsAcceptor {
        let (certificate, key) = self.signed(name, not_after_year);
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A broker named `localhost` that wants a certificate of this CA from its clients, too.
    pub(crate) fn demanding(&self, version: &'static SupportedProtocolVersion) -> TlsAcceptor {
        let (certificate, key) = self.signed("localhost", 2100);
        let mut clients = RootCertStore::empty();
        clients.add(self.certificate.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), provider())
            .build()
            .unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A client's certificate and key, by way of their files.
    pub(crate) fn client(&self, name: &str, not_after_year: i32) -> (Certificates, PrivateKey) {
        let (certificate, key) = self.signed(name, not_after_year);
        let file = |kind: &str, pem: String| -> PathBuf {
            let path = self.folder.path().join(format!("{name}.{kind}"));
            std::fs::write(&path, pem).unwrap();
            path
        };
        (
            Certificates::in_file(file("cert", certificate.pem())).unwrap(),
            PrivateKey::in_file(file("key", key.serialize_pem())).unwrap(),
        )
    }

    fn signed(&self, name: &str, not_after_year: i32) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(not_after_year, 1, 1);
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
