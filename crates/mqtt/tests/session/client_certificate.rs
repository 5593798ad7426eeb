//! A broker that wants to see a certificate of its clients.

use mqtt::{Certificates, PrivateKey, Reason, Stage, Tls};
use rumqttc::Packet;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncReadExt;

use crate::authority::Ca;
use crate::{config, connected, disconnected};
use scripted::broker::{Broker, Peer};
use scripted::within;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn with_certificate(ca: &Ca, (certificates, key): (Certificates, PrivateKey)) -> Tls {
    Tls::with_certificate(ca.authorities(), certificates, key).unwrap()
}

/// Why a broker that wants certificates of `ca` turns us away.
async fn turned_away(ca: &Ca, version: &'static SupportedProtocolVersion, tls: Tls) -> Reason {
    let broker = Broker::bind().await;
    let mut config = config(&format!("mqtts://localhost:{}", broker.port()));
    config.tls = Some(tls);
    let (_session, mut events) = crate::start(config);
    let accept = ca.demanding(version).accept(broker.accept_tcp().await);
    let Err((_, mut stream)) = within(accept.into_fallible()).await else {
        panic!("the broker let us in");
    };
    let reason = disconnected(&mut events).await;
    // Closed with bytes unread, it would take back the alert.
    let _ = within(stream.read_to_end(&mut Vec::new())).await;
    reason
}

#[tokio::test]
async fn a_client_with_a_certificate_of_the_brokers_ca_is_let_in() {
    let ca = Ca::new("ours");
    for version in VERSIONS {
        let broker = Broker::bind().await;
        let mut config = config(&format!("mqtts://localhost:{}", broker.port()));
        config.tls = Some(with_certificate(&ca, ca.client("us", 2100)));
        let (_session, mut events) = crate::start(config);
        let accept = ca.demanding(version).accept(broker.accept_tcp().await);
        let mut peer = Peer::new(within(accept).await.unwrap());
        assert!(matches!(peer.packet().await, Some(Packet::Connect(_))));
        peer.let_in(false).await;
        connected(&mut events).await;
    }
}

#[tokio::test]
async fn a_certificate_that_is_missing_is_asked_for() {
    let ca = Ca::new("ours");
    for version in VERSIONS {
        let reason = turned_away(&ca, version, Tls::new(ca.authorities())).await;
        assert!(
            matches!(reason, Reason::CertificateWanted { .. }),
            "{version:?}: {reason}"
        );
        assert!(reason.needs_a_person());
        assert_eq!(reason.stage(), Stage::Tls);
        assert!(reason.to_string().contains("wants a client certificate"));
    }
}

#[tokio::test]
async fn a_certificate_of_another_ca_or_one_that_has_expired_is_refused_by_name() {
    let (ca, other) = (Ca::new("ours"), Ca::new("other"));
    for version in VERSIONS {
        for (certificate, alert) in [
            (other.client("us", 2100), "UnknownCA"),
            (ca.client("us", 2021), "CertificateExpired"),
        ] {
            let reason = turned_away(&ca, version, with_certificate(&ca, certificate)).await;
            assert!(
                matches!(reason, Reason::CertificateRefused { .. }),
                "{version:?}: {reason}"
            );
            assert!(reason.to_string().contains(alert), "{reason}");
            assert!(reason.needs_a_person());
            assert_eq!(reason.stage(), Stage::Tls);
        }
    }
}
