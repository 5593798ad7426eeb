//! Peers that send what would fill a memory, a disk or a log: a daemon stays small, says it in a line or a few,
//! answers those who ask for its health meanwhile, and goes on once the peer behaves.

mod account;
mod broker;
mod devices;
mod gateway;

use rig::programs::Program;
use rumqttc::{Packet, QoS, SubscribeReasonCode};
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

/// Answers as a broker does, until the receiver's own status came and is on its way back. How many messages were
/// acknowledged meanwhile.
async fn let_in(peer: &mut Peer) -> u16 {
    let mut acknowledged = 0;
    loop {
        match peer.packet().await {
            Some(Packet::Subscribe(subscribe)) => {
                let granted = subscribe.filters.iter();
                let granted = granted.map(|filter| SubscribeReasonCode::Success(filter.qos));
                peer.grant(subscribe.pkid, granted.collect()).await;
            }
            Some(Packet::Publish(mut status)) => {
                peer.acknowledge(status.pkid).await;
                status.qos = QoS::AtMostOnce;
                status.retain = false;
                status.pkid = 0;
                peer.send(Packet::Publish(status)).await;
                return acknowledged;
            }
            Some(Packet::PubAck(_)) => acknowledged += 1,
            other => panic!("unexpected: {other:?}"),
        }
    }
}
