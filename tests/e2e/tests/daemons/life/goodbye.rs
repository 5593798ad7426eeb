//! What a daemon still does when it is asked to end.

use std::time::Instant;

use rig::gateway::Gateway;
use rig::programs::{Binary, Signal};
use rumqttc::Packet;
use scripted::broker::{Broker, Peer};

use super::surroundings::{ENVOY, Hanging, Published, code, deliver_reading, next, receiver};

/// What comes until the client says good-bye; readings are acknowledged, or not.
async fn last_words(peer: &mut Peer, takes_readings: bool) -> Vec<Published> {
    let mut words = Vec::new();
    loop {
        match next(peer).await {
            Ok(published) => {
                if takes_readings && published.topic.contains("/inverters/") {
                    peer.acknowledge(published.packet).await;
                }
                words.push(published);
            }
            Err(Some(Packet::Disconnect)) => return words,
            Err(other) => panic!("instead of a good-bye: {other:?}"),
        }
    }
}

fn is_offline(published: &Published, topic: &str) -> bool {
    published.retain && published.topic == topic && published.payload == "offline"
}

#[tokio::test]
async fn a_scraper_hands_over_what_it_has_read_and_then_says_that_it_is_offline() {
    let envoy = Gateway::start(&["--serial", ENVOY, "--firmware", "8.3.5169"]).await;
    let broker = Broker::bind().await;
    let mut scraper = envoy
        .reader(Binary::Scraper)
        .env("MQTT_URL", broker.url())
        .spawn();
    let mut peer = broker.welcome(false).await;
    let first = loop {
        let published = next(&mut peer).await.expect("a message");
        if published.topic.contains("/inverters/") {
            break published;
        }
    };
    let asked = Instant::now();
    scraper.signal(Signal::TERM);
    scraper.stderr_line("a second signal ends at once").await;
    // Only now: it waits for it.
    peer.acknowledge(first.packet).await;
    let words = last_words(&mut peer, true).await;
    drop(peer);

    assert_eq!(code(&mut scraper, asked).await, Some(0));
    let mut handed_over: Vec<&str> = words.iter().map(|word| word.topic.as_str()).collect();
    handed_over.push(&first.topic);
    handed_over.retain(|topic| topic.contains("/inverters/"));
    handed_over.sort_unstable();
    handed_over.dedup();
    let shown = envoy.ledger().len();
    assert_eq!(handed_over.len(), shown, "each reading once");
    let last = words.last().expect("last words");
    assert!(
        is_offline(last, &format!("envoy/{ENVOY}/status")),
        "{}",
        last.topic
    );
    let errors = scraper.stderr();
    assert!(
        !errors.iter().any(|line| line.contains("lost")),
        "{errors:?}"
    );
}

#[tokio::test]
async fn a_scraper_whose_broker_takes_no_reading_says_that_it_is_offline_and_what_waits() {
    let envoy = Gateway::start(&["--serial", ENVOY, "--firmware", "8.3.5169"]).await;
    let broker = Broker::bind().await;
    let mut scraper = envoy
        .reader(Binary::Scraper)
        .env("MQTT_URL", broker.url())
        .spawn();
    let mut peer = broker.welcome(false).await;
    while !next(&mut peer)
        .await
        .expect("a message")
        .topic
        .contains("/inverters/")
    {}

    let asked = Instant::now();
    scraper.signal(Signal::TERM);
    let words = last_words(&mut peer, false).await;
    drop(peer);
    assert_eq!(code(&mut scraper, asked).await, Some(0));
    let last = words.last().expect("last words");
    assert!(
        is_offline(last, &format!("envoy/{ENVOY}/status")),
        "{}",
        last.topic
    );
    let waits = scraper.stderr_line("the journal keeps them").await;
    assert!(waits.contains("INFO"), "nothing is lost: {waits}");
}

#[tokio::test]
async fn a_receiver_whose_store_hangs_says_that_it_is_offline_and_acknowledges_nothing() {
    let (broker, influx) = (Broker::bind().await, Hanging::start().await);
    let mut program = receiver(&broker.url(), &influx).spawn();
    let mut peer = broker.welcome(false).await;
    assert!(next(&mut peer).await.is_ok(), "it says that it is online");
    deliver_reading(&mut peer, 1).await;
    influx.was_asked().await;

    let asked = Instant::now();
    program.signal(Signal::TERM);
    // An acknowledgement would be no message and no good-bye.
    let words = last_words(&mut peer, true).await;
    drop(peer);
    assert_eq!(code(&mut program, asked).await, Some(0));
    let last = words.last().expect("last words");
    assert!(
        is_offline(last, "envoy-receiver/receiver/status"),
        "{}",
        last.topic
    );
    program.stderr_line("stopped before").await;
}
