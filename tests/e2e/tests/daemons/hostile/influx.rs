//! What answers at InfluxDB's address.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rig::wait;
use rumqttc::Packet;
use scripted::broker::{Broker, Peer};
use scripted::influx::{Reply, Server};

use super::account::{reading, send};
use super::broker::storing;
use super::{is_well, let_in, told};
use crate::ARRIVAL;
use crate::health::{address, metric};

const BEGAN: &str = "the store takes no readings";
const ENDED: &str = "the store takes readings again";

/// Long for an answer that is sound, however busy the machine, and short for one that drips.
const IMPATIENT: &str = "store_timeout = \"3s\"\n";

/// More than a batch, and less than the receiver holds.
const READINGS: u16 = 3_000;

const ENVOY: &str = "122012345678";

/// Has InfluxDB answer so from the first reading on, and looks what becomes of a receiver.
async fn withstands(harm: impl Fn() -> Reply + Send + Sync + 'static) {
    let is_hostile = Arc::new(AtomicBool::new(true));
    let stored: Arc<Mutex<usize>> = Arc::default();
    let (hostile, counted) = (Arc::clone(&is_hostile), Arc::clone(&stored));
    let influx = Server::start(move |request, _| {
        if hostile.load(Ordering::Relaxed) {
            return harm();
        }
        *counted.lock().unwrap_or_else(PoisonError::into_inner) += request.lines.len();
        Reply::stored()
    });
    let influx = influx.await;
    let count = || *stored.lock().unwrap_or_else(PoisonError::into_inner);
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let start = storing(&broker, &folder, IMPATIENT)
        .env("STORE", "influxdb")
        .env("INFLUX_URL", format!("http://{}", influx.address))
        .env("INFLUX_TOKEN", "a-token-that-may-write")
        .env("INFLUX_ORG", "home")
        .env("INFLUX_BUCKET", "solar");
    let mut receiver = start.spawn();
    let address = address(&receiver).await;
    let mut peer = broker.welcome(true).await;
    let_in(&mut peer).await;

    let mut sent = 0;
    for number in 0..READINGS {
        send(&mut peer, &mut sent, reading(ENVOY, number.into())).await;
    }
    tokio::select! {
        packet = acknowledgement(&mut peer) => panic!("{packet} is acknowledged, and not stored"),
        () = is_refused_thrice(&address) => {}
    }
    is_well(&receiver, &address).await;
    // Behind the batch that it can't write it holds what else has come.
    tokio::select! {
        packet = acknowledgement(&mut peer) => panic!("{packet} is acknowledged, and not stored"),
        () = holds_them_all(&address) => {}
    }
    assert_eq!(told(&receiver, BEGAN), 1, "{:#?}", receiver.stderr());
    let longest = receiver.stderr().iter().map(String::len).max();
    assert!(longest < Some(2_000), "{longest:?}");

    is_hostile.store(false, Ordering::Relaxed);
    for packet in 1..=READINGS {
        assert_eq!(acknowledgement(&mut peer).await, packet, "out of order");
        assert!(count() >= usize::from(packet), "{packet} is not stored");
    }
    assert_eq!(count(), usize::from(READINGS), "each is stored once");
    wait::until_true("it to say so", ARRIVAL, async || {
        told(&receiver, ENDED) == 1
    })
    .await;
    assert_eq!(told(&receiver, BEGAN), 1, "{:#?}", receiver.stderr());
    is_well(&receiver, &address).await;
    assert!(receiver.stderr().len() <= 20, "{:#?}", receiver.stderr());
    drop(peer);
    assert!(receiver.terminate().await.success());
}

/// The next message that is acknowledged.
async fn acknowledgement(peer: &mut Peer) -> u16 {
    loop {
        match peer.any_packet().await {
            Some(Packet::PubAck(ack)) => return ack.pkid,
            Some(Packet::Publish(own)) => peer.acknowledge(own.pkid).await,
            Some(_) => {}
            None => panic!("it has left"),
        }
    }
}

/// Waits until three writes have failed.
async fn is_refused_thrice(address: &str) {
    wait::until_true("three writes that fail", ARRIVAL, async || {
        let mut failed = 0.0;
        for kind in ["unavailable", "configuration", "unproven"] {
            let series = format!("envoy_receiver_writes_failed_total{{kind=\"{kind}\"}}");
            failed += metric(address, &series).await.unwrap_or_default();
        }
        failed >= 3.0
    })
    .await;
}

/// Waits until all that was sent waits at a time: between two attempts, when no batch is being written.
async fn holds_them_all(address: &str) {
    wait::until_true("all to wait", ARRIVAL, async || {
        let waiting = metric(address, "envoy_receiver_messages_waiting").await;
        waiting.is_some_and(|waiting| waiting >= f64::from(READINGS))
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_end_is_read_to_a_bound_only() {
    withstands(|| Reply::EndlessChunks(500)).await;
    // As where it complains of a line: what it says of that is read, too.
    withstands(|| Reply::EndlessChunks(400)).await;
    withstands(|| Reply::Endless(200)).await;
}

#[tokio::test]
async fn a_gigabyte_of_text_is_read_to_a_bound_only() {
    withstands(|| Reply::Long(503, 1 << 30)).await;
}

#[tokio::test]
async fn a_head_without_end_is_read_to_a_bound_only() {
    withstands(|| Reply::EndlessHead).await;
}

#[tokio::test]
async fn what_drips_is_waited_for_as_long_as_any_answer() {
    withstands(|| Reply::Dripping(500)).await;
    withstands(|| Reply::DrippingHead).await;
}
