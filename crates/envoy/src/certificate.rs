//! Which certificates are accepted. At present: any.
//!
//! A gateway signs its certificate itself, for a name by which nobody calls it, and replaces it
//! about once a year. So there is nothing to check it against at a first contact, and this verifier
//! accepts every certificate; it checks only that the other side holds the certificate's key. That
//! keeps listeners out. It does **not** keep out someone who can put himself in the Envoy's place in
//! the home network: he would be sent the token. Remembering the certificate of the first contact
//! belongs into this file.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// The TLS side of the client.
pub(crate) fn client_config() -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth()
}

/// Accepts any certificate whose key the other side really has.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};
    use rustls::{sign, version};

    use super::*;

    /// Presents a certificate together with any key.
    #[derive(Debug)]
    struct Presented(Arc<sign::CertifiedKey>);

    impl ResolvesServerCert for Presented {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<sign::CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    /// A handshake with a server that has this certificate and this key.
    fn handshake(
        version: &'static SupportedProtocolVersion,
        certificate: &CertificateDer<'static>,
        key: &KeyPair,
    ) -> Result<(), Error> {
        let provider = Arc::new(ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let key = provider.key_provider.load_private_key(key).expect("a key");
        let presented = sign::CertifiedKey::new(vec![certificate.clone()], key);
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("ring knows this version")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Presented(Arc::new(presented))));
        let mut server = ServerConnection::new(Arc::new(config)).expect("a server");
        let name = ServerName::try_from("192.168.1.20").expect("a name");
        let mut client = ClientConnection::new(Arc::new(client_config()), name).expect("a client");

        let mut wire = Vec::new();
        while client.is_handshaking() {
            client.write_tls(&mut wire).expect("written to memory");
            server
                .read_tls(&mut wire.as_slice())
                .expect("read from memory");
            wire.clear();
            server.process_new_packets()?;
            server.write_tls(&mut wire).expect("written to memory");
            client
                .read_tls(&mut wire.as_slice())
                .expect("read from memory");
            wire.clear();
            client.process_new_packets()?;
        }
        Ok(())
    }

    fn self_signed() -> CertifiedKey<KeyPair> {
        rcgen::generate_simple_self_signed(["gateway.invalid".to_owned()]).expect("a certificate")
    }

    #[test]
    fn a_self_signed_certificate_for_another_name_is_accepted() {
        let own = self_signed();
        for version in [&version::TLS12, &version::TLS13] {
            handshake(version, own.cert.der(), &own.signing_key).expect("a handshake");
        }
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let (own, stolen) = (self_signed(), self_signed());
        for version in [&version::TLS12, &version::TLS13] {
            let refusal = handshake(version, stolen.cert.der(), &own.signing_key);
            assert!(
                matches!(refusal, Err(Error::InvalidCertificate(_))),
                "{refusal:?}"
            );
        }
    }
}
