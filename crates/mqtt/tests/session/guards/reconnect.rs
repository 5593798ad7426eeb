//! What becomes of requests when a connection ends.
//!
//! The session's half for what is published is in `publishing`
//! (`what_a_dead_connection_had_not_confirmed_is_gone_and_is_not_sent_again`); here is what is
//! queued, and what is subscribed.

use mqtt::{Gone, SubscribeError};
use rumqttc::{Packet, QoS};

use super::plain::Plain;
use crate::{Rig, connected, disconnected, message};
use scripted::broker::Broker;
use scripted::within;

/// A plain client whose connection ended with a message unconfirmed, one queued, and a SUBSCRIBE
/// queued; and its next connection.
async fn reconnected(session_present: bool) -> (Plain, scripted::broker::Peer) {
    let broker = Broker::bind().await;
    let mut plain = Plain::new(&broker.url(), 10, |_| {});
    let mut peer = plain.connected(&broker, false).await;
    plain.publish("unconfirmed").await;
    let unconfirmed = plain.packet_for(&mut peer).await;
    assert!(
        matches!(unconfirmed, Some(Packet::Publish(_))),
        "{unconfirmed:?}"
    );
    plain.publish("queued").await;
    plain
        .client
        .try_subscribe("a/filter", QoS::AtLeastOnce)
        .unwrap();
    drop(peer);
    // What is queued may still go into the dead connection; it is as unconfirmed as the rest.
    plain.error().await;
    let peer = plain.connected(&broker, session_present).await;
    (plain, peer)
}

#[tokio::test]
async fn plain_without_a_session_everything_is_dropped_without_a_word() {
    let (mut plain, mut peer) = reconnected(false).await;
    plain.publish("after").await;
    // Had anything been kept, it would come first.
    match plain.packet_for(&mut peer).await {
        Some(Packet::Publish(publish)) => assert_eq!(publish.payload, "after"),
        other => panic!("expected the new message, got {other:?}"),
    }
}

#[tokio::test]
async fn plain_with_a_session_everything_is_sent_again_unasked() {
    let (mut plain, mut peer) = reconnected(true).await;
    for expected in ["unconfirmed", "queued"] {
        match plain.packet_for(&mut peer).await {
            Some(Packet::Publish(publish)) => assert_eq!(publish.payload, expected),
            other => panic!("expected '{expected}', got {other:?}"),
        }
    }
}

#[tokio::test]
async fn plain_subscriptions_are_not_made_again() {
    for session_present in [false, true] {
        let broker = Broker::bind().await;
        let mut plain = Plain::new(&broker.url(), 10, |_| {});
        let mut peer = plain.connected(&broker, false).await;
        plain
            .client
            .try_subscribe("a/filter", QoS::AtLeastOnce)
            .unwrap();
        let subscribe = plain.packet_for(&mut peer).await;
        assert!(
            matches!(subscribe, Some(Packet::Subscribe(_))),
            "{subscribe:?}"
        );
        drop(peer);
        plain.error().await;
        let mut peer = plain.connected(&broker, session_present).await;
        plain.publish("after").await;
        let next = plain.packet_for(&mut peer).await;
        assert!(matches!(next, Some(Packet::Publish(_))), "{next:?}");
    }
}

#[tokio::test]
async fn guarded_everything_is_answered_with_gone_and_nothing_is_sent_again() {
    for session_present in [false, true] {
        let mut rig = Rig::new().await;
        let connection = rig.connection.clone();
        let unconfirmed = connection.publish(message("unconfirmed")).await.unwrap();
        rig.peer.publish().await;
        // Nobody runs between these and the end of the connection: both are queued.
        let queued = connection.publish(message("queued")).await.unwrap();
        let (subscribed, ()) = tokio::join!(within(connection.subscribe(["a/filter"])), async {
            drop(rig.peer);
        });
        assert_eq!(subscribed, Err(SubscribeError::Gone(Gone)));
        assert_eq!(within(unconfirmed).await, Err(Gone));
        assert_eq!(within(queued).await, Err(Gone));
        disconnected(&mut rig.events).await;

        let mut peer = rig.broker.welcome(session_present).await;
        // The event that asks for subscriptions, on each connection.
        let connection = connected(&mut rig.events).await;
        let _receipt = connection.publish(message("after")).await.unwrap();
        assert_eq!(peer.publish().await.payload, "after");
    }
}
