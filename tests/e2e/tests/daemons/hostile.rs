//! Peers that send what would fill a memory, a disk or a log: a daemon stays small, says it in a line or a few,
//! answers those who ask for its health meanwhile, and goes on once the peer behaves.

mod account;
mod broker;
mod devices;
mod gateway;
mod influx;
mod topics;
mod unanswered;

use rig::programs::Program;
use rumqttc::{Packet, Publish, QoS, SubscribeReasonCode};
use scripted::broker::Peer;

use crate::health::get;

/// The most memory that a daemon may take: what `k8s/base` lets the scraper have.
const MOST_MEMORY: u64 = 64 << 20;

/// It has stayed small, and still answers.
async fn is_well(program: &Program, address: &str) {
    let (status, _) = get(address, "/healthz").await.expect("it listens");
    assert_eq!(status, 200);
    let taken = program.peak_memory();
    assert!(taken < MOST_MEMORY, "{} KiB", taken / 1024);
}

/// How many lines it has logged at INFO and above with this in them.
fn told(program: &Program, part: &str) -> usize {
    let lines = program.stderr();
    let told = lines
        .iter()
        .filter(|line| line.contains(part) && !line.contains("DEBUG"));
    told.count()
}

/// Answers as a broker does, until what a daemon publishes first (a receiver its status, a scraper its announcement)
/// came and is on its way back. How many messages were acknowledged meanwhile.
async fn let_in(peer: &mut Peer) -> u16 {
    let mut acknowledged = 0;
    loop {
        match granting(peer).await {
            Some(Packet::Publish(first)) => {
                peer.acknowledge(first.pkid).await;
                bring_back(peer, first).await;
                return acknowledged;
            }
            Some(Packet::PubAck(_)) => acknowledged += 1,
            other => panic!("unexpected: {other:?}"),
        }
    }
}

/// The next packet that is no SUBSCRIBE: those are granted, in the middle of a connection, too.
async fn granting(peer: &mut Peer) -> Option<Packet> {
    loop {
        match peer.packet().await {
            Some(Packet::Subscribe(subscribe)) => {
                let granted = subscribe.filters.iter();
                let granted = granted.map(|filter| SubscribeReasonCode::Success(filter.qos));
                peer.grant(subscribe.pkid, granted.collect()).await;
            }
            other => return other,
        }
    }
}

/// Sends a message to who has sent it.
async fn bring_back(peer: &mut Peer, mut message: Publish) {
    message.qos = QoS::AtMostOnce;
    message.retain = false;
    message.pkid = 0;
    peer.send(Packet::Publish(message)).await;
}
