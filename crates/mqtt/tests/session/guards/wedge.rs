//! PUBACKs out of order, and then a session that the broker has lost.

use std::time::Duration;

use rumqttc::{ConnectionError, Packet, StateError};

use super::plain::Plain;
use crate::pauses::small_steps;
use crate::{Rig, connected, disconnected, message};
use scripted::broker::{Broker, Peer};
use scripted::within;

/// The window of the plain client: a small one, so that its packet identifiers come round soon.
const WINDOW: u16 = 3;

async fn publish(plain: &mut Plain, peer: &mut Peer, payload: &str) -> u16 {
    plain.publish(payload).await;
    match plain.packet_for(peer).await {
        Some(Packet::Publish(publish)) => publish.pkid,
        other => panic!("expected '{payload}', got {other:?}"),
    }
}

/// Polls until an error, with a broker that answers every ping.
async fn error_of_a_live_connection(plain: &mut Plain, peer: &mut Peer) -> ConnectionError {
    let answering = async {
        while peer.any_packet().await.is_some() {}
        std::future::pending::<()>().await;
    };
    tokio::time::pause();
    let error = tokio::select! {
        error = plain.error() => error,
        () = answering => unreachable!("the client ends the connection"),
        never = small_steps() => never,
    };
    tokio::time::resume();
    error
}

#[tokio::test]
async fn plain_a_client_that_was_wedged_once_ends_each_connection_itself() {
    let broker = Broker::bind().await;
    let mut plain = Plain::new(&broker.url(), 10, |options| {
        options
            .set_inflight(WINDOW)
            .set_keep_alive(Duration::from_secs(1));
    });
    let mut peer = plain.connected(&broker, true).await;
    let mut packets = Vec::new();
    for number in 1..=WINDOW {
        packets.push(publish(&mut plain, &mut peer, &number.to_string()).await);
    }
    // The second one first. The next message gets the first one's identifier, which is still taken.
    peer.acknowledge(packets[1]).await;
    plain.publish("collides").await;
    while plain.event_loop.state.collision.is_none() {
        plain.poll().await.unwrap();
    }
    drop(peer);
    plain.error().await;

    // The broker has lost the session, so the first message is dropped, and its PUBACK never comes.
    for _ in 0..3 {
        let mut peer = plain.connected(&broker, false).await;
        let error = error_of_a_live_connection(&mut plain, &mut peer).await;
        let wedged = ConnectionError::MqttState(StateError::CollisionTimeout);
        assert_eq!(error.to_string(), wedged.to_string());
    }
}

#[tokio::test]
async fn guarded_the_next_connection_publishes() {
    let mut rig = Rig::new().await;
    // More than the window, so that identifiers come round; all but the first one are acknowledged.
    let mut receipts = Vec::new();
    let mut packets = Vec::new();
    for number in 0..1_000 {
        receipts.push(rig.connection.publish(message(number)).await.unwrap());
        packets.push(rig.peer.publish().await.pkid);
    }
    for packet in packets.iter().skip(1) {
        rig.peer.acknowledge(*packet).await;
    }
    let connection = rig.connection.clone();
    let waits = tokio::spawn(async move { connection.publish(message("collides")).await.err() });
    within(receipts.pop().unwrap()).await.unwrap();
    drop(rig.peer);
    disconnected(&mut rig.events).await;
    assert!(within(waits).await.unwrap().is_some());

    let mut peer = rig.broker.welcome(false).await;
    let connection = connected(&mut rig.events).await;
    for number in 0..1_500 {
        let receipt = connection.publish(message(number)).await.unwrap();
        let packet = peer.publish().await.pkid;
        peer.acknowledge(packet).await;
        within(receipt).await.unwrap();
    }
}
