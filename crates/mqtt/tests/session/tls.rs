//! TLS: who is trusted, and what is said otherwise.

use std::path::PathBuf;
use std::sync::Arc;

use mqtt::{Config, Reason};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::{connected, disconnected};
use scripted::broker::{Broker, Peer};
use scripted::within;

/// A CA with its PEM file.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    _folder: TempDir,
    file: PathBuf,
}

impl Ca {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            _folder: folder,
            file,
        }
    }

    fn acceptor(&self, name: &str, not_after_year: i32) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(not_after_year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn tls_config(broker: &Broker, ca: &Ca) -> Config {
    let url = format!("mqtts://localhost:{}", broker.port());
    Config {
        ca_file: Some(ca.file.clone()),
        ..crate::config(&url)
    }
}

#[tokio::test]
async fn a_broker_of_our_ca_is_trusted() {
    let (broker, ca) = (Broker::bind().await, Ca::new("ours"));
    let (_session, mut events) = mqtt::start(tls_config(&broker, &ca)).unwrap();
    let acceptor = ca.acceptor("localhost", 2100);
    let mut peer = Peer::new(
        within(acceptor.accept(broker.accept_tcp().await))
            .await
            .unwrap(),
    );
    assert!(matches!(
        peer.packet().await,
        Some(rumqttc::Packet::Connect(_))
    ));
    peer.let_in(false).await;
    let connection = connected(&mut events).await;
    let receipt = connection.publish(crate::message(1)).await.unwrap();
    let packet = peer.publish().await.pkid;
    peer.acknowledge(packet).await;
    within(receipt).await.unwrap();
    drop(peer);
    assert_eq!(disconnected(&mut events).await, Reason::Closed);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_named() {
    let ours = Ca::new("ours");
    let (other, anew) = (Ca::new("other"), Ca::new("ours"));
    let host = || "localhost".to_owned();
    for (acceptor, expected) in [
        (
            other.acceptor("localhost", 2100),
            Reason::UnknownCa { host: host() },
        ),
        (
            anew.acceptor("localhost", 2100),
            Reason::UnknownCa { host: host() },
        ),
        (
            ours.acceptor("broker.local", 2100),
            Reason::WrongName { host: host() },
        ),
        (
            ours.acceptor("localhost", 2021),
            Reason::Expired { host: host() },
        ),
    ] {
        let broker = Broker::bind().await;
        let (_session, mut events) = mqtt::start(tls_config(&broker, &ours)).unwrap();
        assert!(
            within(acceptor.accept(broker.accept_tcp().await))
                .await
                .is_err()
        );
        let reason = disconnected(&mut events).await;
        assert_eq!(reason, expected);
        assert!(reason.needs_a_person());
    }
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let (broker, ca) = (Broker::bind().await, Ca::new("ours"));
    let (_session, mut events) = mqtt::start(tls_config(&broker, &ca)).unwrap();
    let mut peer = Peer::new(broker.accept_tcp().await);
    peer.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let reason = disconnected(&mut events).await;
    assert!(matches!(reason, Reason::NotTls { .. }), "{reason}");
    // Mosquitto's plain port hangs up instead.
    drop(broker.accept_tcp().await);
    let reason = disconnected(&mut events).await;
    assert!(
        matches!(reason, Reason::ClosedBeforeAnswer { .. }),
        "{reason}"
    );
    assert!(reason.to_string().contains("MQTT over TLS"), "{reason}");
}
