//! A client with the same id.

use std::time::Duration;

use mqtt::{Reason, Stage};

use crate::pauses::{let_in, next_attempt};
use crate::{config, connected, disconnected};
use scripted::broker::Broker;

fn thrown_out() -> Reason {
    Reason::ThrownOut {
        client_id: "a-client".into(),
    }
}

#[tokio::test]
async fn connections_that_are_closed_soon_again_and_again_name_the_rival() {
    let broker = Broker::bind().await;
    let (_session, mut events) = crate::start(config(&broker.url()));
    for expected in [Reason::Closed, Reason::Closed, thrown_out(), thrown_out()] {
        let peer = broker.welcome(true).await;
        connected(&mut events).await;
        drop(peer);
        assert_eq!(disconnected(&mut events).await, expected);
    }
    assert!(thrown_out().needs_a_person());
    assert_eq!(thrown_out().stage(), Stage::Connected);
    let sentence = thrown_out().to_string();
    assert!(sentence.contains("client id 'a-client'"), "{sentence}");
}

#[tokio::test]
async fn a_broker_that_says_good_bye_to_the_one_thrown_out_names_the_rival_too() {
    let broker = Broker::bind().await;
    let (_session, mut events) = crate::start(config(&broker.url()));
    for expected in [Reason::Dismissed, Reason::Dismissed, thrown_out()] {
        let mut peer = broker.welcome(true).await;
        connected(&mut events).await;
        // MQTT 5's DISCONNECT with the reason "session taken over", as mqtt5 sends it to clients of 3.1.1.
        peer.send_bytes(&[0xE0, 0x02, 0x8E, 0x00]).await;
        assert_eq!(disconnected(&mut events).await, expected);
    }
}

#[tokio::test]
async fn a_broker_that_restarts_is_no_rival() {
    let broker = Broker::bind().await;
    let (_session, mut events) = crate::start(config(&broker.url()));
    for _ in 0..4 {
        let peer = broker.welcome(true).await;
        connected(&mut events).await;
        drop(peer);
        assert_eq!(disconnected(&mut events).await, Reason::Closed);
        // While it starts, it is not there.
        drop(broker.accept_tcp().await);
        let reason = disconnected(&mut events).await;
        assert!(
            matches!(reason, Reason::ClosedBeforeAnswer { .. }),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_client_that_is_thrown_out_waits_as_long_as_pauses_get() {
    let broker = Broker::bind().await;
    let mut config = config(&broker.url());
    config.backoff_cap = Duration::from_secs(28);
    let (_session, mut events) = crate::start(config);
    for expected in [Reason::Closed, Reason::Closed, thrown_out()] {
        let (stream, _) = next_attempt(&broker).await;
        let peer = let_in(stream).await;
        connected(&mut events).await;
        drop(peer);
        assert_eq!(disconnected(&mut events).await, expected);
    }
    // Half the cap, before jitter; it would be four seconds without.
    let (_, pause) = next_attempt(&broker).await;
    assert!(pause >= Duration::from_secs(14), "{pause:?}");
}
