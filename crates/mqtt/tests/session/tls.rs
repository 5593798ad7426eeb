//! TLS: who is trusted, and what is said otherwise.

use mqtt::{Config, Reason, Stage, Tls};

use crate::authority::Ca;
use crate::{connected, disconnected};
use scripted::broker::{Broker, Peer};
use scripted::within;

fn tls_config(broker: &Broker, ca: &Ca) -> Config {
    let url = format!("mqtts://localhost:{}", broker.port());
    Config {
        tls: Some(Tls::new(ca.authorities())),
        ..crate::config(&url)
    }
}

#[tokio::test]
async fn a_broker_of_our_ca_is_trusted() {
    let (broker, ca) = (Broker::bind().await, Ca::new("ours"));
    let (_session, mut events) = crate::start(tls_config(&broker, &ca));
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
        let (_session, mut events) = crate::start(tls_config(&broker, &ours));
        assert!(
            within(acceptor.accept(broker.accept_tcp().await))
                .await
                .is_err()
        );
        let reason = disconnected(&mut events).await;
        assert_eq!(reason, expected);
        assert!(reason.needs_a_person());
        assert_eq!(reason.stage(), Stage::Tls);
    }
}

/// rustls itself would let such a broker pass: it never looks at the dates of what it trusts.
#[tokio::test]
async fn a_broker_of_an_expired_ca_is_not_trusted_and_one_of_its_successor_is() {
    let (old, new) = (Ca::until("old", 2021), Ca::new("new"));
    let config = |broker: &Broker| Config {
        tls: Some(Tls::new(new.authorities_with(&old))),
        ..tls_config(broker, &new)
    };
    let broker = Broker::bind().await;
    let (_session, mut events) = crate::start(config(&broker));
    let accept = old
        .acceptor("localhost", 2100)
        .accept(broker.accept_tcp().await);
    assert!(within(accept).await.is_err());
    let reason = disconnected(&mut events).await;
    assert!(matches!(reason, Reason::CaOutOfDate { .. }), "{reason}");
    let said = reason.to_string();
    assert!(said.contains("the CA 'CN=old' in /"), "{said}");
    assert!(said.contains("both.pem expired on 2021-01-01; "), "{said}");
    assert!(reason.needs_a_person());
    assert_eq!(reason.stage(), Stage::Tls);

    // The broker gets a new certificate; nobody restarts us.
    let accept = new
        .acceptor("localhost", 2100)
        .accept(broker.accept_tcp().await);
    let mut peer = Peer::new(within(accept).await.unwrap());
    peer.packet().await;
    peer.let_in(false).await;
    connected(&mut events).await;
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let (broker, ca) = (Broker::bind().await, Ca::new("ours"));
    let (_session, mut events) = crate::start(tls_config(&broker, &ca));
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
    assert_eq!(reason.stage(), Stage::Tls);
}

#[tokio::test]
async fn a_client_without_tls_is_told_of_a_port_that_may_be_with_it() {
    let (broker, ca) = (Broker::bind().await, Ca::new("ours"));
    let (_session, mut events) = crate::start(crate::config(&broker.url()));
    let accept = ca
        .acceptor("localhost", 2100)
        .accept(broker.accept_tcp().await);
    assert!(within(accept).await.is_err());
    let reason = disconnected(&mut events).await;
    assert!(matches!(reason, Reason::NotMqtt { .. }), "{reason}");
    assert!(
        reason
            .to_string()
            .contains("a port with TLS needs mqtts://"),
        "{reason}"
    );
    assert_eq!(reason.stage(), Stage::Login);
    // Others hang up without a word.
    drop(broker.accept_tcp().await);
    let reason = disconnected(&mut events).await;
    assert!(
        reason.to_string().contains("mqtts:// is with TLS"),
        "{reason}"
    );
    assert_eq!(reason.stage(), Stage::Login);
}
