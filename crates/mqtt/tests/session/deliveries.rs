//! Deliveries and their acknowledgements.

use mqtt::{Gone, Reason};
use rumqttc::Packet;

use crate::{Rig, connected, disconnected, received};
use scripted::broker::delivery;
use scripted::within;

#[tokio::test]
async fn only_what_is_acknowledged_is_acknowledged() {
    let mut rig = Rig::new().await;
    for number in [1, 2, 3] {
        rig.peer.deliver(number, number).await;
    }
    drop(received(&mut rig.events).await);
    let second = received(&mut rig.events).await;
    let third = received(&mut rig.events).await;
    third.acknowledgement.send().await.unwrap();
    second.acknowledgement.send().await.unwrap();
    assert_eq!(rig.peer.puback().await, 3);
    assert_eq!(rig.peer.puback().await, 2);
    rig.session.close(std::time::Duration::ZERO).await;
    assert_eq!(rig.peer.packet().await, Some(Packet::Disconnect));
}

#[tokio::test]
async fn an_acknowledgement_held_across_a_reconnect_is_refused() {
    let mut rig = Rig::new().await;
    rig.peer.deliver(1, "old").await;
    let old = received(&mut rig.events).await;
    drop(rig.peer);
    disconnected(&mut rig.events).await;

    let mut peer = rig.broker.welcome(true).await;
    connected(&mut rig.events).await;
    peer.deliver(1, "not stored").await;
    peer.deliver(2, "stored").await;
    let _not_stored = received(&mut rig.events).await;
    let stored = received(&mut rig.events).await;
    assert_eq!(old.acknowledgement.send().await, Err(Gone));
    stored.acknowledgement.send().await.unwrap();
    assert_eq!(peer.puback().await, 2);
}

#[tokio::test]
async fn what_nobody_had_taken_at_the_end_of_a_connection_is_dropped() {
    let mut rig = Rig::new().await;
    rig.peer.deliver(1, "first connection").await;
    // The confirmed message shows that the delivery before it has come.
    let receipt = rig.connection.publish(crate::message("")).await.unwrap();
    let packet = rig.peer.publish().await.pkid;
    rig.peer.acknowledge(packet).await;
    within(receipt).await.unwrap();
    let unconfirmed = rig.connection.publish(crate::message("")).await.unwrap();
    drop(rig.peer);
    assert_eq!(within(unconfirmed).await, Err(Gone));

    let mut peer = rig.broker.welcome(true).await;
    peer.deliver(1, "second connection").await;
    assert_eq!(disconnected(&mut rig.events).await, Reason::Closed);
    connected(&mut rig.events).await;
    assert_eq!(received(&mut rig.events).await.payload, "second connection");
}

#[tokio::test]
async fn a_delivery_without_packet_identifier_needs_no_acknowledgement() {
    let mut rig = Rig::new().await;
    rig.peer.deliver(0, "at most once").await;
    rig.peer.deliver(5, "at least once").await;
    for _ in 0..2 {
        received(&mut rig.events)
            .await
            .acknowledgement
            .send()
            .await
            .unwrap();
    }
    assert_eq!(rig.peer.puback().await, 5);
}

#[tokio::test]
async fn a_broker_that_delivers_without_end_is_disconnected_from() {
    let mut rig = Rig::new().await;
    let mut bytes = bytes::BytesMut::new();
    for _ in 0..66_000 {
        delivery(0, "flood").write(&mut bytes, usize::MAX).unwrap();
    }
    rig.peer.send_bytes(&bytes).await;
    assert_eq!(rig.peer.packet().await, None);
    let reason = loop {
        match within(rig.events.next()).await.unwrap() {
            mqtt::Event::Received(_) => {}
            mqtt::Event::Disconnected(reason) => break reason,
            event @ mqtt::Event::Connected(_) => panic!("unexpected: {event:?}"),
        }
    };
    assert_eq!(reason, Reason::Overrun);
}

#[tokio::test]
async fn a_packet_beyond_the_limit_is_named() {
    let mut rig = Rig::new().await;
    rig.peer.deliver(1, "x".repeat(1024 * 1024 - 100)).await;
    assert_eq!(
        received(&mut rig.events).await.payload.len(),
        1024 * 1024 - 100
    );
    rig.peer.deliver(2, "x".repeat(1024 * 1024)).await;
    let reason = disconnected(&mut rig.events).await;
    assert!(
        matches!(reason, Reason::TooLarge { bytes } if bytes > 1024 * 1024),
        "{reason}"
    );
}
