//! The pauses between attempts. While one is waited for, time stands still as long as something
//! happens, and moves on when nothing does: minutes pass in a moment, and a busy machine makes no
//! pause longer.

use std::time::Duration;

use mqtt::{Events, Reason, Session};
use rumqttc::Packet;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::{config, connected, disconnected};
use scripted::broker::{Absent, Broker, Peer};
use scripted::watch::Watch;

const CAP: Duration = Duration::from_secs(16);

/// What pauses are at least, without jitter, up to half the cap.
const BASES: [u64; 6] = [1, 2, 4, 8, 8, 8];

fn start(url: &str) -> ((Session, Watch), Events) {
    let mut config = config(url);
    config.backoff_cap = CAP;
    crate::start(config)
}

/// The next attempt to connect, and the pause before it.
pub(crate) async fn next_attempt(broker: &Broker) -> (TcpStream, Duration) {
    let since = Instant::now();
    tokio::time::pause();
    let stream = tokio::select! {
        stream = broker.accept_tcp() => stream,
        never = small_steps() => never,
    };
    tokio::time::resume();
    (stream, since.elapsed())
}

/// Keeps the time that stands still from jumping over what the kernel is about to deliver.
pub(crate) async fn small_steps() -> ! {
    loop {
        sleep(Duration::from_millis(10)).await;
    }
}

/// Lets the next attempt in.
pub(crate) async fn let_in(stream: TcpStream) -> Peer {
    let mut peer = Peer::new(stream);
    assert!(matches!(peer.packet().await, Some(Packet::Connect(_))));
    peer.let_in(true).await;
    peer
}

fn assert_grown(pauses: &[Duration]) {
    for (pause, base) in pauses.iter().zip(BASES) {
        assert!(*pause >= Duration::from_secs(base), "{pauses:?}");
        // The moments in which something happened are in it, too: they have a second.
        assert!(
            *pause < CAP.min(Duration::from_secs(2 * base)) + Duration::from_secs(1),
            "{pauses:?}"
        );
    }
}

#[tokio::test]
async fn pauses_grow_to_a_cap_and_no_two_clients_keep_step() {
    let mut sequences = Vec::new();
    for _ in 0..2 {
        let broker = Broker::bind().await;
        let (_session, mut events) = start(&broker.url());
        drop(broker.accept_tcp().await);
        let reason = disconnected(&mut events).await;
        assert!(
            matches!(reason, Reason::ClosedBeforeAnswer { .. }),
            "{reason}"
        );
        let mut pauses = Vec::new();
        for _ in BASES {
            pauses.push(next_attempt(&broker).await.1);
        }
        assert_grown(&pauses);
        sequences.push(pauses);
    }
    let [ours, theirs] = &sequences[..] else {
        unreachable!()
    };
    for (ours, theirs) in ours.iter().zip(theirs) {
        let apart = ours.abs_diff(*theirs);
        assert!(apart > Duration::from_micros(1), "in step: {sequences:?}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_right_away_does_not_begin_the_pauses_anew() {
    let broker = Broker::bind().await;
    let (_session, mut events) = start(&broker.url());
    let mut stream = broker.accept_tcp().await;
    // The third in a row is another story, told in `rivals`.
    let mut pauses = Vec::new();
    for _ in 0..2 {
        let peer = let_in(stream).await;
        connected(&mut events).await;
        drop(peer);
        assert_eq!(disconnected(&mut events).await, Reason::Closed);
        let pause;
        (stream, pause) = next_attempt(&broker).await;
        pauses.push(pause);
    }
    assert_grown(&pauses);
}

#[tokio::test]
async fn a_connection_that_held_for_a_minute_begins_the_pauses_anew() {
    let broker = Broker::bind().await;
    let (_session, mut events) = start(&broker.url());
    drop(broker.accept_tcp().await);
    disconnected(&mut events).await;
    for _ in 1..BASES.len() {
        next_attempt(&broker).await;
    }
    let (stream, _) = next_attempt(&broker).await;
    let peer = let_in(stream).await;
    connected(&mut events).await;
    tokio::time::pause();
    // A broker that answers no pings would be left, so time is moved past the minute in one step.
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    drop(peer);
    disconnected(&mut events).await;
    let (_, pause) = next_attempt(&broker).await;
    assert_grown(&[pause]);
}

#[tokio::test]
async fn a_broker_that_was_away_for_an_hour_is_connected_to_when_it_is_back() {
    let absent = Absent::bind();
    let url = absent.url();
    let (_session, mut events) = start(&url);
    let refused = Reason::Refused {
        broker: url.parse().unwrap(),
    };
    assert_eq!(disconnected(&mut events).await, refused);

    tokio::time::pause();
    sleep(Duration::from_hours(1)).await;
    tokio::time::resume();
    let broker = absent.arrives();
    let (stream, waited) = next_attempt(&broker).await;
    assert!(waited < CAP + Duration::from_secs(1), "{waited:?}");
    let _peer = let_in(stream).await;
    connected(&mut events).await;
}
