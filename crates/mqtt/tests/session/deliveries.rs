//! Deliveries and their acknowledgements.

use std::time::Duration;

use mqtt::{Gone, Reason};
use rumqttc::Packet;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, pause, resume, timeout};

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

/// As many as the queue has room for.
const MOST: u16 = u16::MAX;

/// A session whose queue is full.
async fn full(change: impl FnOnce(&mut mqtt::Config)) -> Rig {
    let mut rig = Rig::with(change).await;
    let mut bytes = bytes::BytesMut::new();
    for packet in 1..=MOST {
        let delivery = delivery(packet, "waits");
        delivery.write(&mut bytes, usize::MAX).unwrap();
    }
    rig.peer.send_bytes(&bytes).await;
    // The confirmed message shows that the deliveries before it have come.
    let receipt = rig.connection.publish(crate::message("")).await.unwrap();
    let packet = rig.peer.publish().await.pkid;
    rig.peer.acknowledge(packet).await;
    within(receipt).await.unwrap();
    rig
}

/// As Mosquitto 2.0.11 does to a session in which many have waited. If it were left, all would come again.
#[tokio::test]
async fn a_broker_that_sends_more_than_it_may_is_kept_by_a_consumer_that_comes_to_take_it() {
    let mut rig = full(|_| {}).await;
    rig.peer.deliver(1, "one more").await;
    let left = timeout(Duration::from_millis(200), rig.peer.packet()).await;
    assert!(left.is_err(), "the connection ended: {left:?}");

    for _ in 1..=MOST {
        assert_eq!(received(&mut rig.events).await.payload, "waits");
    }
    let last = received(&mut rig.events).await;
    assert_eq!(last.payload, "one more");
    last.acknowledgement.send().await.unwrap();
    assert_eq!(rig.peer.puback().await, 1);
}

#[tokio::test]
async fn a_consumer_that_takes_one_a_second_keeps_a_broker_that_sends_more_than_it_may() {
    const KEEP_ALIVE: Duration = Duration::from_secs(4);
    const MORE: u16 = 60;
    let mut rig = full(|config| config.keep_alive = KEEP_ALIVE).await;
    pause();
    let mut peer = rig.peer;
    for number in 1..=MORE {
        peer.deliver(number, "more").await;
    }
    // It breaks off as brokers do, and its answers to pings stand behind what it has sent.
    let broker = tokio::spawn(async move {
        loop {
            match timeout(KEEP_ALIVE + KEEP_ALIVE / 2, peer.any_packet()).await {
                Ok(Some(Packet::PingReq)) => {}
                Ok(Some(Packet::PubAck(ack))) => return Ok((ack.pkid, peer)),
                other => return Err(other),
            }
        }
    });
    for _ in 1..=MORE {
        assert_eq!(received(&mut rig.events).await.payload, "waits");
        // Time passes, and whoever has something to do about it does it.
        advance(Duration::from_secs(1)).await;
        for _ in 0..20 {
            yield_now().await;
        }
    }
    resume();
    for _ in MORE..MOST {
        assert_eq!(received(&mut rig.events).await.payload, "waits");
    }
    for number in 1..=MORE {
        let delivery = received(&mut rig.events).await;
        assert_eq!(delivery.payload, "more");
        if number == MORE {
            delivery.acknowledgement.send().await.unwrap();
        }
    }
    let (acknowledged, _peer) = within(broker).await.unwrap().unwrap();
    assert_eq!(acknowledged, MORE);
}

#[tokio::test]
async fn the_end_of_a_connection_does_not_wait_for_room() {
    let mut rig = full(|_| {}).await;
    let unconfirmed = rig.connection.publish(crate::message("")).await.unwrap();
    rig.peer.publish().await;
    // From here on time is only what somebody waits for.
    pause();
    let begun = Instant::now();
    for number in 1..=5 {
        rig.peer.deliver(number, "more").await;
    }
    drop(rig.peer);
    assert_eq!(unconfirmed.await, Err(Gone));
    assert!(begun.elapsed() < Duration::from_secs(1), "{begun:?}");
}

/// How a connection ends on which so much was delivered before anybody took it, and before an answer that is
/// awaited.
async fn end_of_a_flood(payload: &str, messages: usize) -> Reason {
    let mut rig = Rig::new().await;
    let _unconfirmed = rig.connection.publish(crate::message("")).await.unwrap();
    rig.peer.publish().await;
    let mut bytes = bytes::BytesMut::new();
    for _ in 0..messages {
        delivery(0, payload).write(&mut bytes, usize::MAX).unwrap();
    }
    rig.peer.send_bytes(&bytes).await;
    assert_eq!(rig.peer.packet().await, None);
    loop {
        match within(rig.events.next()).await.unwrap() {
            mqtt::Event::Received(_) => {}
            mqtt::Event::Disconnected(reason) => return reason,
            event @ mqtt::Event::Connected(_) => panic!("unexpected: {event:?}"),
        }
    }
}

#[tokio::test]
async fn a_broker_that_delivers_without_end_before_an_answer_is_disconnected_from() {
    assert_eq!(end_of_a_flood("flood", 66_000).await, Reason::Overrun);
}

#[tokio::test]
async fn a_broker_that_delivers_more_than_there_is_room_for_is_disconnected_from() {
    let large = "x".repeat(1024 * 1024 - 100);
    assert_eq!(end_of_a_flood(&large, 40).await, Reason::Overrun);
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
