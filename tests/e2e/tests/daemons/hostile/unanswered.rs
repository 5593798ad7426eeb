//! A broker that keeps the connection, and answers little on it: the scraper takes its polls all the same.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use rig::programs::Program;
use rumqttc::Packet;
use scripted::broker::{Broker, Peer};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::broker::scraper_of;
use super::{bring_back, devices, granting, is_well, let_in};
use crate::ARRIVAL;
use crate::alone::{POLLED, said};
use crate::health::address;

/// Polls that have to be taken meanwhile: more than may wait for whoever takes them.
const POLLS: usize = 8;

/// Messages that may be unacknowledged on one connection.
const UNACKNOWLEDGED: usize = 1_000;

/// A scraper of this broker, and of a gateway that names more inverters than that.
async fn scraper(broker: &Broker, folder: &TempDir) -> (Program, AbortOnDropHandle<()>) {
    let invented = Arc::new(AtomicUsize::new(UNACKNOWLEDGED));
    scraper_of(devices::gateway(invented).await, broker, folder)
}

/// Waits for further polls, while nothing of what comes is answered but pings.
async fn takes_polls(scraper: &Program, peer: &mut Peer) {
    let (before, begun) = (said(scraper, POLLED), Instant::now());
    while said(scraper, POLLED) < before + POLLS {
        let polled = said(scraper, POLLED) - before;
        assert!(begun.elapsed() < ARRIVAL, "{polled} polls");
        let packet = timeout(Duration::from_millis(50), peer.any_packet()).await;
        assert_ne!(packet, Ok(None), "it has left: {:#?}", scraper.stderr());
    }
}

#[tokio::test]
async fn polls_are_taken_while_the_broker_answers_no_subscription() {
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let (mut scraper, _gateway) = scraper(&broker, &folder).await;
    let address = address(&scraper).await;
    let mut peer = broker.welcome(false).await;
    let first = peer.packet().await;
    assert!(matches!(first, Some(Packet::Subscribe(_))), "{first:?}");
    takes_polls(&scraper, &mut peer).await;
    is_well(&scraper, &address).await;
    drop(peer);
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn polls_are_taken_while_the_broker_acknowledges_no_device() {
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let (mut scraper, _gateway) = scraper(&broker, &folder).await;
    let address = address(&scraper).await;
    let mut peer = broker.welcome(false).await;
    let_in(&mut peer).await;
    let mut devices = 0;
    while devices < UNACKNOWLEDGED {
        match granting(&mut peer).await {
            Some(Packet::Publish(device)) if device.topic.starts_with("homeassistant/") => {
                devices += 1;
            }
            Some(Packet::Publish(other)) => {
                peer.acknowledge(other.pkid).await;
                if other.topic.ends_with("/journal") {
                    bring_back(&mut peer, other).await;
                }
            }
            Some(_) => {}
            None => panic!("it has left: {:#?}", scraper.stderr()),
        }
    }
    takes_polls(&scraper, &mut peer).await;
    is_well(&scraper, &address).await;
    drop(peer);
    assert!(scraper.terminate().await.success());
}
