//! The good-bye.

use std::time::Duration;

use mqtt::Gone;
use rumqttc::Packet;

use crate::{Rig, config, message};
use scripted::broker::Broker;
use scripted::{DEADLINE, within};

#[tokio::test]
async fn closing_waits_for_the_puback_and_then_says_goodbye() {
    let mut rig = Rig::new().await;
    let receipt = rig.connection.publish(message("last words")).await.unwrap();
    let packet = rig.peer.publish().await.pkid;
    let closing = tokio::spawn(rig.session.close(DEADLINE));
    // While it closes it takes nothing more.
    while rig.connection.publish(message("late")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let late = late_packets(&mut rig.peer, packet).await;
    assert_eq!(late, Some(Packet::Disconnect));
    assert_eq!(within(receipt).await, Ok(()));
    drop(rig.peer);
    within(closing).await.unwrap();
    assert!(within(rig.events.next()).await.is_none());
}

/// Acknowledges `first`, and what was published while the close was on its way; returns what comes
/// behind.
async fn late_packets(peer: &mut scripted::broker::Peer, first: u16) -> Option<Packet> {
    peer.acknowledge(first).await;
    loop {
        match peer.packet().await {
            Some(Packet::Publish(publish)) => peer.acknowledge(publish.pkid).await,
            other => return other,
        }
    }
}

#[tokio::test]
async fn closing_does_not_wait_for_longer_than_its_grace() {
    let mut rig = Rig::new().await;
    let receipt = rig
        .connection
        .publish(message("never confirmed"))
        .await
        .unwrap();
    rig.peer.publish().await;
    within(rig.session.close(Duration::from_millis(50))).await;
    assert_eq!(rig.peer.packet().await, Some(Packet::Disconnect));
    assert_eq!(rig.peer.packet().await, None);
    assert_eq!(within(receipt).await, Err(Gone));
    assert!(within(rig.events.next()).await.is_none());
}

#[tokio::test]
async fn acknowledgements_sent_before_the_close_go_out_before_the_goodbye() {
    let mut rig = Rig::new().await;
    for number in 1..=100 {
        rig.peer.deliver(number, number).await;
    }
    for _ in 1..=100 {
        crate::received(&mut rig.events)
            .await
            .acknowledgement
            .send()
            .await
            .unwrap();
    }
    let closing = tokio::spawn(rig.session.close(DEADLINE));
    for number in 1..=100 {
        assert_eq!(rig.peer.puback().await, number);
    }
    assert_eq!(rig.peer.packet().await, Some(Packet::Disconnect));
    drop(rig.peer);
    within(closing).await.unwrap();
}

#[tokio::test]
async fn closing_without_a_connection_is_done_at_once() {
    let broker = Broker::bind().await;
    let mut config = config(&broker.url());
    config.backoff_cap = Duration::from_hours(1);
    let ((session, _watch), mut events) = crate::start(config);
    let (_silent, _) = broker.accept().await;
    within(session.close(Duration::from_hours(1))).await;
    assert!(within(events.next()).await.is_none());
}

#[tokio::test]
async fn a_session_that_is_dropped_breaks_off_without_a_goodbye() {
    let mut rig = Rig::new().await;
    let receipt = rig.connection.publish(message(1)).await.unwrap();
    rig.peer.publish().await;
    drop(rig.session);
    assert_eq!(rig.peer.packet().await, None);
    assert_eq!(within(receipt).await, Err(Gone));
    assert!(within(rig.events.next()).await.is_none());
}
