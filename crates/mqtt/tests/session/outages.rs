//! The end of a connection, and the pause before the next.

use std::time::{Duration, Instant};

use mqtt::{Gone, Reason};

use crate::{Rig, config, connected, disconnected, message};
use scripted::broker::Broker;
use scripted::within;

#[tokio::test]
async fn attempts_are_kept_apart() {
    let broker = Broker::bind().await;
    let mut config = config(&broker.url());
    config.backoff_cap = Duration::from_millis(400);
    let (_session, _events) = mqtt::start(config).unwrap();
    broker.accept_tcp().await;
    let start = Instant::now();
    for _ in 0..4 {
        broker.accept_tcp().await;
    }
    // Each pause is half the cap at least.
    assert!(
        start.elapsed() >= Duration::from_millis(800),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_connection_that_ends_right_away_does_not_begin_the_pauses_anew() {
    let broker = Broker::bind().await;
    let mut config = config(&broker.url());
    config.backoff_cap = Duration::from_millis(400);
    let (_session, mut events) = mqtt::start(config).unwrap();
    let start = Instant::now();
    for _ in 0..4 {
        let peer = broker.welcome(true).await;
        connected(&mut events).await;
        drop(peer);
        assert_eq!(disconnected(&mut events).await, Reason::Closed);
    }
    assert!(
        start.elapsed() >= Duration::from_millis(600),
        "{:?}",
        start.elapsed()
    );
}

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
    assert_eq!(disconnected(&mut rig.events).await, Reason::Silent);
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
