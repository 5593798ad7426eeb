//! A consumer that takes its time for each message, while the broker has many.

use std::time::Duration;

use rumqttc::{ConnectionError, Event, Packet, StateError};
use tokio::task::yield_now;
use tokio::time::{advance, pause, resume};

use super::plain::Plain;
use crate::{Rig, received};
use scripted::broker::{Broker, Peer};
use scripted::within;

const DELIVERIES: u16 = 500;
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// What the consumer does with one message.
const WORK: Duration = Duration::from_millis(100);

async fn deliver_all(peer: &mut Peer) {
    for number in 1..=DELIVERIES {
        peer.deliver(number, number).await;
    }
}

/// Time passes, and whoever has something to do about it does it.
async fn work() {
    advance(WORK).await;
    for _ in 0..20 {
        yield_now().await;
    }
}

#[tokio::test]
async fn plain_the_connection_ends_although_packets_flow() {
    let broker = Broker::bind().await;
    let mut plain = Plain::new(&broker.url(), 10, |options| {
        options.set_keep_alive(KEEP_ALIVE);
    });
    let mut peer = plain.connected(&broker, true).await;
    deliver_all(&mut peer).await;
    // It answers each ping at once, behind what it has sent before.
    let broker = tokio::spawn(async move { while peer.any_packet().await.is_some() {} });
    pause();
    let mut delivered = 0;
    let error = loop {
        match plain.poll().await {
            Ok(Event::Incoming(Packet::Publish(_))) => {
                delivered += 1;
                work().await;
            }
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    resume();
    assert!(
        matches!(error, ConnectionError::MqttState(StateError::AwaitPingResp)),
        "{error}"
    );
    assert!(delivered < DELIVERIES, "all were delivered");
    drop(plain);
    within(broker).await.unwrap();
}

#[tokio::test]
async fn guarded_everything_arrives_and_pings_go_on() {
    let mut rig = Rig::with(|config| config.keep_alive = KEEP_ALIVE).await;
    deliver_all(&mut rig.peer).await;
    let mut peer = rig.peer;
    let broker = tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        while acknowledged.len() < usize::from(DELIVERIES) {
            match peer.any_packet().await {
                Some(Packet::PubAck(ack)) => acknowledged.push(ack.pkid),
                Some(Packet::PingReq) => {}
                other => panic!("unexpected: {other:?}"),
            }
        }
        (acknowledged, peer.pings)
    });
    pause();
    for number in 1..=DELIVERIES {
        let delivery = received(&mut rig.events).await;
        assert_eq!(delivery.payload, number.to_string());
        delivery.acknowledgement.send().await.unwrap();
        work().await;
    }
    resume();
    let (acknowledged, pings) = within(broker).await.unwrap();
    assert_eq!(acknowledged, (1..=DELIVERIES).collect::<Vec<_>>());
    assert!(pings > 3, "{pings} pings in {DELIVERIES} times {WORK:?}");
}
