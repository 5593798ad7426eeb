//! What the session does where its consumer is slower than the broker.

use std::time::Duration;

use bytes::BytesMut;
use mqtt::{Event, Reason};
use rumqttc::Packet;
use tokio::time::{pause, resume, timeout};

use crate::pauses::small_steps;
use crate::{Rig, received};
use scripted::broker::delivery;
use scripted::within;

/// More than the session reads ahead.
const MANY: u16 = 3_000;

fn deliveries(count: u16, payload: &str) -> BytesMut {
    let mut bytes = BytesMut::new();
    for packet in 1..=count {
        let delivery = delivery(packet, payload);
        delivery.write(&mut bytes, usize::MAX).unwrap();
    }
    bytes
}

/// The message after this one shows that what was delivered so far has come.
async fn confirmed(rig: &mut Rig) {
    let receipt = rig.connection.publish(crate::message("")).await.unwrap();
    let packet = rig.peer.publish().await.pkid;
    rig.peer.acknowledge(packet).await;
    within(receipt).await.unwrap();
}

/// That not all of these are read before they are taken, and all are then.
async fn is_read_no_further(count: u16, payload: &str) {
    let mut rig = Rig::new().await;
    let bytes = deliveries(count, payload);
    let mut sending = tokio::spawn(async move {
        rig.peer.send_bytes(&bytes).await;
        rig.peer
    });
    // For longer than room for a message is waited for: reading has to have stopped, and not just to be held up.
    let sent = timeout(Duration::from_secs(3), &mut sending).await;
    assert!(sent.is_err(), "all of it was read");
    for packet in 1..=count {
        let delivery = received(&mut rig.events).await;
        if packet == count {
            delivery.acknowledgement.send().await.unwrap();
        }
    }
    let mut peer = within(sending).await.unwrap();
    assert_eq!(peer.puback().await, count);
}

#[tokio::test]
async fn a_broker_is_read_no_further_while_many_messages_wait() {
    // More than the network holds by far.
    is_read_no_further(MANY, &"x".repeat(10_000)).await;
}

#[tokio::test]
async fn a_broker_is_read_no_further_while_few_large_messages_wait() {
    // More than the session holds, and hardly more than the network does.
    is_read_no_further(62, &"x".repeat(500_000)).await;
}

#[tokio::test]
async fn a_broker_that_is_read_no_further_hears_of_us_all_the_same() {
    const KEEP_ALIVE: Duration = Duration::from_secs(4);
    let mut rig = Rig::with(|config| config.keep_alive = KEEP_ALIVE).await;
    rig.peer.send_bytes(&deliveries(MANY, "waits")).await;
    pause();
    for _ in 0..10 {
        let packet = tokio::select! {
            packet = timeout(KEEP_ALIVE, rig.peer.any_packet()) => packet,
            never = small_steps() => never,
        };
        // None of them is answered, as far as anybody reads.
        assert!(matches!(packet, Ok(Some(Packet::PingReq))), "{packet:?}");
    }
    resume();
    for _ in 1..MANY {
        received(&mut rig.events).await;
    }
    let last = received(&mut rig.events).await;
    last.acknowledgement.send().await.unwrap();
    assert_eq!(rig.peer.puback().await, MANY);
}

#[tokio::test]
async fn many_acknowledgements_leave_in_the_order_of_their_calls() {
    let mut rig = Rig::new().await;
    rig.peer.send_bytes(&deliveries(MANY, "waits")).await;
    let mut taken = Vec::new();
    for _ in 1..=MANY {
        taken.push(received(&mut rig.events).await.acknowledgement);
    }
    for acknowledgement in taken {
        acknowledgement.send().await.unwrap();
    }
    for packet in 1..=MANY {
        assert_eq!(rig.peer.puback().await, packet);
    }
}

#[tokio::test]
async fn acknowledgements_leave_before_the_good_bye_also_where_nobody_reads_on() {
    let mut rig = Rig::new().await;
    rig.peer.send_bytes(&deliveries(MANY, "waits")).await;
    let first = received(&mut rig.events).await;
    let second = received(&mut rig.events).await;
    first.acknowledgement.send().await.unwrap();
    second.acknowledgement.send().await.unwrap();
    let closing = tokio::spawn(rig.session.close(Duration::ZERO));
    assert_eq!(rig.peer.puback().await, 1);
    assert_eq!(rig.peer.puback().await, 2);
    assert_eq!(rig.peer.packet().await, Some(Packet::Disconnect));
    drop(rig.peer);
    within(closing).await.unwrap();
}

#[tokio::test]
async fn who_takes_no_messages_hears_of_the_end_of_a_connection() {
    let mut rig = Rig::new().await;
    rig.peer.deliver(1, "waits").await;
    confirmed(&mut rig).await;
    drop(rig.peer);
    let event = within(rig.events.next_but_messages()).await;
    assert!(
        matches!(event, Some(Event::Disconnected(Reason::Closed))),
        "{event:?}"
    );
}

#[tokio::test]
async fn what_has_come_together_is_taken_together() {
    let mut rig = Rig::new().await;
    assert!(rig.events.another().is_none());
    for number in 1..=3 {
        rig.peer.deliver(number, number).await;
    }
    confirmed(&mut rig).await;
    assert_eq!(received(&mut rig.events).await.payload, "1");
    assert_eq!(rig.events.another().unwrap().payload, "2");
    assert_eq!(rig.events.another().unwrap().payload, "3");
    assert!(rig.events.another().is_none());
}
