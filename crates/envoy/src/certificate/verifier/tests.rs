use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign;
use rustls::version;
use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;

/// Where the client believes to be.
const ADDRESS: &str = "192.168.1.20";

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
    client: ClientConfig,
    version: &'static SupportedProtocolVersion,
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
) -> Result<(), Error> {
    let server = serving(version, certificate, key);
    between(&Arc::new(client), &Arc::new(server))
}

fn serving(
    version: &'static SupportedProtocolVersion,
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let key = provider.key_provider.load_private_key(key).expect("a key");
    let presented = sign::CertifiedKey::new(vec![certificate.clone()], key);
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("ring knows this version")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Presented(Arc::new(presented))))
}

/// A handshake, with the session tickets that come behind it.
fn between(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<(), Error> {
    let mut server = ServerConnection::new(Arc::clone(server)).expect("a server");
    let name = ServerName::try_from(ADDRESS).expect("a name");
    let mut client = ClientConnection::new(Arc::clone(client), name).expect("a client");

    let mut wire = Vec::new();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
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

const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

#[test]
fn what_carries_nothing_secret_takes_any_certificate_and_tells_which() {
    let own = self_signed();
    for version in VERSIONS {
        let shown = Shown::default();
        let client = noting(shown.clone());
        handshake(client, version, own.cert.der(), &own.signing_key).expect("a handshake");
        assert_eq!(shown.get(), Some(Fingerprint::of(own.cert.der())));
    }
}

#[test]
fn what_carries_secrets_takes_the_accepted_certificate_only_and_none_before_one_is_accepted() {
    let (own, other) = (self_signed(), self_signed());
    for version in VERSIONS {
        let accepted = Shown::default();
        let tried = |server: &CertifiedKey<KeyPair>| {
            let client = strict(accepted.clone());
            handshake(client, version, server.cert.der(), &server.signing_key)
        };
        assert!(is_not_accepted(&tried(&own)));
        accepted.set(Some(Fingerprint::of(own.cert.der())));
        tried(&own).expect("a handshake");
        assert!(is_not_accepted(&tried(&other)));
    }
}

#[test]
fn a_session_is_not_taken_up_again_with_a_certificate_that_is_accepted_no_more() {
    let own = self_signed();
    for version in VERSIONS {
        let accepted = Shown::default();
        accepted.set(Some(Fingerprint::of(own.cert.der())));
        // The same configurations again: both sides remember what they may.
        let client = Arc::new(strict(accepted.clone()));
        let server = Arc::new(serving(version, own.cert.der(), &own.signing_key));
        between(&client, &server).expect("a handshake");
        accepted.set(None);
        assert!(is_not_accepted(&between(&client, &server)));
    }
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let (own, stolen) = (self_signed(), self_signed());
    let accepted = Shown::default();
    accepted.set(Some(Fingerprint::of(stolen.cert.der())));
    for version in VERSIONS {
        for client in [noting(Shown::default()), strict(accepted.clone())] {
            let refusal = handshake(client, version, stolen.cert.der(), &own.signing_key);
            let bad_signature = Err(Error::InvalidCertificate(CertificateError::BadSignature));
            assert_eq!(refusal, bad_signature);
        }
    }
}

/// A certificate of version 1 with its key, as `openssl x509 -req -signkey` makes it.
const VERSION_1: (&[u8], &[u8]) = (
    include_bytes!("version-1.der"),
    include_bytes!("version-1.key.der"),
);

#[test]
fn a_certificate_of_version_1_is_as_good_as_any_for_who_has_its_key() {
    let certificate = CertificateDer::from(VERSION_1.0);
    let key = KeyPair::try_from(VERSION_1.1).expect("a key");
    let other = KeyPair::generate().expect("a key");
    let accepted = Shown::default();
    accepted.set(Some(Fingerprint::of(&certificate)));
    for version in VERSIONS {
        for client in [noting(Shown::default()), strict(accepted.clone())] {
            handshake(client, version, &certificate, &key).expect("a handshake");
        }
        let refusal = handshake(strict(accepted.clone()), version, &certificate, &other);
        let bad_signature = Err(Error::InvalidCertificate(CertificateError::BadSignature));
        assert_eq!(refusal, bad_signature);
    }
}

#[test]
fn a_key_that_is_too_short_is_named() {
    let short = CertificateDer::from(&include_bytes!("rsa-1024.der")[..]);
    let error = key::of(&short).expect_err("1,024 bits");
    assert!(error.to_string().contains("1024 bits"), "{error}");
    let error = key::of(&CertificateDer::from(&b"nonsense"[..])).expect_err("none");
    assert!(matches!(error, UnusableKey::Unreadable), "{error}");
}

#[test]
fn what_a_ca_has_signed_is_accepted_for_its_name_and_for_no_other() {
    let ca =
        rcgen::CertifiedIssuer::self_signed(ca_parameters(), KeyPair::generate().expect("a key"))
            .expect("a CA");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), ca.pem()).expect("a file");
    let trusted = Authorities::in_file(file.path()).expect("a CA");
    for version in VERSIONS {
        for (name, is_accepted) in [(ADDRESS, true), ("192.168.1.21", false)] {
            let key = KeyPair::generate().expect("a key");
            let parameters = CertificateParams::new([name.to_owned()]).expect("a name");
            let signed = parameters.signed_by(&key, &ca).expect("a certificate");
            let client = signed_by(trusted.clone());
            let result = handshake(client, version, signed.der(), &key);
            assert_eq!(result.is_ok(), is_accepted, "{name}: {result:?}");
        }
    }
}

fn ca_parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

#[test]
fn no_ca_of_the_system_stands_for_a_certificate_that_its_owner_has_signed() {
    let own = self_signed();
    for version in VERSIONS {
        let client = signed_by(system());
        let refusal = handshake(client, version, own.cert.der(), &own.signing_key);
        assert!(
            matches!(refusal, Err(Error::InvalidCertificate(_))),
            "{refusal:?}"
        );
    }
}

fn is_not_accepted(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::InvalidCertificate(CertificateError::Other(other))) if other.0.is::<NotAccepted>())
}
