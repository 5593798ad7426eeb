//! What answers at the broker's address.

use std::sync::Arc;

use rig::programs::{Binary, Program, Start};
use rig::wait;
use rumqttc::Packet;
use scripted::broker::{Broker, Peer};
use tempfile::TempDir;
use tokio_util::task::AbortOnDropHandle;

use super::gateway::scraper_with;
use super::{devices, is_well, let_in, told};
use crate::ARRIVAL;
use crate::alone::SETTINGS;
use crate::health::{address, listening};

const BEGAN: &str = "no connection to the broker";
const AGAIN: &str = "connected to the broker again";

/// Connections that do harm, each broken off.
const CONNECTIONS: usize = 10;

/// A receiver of this broker that stores in a file.
pub(super) fn receiver(broker: &Broker, folder: &TempDir) -> Program {
    let readings = folder.path().join("readings.db");
    let store = format!("sqlite:{}", readings.display());
    storing(broker, folder, "").env("STORE", store).spawn()
}

/// A receiver of this broker, with further settings; where it stores is not said yet.
pub(super) fn storing(broker: &Broker, folder: &TempDir, more: &str) -> Start {
    let settings = folder.path().join("settings.toml");
    let content = format!("[testing]\nbackoff_cap = \"200ms\"\naudit_after = \"300ms\"\n{more}");
    std::fs::write(&settings, content).expect("it can be written");
    let start = Start::new(Binary::Receiver).arg("--config").arg(&settings);
    let start = start
        .env("MQTT_URL", broker.url())
        .env("STATE_DIR", folder.path().join("state"));
    listening(start)
}

/// A scraper of this broker and of a gateway whose inverter reports with each poll.
pub(super) async fn scraper(broker: &Broker, folder: &TempDir) -> (Program, AbortOnDropHandle<()>) {
    scraper_of(devices::gateway(Arc::default()).await, broker, folder)
}

/// A scraper of this broker and of this gateway.
pub(super) fn scraper_of(
    (url, gateway): (String, AbortOnDropHandle<()>),
    broker: &Broker,
    folder: &TempDir,
) -> (Program, AbortOnDropHandle<()>) {
    let settings = format!("{SETTINGS}backoff_cap = \"200ms\"\n");
    let scraper = scraper_with(&broker.url(), &url, &settings, folder);
    (scraper, gateway)
}

/// Has the broker do harm on one connection after the other, and looks what becomes of a receiver, and of a scraper.
async fn withstands(harm: impl AsyncFn(&mut Peer)) {
    let folder = tempfile::tempdir().expect("a directory");
    let broker = Broker::bind().await;
    let receiver = receiver(&broker, &folder);
    stays_well(receiver, &broker, &harm).await;

    let broker = Broker::bind().await;
    let (scraper, _gateway) = scraper(&broker, &folder).await;
    stays_well(scraper, &broker, &harm).await;
}

async fn stays_well(mut daemon: Program, broker: &Broker, harm: &impl AsyncFn(&mut Peer)) {
    let address = address(&daemon).await;
    for _ in 0..CONNECTIONS {
        let (mut peer, _) = broker.accept().await;
        harm(&mut peer).await;
        // It was left, and not by a good-bye.
        while let Some(packet) = peer.packet().await {
            assert_ne!(packet, Packet::Disconnect, "a good-bye");
        }
    }
    is_well(&daemon, &address).await;
    // The first connection may have ended before anybody saw it: then it is the next one that was well for moments.
    let (began, again) = (told(&daemon, BEGAN), told(&daemon, AGAIN));
    assert!((1..=2).contains(&began), "{:?}", daemon.stderr());
    assert_eq!(again, began - 1, "{:?}", daemon.stderr());
    // The client library has a line of its own for each packet that it does not like.
    assert_eq!(told(&daemon, "rumqttc"), 0, "{:?}", daemon.stderr());

    let mut peer = broker.welcome(true).await;
    let_in(&mut peer).await;
    wait::until_true("it to say so", ARRIVAL, async || {
        told(&daemon, AGAIN) == again + 1
    })
    .await;
    is_well(&daemon, &address).await;
    assert!(daemon.terminate().await.success());
}

/// A megabyte of nothing.
fn megabyte() -> Vec<u8> {
    vec![0; 1 << 20]
}

#[tokio::test]
async fn a_packet_of_the_longest_length_there_is_is_not_waited_for() {
    withstands(async |peer| {
        peer.let_in(false).await;
        peer.send_bytes(b"\x30\xff\xff\xff\x7f").await;
        peer.send_bytes(&megabyte()).await;
    })
    .await;
}

#[tokio::test]
async fn a_length_that_does_not_end_is_no_packet() {
    withstands(async |peer| {
        peer.let_in(false).await;
        peer.send_bytes(&[0xff; 4096]).await;
    })
    .await;
}

#[tokio::test]
async fn packets_that_make_no_sense_end_the_connection() {
    for packet in [
        // A message whose topic is longer than itself; one of quality of service 3.
        &b"\x32\x06\xff\xffabcd"[..],
        b"\x36\x06\x00\x01abcd",
        // A topic that is no text.
        b"\x30\x04\x00\x02\xff\xfe",
        // Acknowledgements of what was never sent.
        b"\x40\x02\x7f\xff",
        b"\x90\x03\x7f\xff\x00",
        // A second CONNACK, a packet that only clients send, one of no kind.
        b"\x20\x02\x00\x00",
        b"\x10\x00",
        b"\x00\x00",
    ] {
        withstands(async |peer| {
            peer.let_in(false).await;
            peer.send_bytes(packet).await;
        })
        .await;
    }
}

#[tokio::test]
async fn what_talks_before_it_lets_anybody_in_is_no_broker() {
    withstands(async |peer| {
        for _ in 0..8 {
            peer.send_bytes(&megabyte()).await;
        }
    })
    .await;
}
