//! Packets and segments.

use std::net::TcpStream;

use rumqttc::mqttbytes::Error;
use rumqttc::{ConnectionError, StateError};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use super::plain::Plain;
use crate::{Rig, config, received};
use scripted::broker::Broker;

const ABOVE_THE_DEFAULT: usize = 11 * 1024;

#[tokio::test]
async fn plain_one_large_retained_message_ends_each_connection() {
    let broker = Broker::bind().await;
    let mut plain = Plain::new(&broker.url(), 10, |_| {});
    for _ in 0..3 {
        let mut peer = plain.connected(&broker, true).await;
        peer.deliver(1, "x".repeat(ABOVE_THE_DEFAULT)).await;
        let error = plain.error().await;
        assert!(
            matches!(
                error,
                ConnectionError::MqttState(StateError::Deserialization(
                    Error::PayloadSizeLimitExceeded(_)
                ))
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn guarded_a_large_retained_message_is_delivered() {
    let mut rig = Rig::new().await;
    rig.peer.deliver(1, "x".repeat(ABOVE_THE_DEFAULT)).await;
    let delivery = received(&mut rig.events).await;
    assert_eq!(delivery.payload.len(), ABOVE_THE_DEFAULT);
}

/// Whether small segments leave at once from the socket at the other end of `accepted`. That end is
/// in this process, too, but within rumqttc, so it is found among the process's open files. With a
/// stopwatch this could only be guessed: how long segments are held back depends on both kernels.
fn segments_leave_at_once(accepted: &tokio::net::TcpStream) -> bool {
    let ends = (
        accepted.peer_addr().unwrap(),
        accepted.local_addr().unwrap(),
    );
    let process = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let sockets = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            // A file that has been closed meanwhile was another test's.
            let target = std::fs::read_link(entry.path()).ok()?;
            target.to_str()?.starts_with("socket:").then_some(())?;
            let number = entry.file_name().to_str()?.parse().ok()?;
            let copy = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok()?;
            Some(TcpStream::from(copy))
        });
    let mut ours = sockets.filter(|socket| {
        let found = socket
            .local_addr()
            .and_then(|local| Ok((local, socket.peer_addr()?)));
        found.is_ok_and(|found| found == ends)
    });
    ours.next().expect("the client's socket").nodelay().unwrap()
}

#[tokio::test]
async fn plain_small_segments_wait_for_those_before_them() {
    let broker = Broker::bind().await;
    let mut plain = Plain::new(&broker.url(), 10, |_| {});
    // The client's end lives for as long as it is polled.
    let looked = async { segments_leave_at_once(&broker.accept_tcp().await) };
    tokio::select! {
        at_once = looked => assert!(!at_once),
        error = plain.error() => panic!("{error}"),
    }
}

#[tokio::test]
async fn guarded_small_segments_leave_at_once() {
    let broker = Broker::bind().await;
    let (_session, _events) = crate::start(config(&broker.url()));
    assert!(segments_leave_at_once(&broker.accept_tcp().await));
}
