//! The end of a connection, and the pause before the next.

use std::time::Duration;

use mqtt::{Gone, Reason};

use crate::pauses::small_steps;
use crate::{Rig, connected, disconnected, message};
use scripted::within;

#[tokio::test]
async fn each_end_of_a_connection_is_reported_with_its_reason() {
    let mut rig = Rig::new().await;
    rig.peer.acknowledge(9).await;
    let reason = disconnected(&mut rig.events).await;
    assert!(matches!(reason, Reason::Protocol { .. }), "{reason}");

    let mut peer = rig.broker.welcome(true).await;
    connected(&mut rig.events).await;
    peer.grant(9, vec![rumqttc::SubscribeReasonCode::Failure])
        .await;
    let reason = disconnected(&mut rig.events).await;
    assert!(matches!(reason, Reason::Protocol { .. }), "{reason}");

    let peer = rig.broker.welcome(true).await;
    connected(&mut rig.events).await;
    drop(peer);
    assert_eq!(disconnected(&mut rig.events).await, Reason::Closed);
}

#[tokio::test]
async fn a_broker_that_answers_no_pings_is_left() {
    let mut rig = Rig::with(|config| config.keep_alive = Duration::from_secs(1)).await;
    // The connection stays open, and nobody reads it.
    tokio::time::pause();
    let reason = tokio::select! {
        reason = disconnected(&mut rig.events) => reason,
        never = small_steps() => never,
    };
    assert_eq!(reason, Reason::Silent);
}

#[tokio::test]
async fn a_broker_that_acknowledges_nothing_is_left() {
    let mut rig = Rig::with(|config| config.keep_alive = Duration::from_secs(65_535)).await;
    let receipt = rig.connection.publish(message(1)).await.unwrap();
    rig.peer.publish().await;
    tokio::time::pause();
    let since = tokio::time::Instant::now();
    let Some(mqtt::Event::Disconnected(reason)) = rig.events.next().await else {
        panic!("expected a disconnect");
    };
    assert_eq!(reason, Reason::Stalled);
    assert!(
        since.elapsed() >= Duration::from_secs(55),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(receipt.await, Err(Gone));
}

#[tokio::test]
async fn a_consumer_that_was_away_finds_the_newest_connection() {
    let mut rig = Rig::new().await;
    drop(rig.peer);
    for _ in 0..3 {
        drop(rig.broker.welcome(true).await);
    }
    let mut peer = rig.broker.welcome(true).await;
    // Nothing is held up by the consumer: this one is served already.
    assert_eq!(disconnected(&mut rig.events).await, Reason::Closed);
    let connection = within(async {
        loop {
            if let Some(mqtt::Event::Connected(connection)) = rig.events.next().await
                && let Ok(_receipt) = connection.publish(message("newest")).await
            {
                break connection;
            }
        }
    })
    .await;
    assert_eq!(peer.publish().await.payload, "newest");
    drop(connection);
}
