//! The task that polls.

use std::time::Duration;

use rumqttc::{Event, Packet, QoS};
use tokio::time::{pause, resume, timeout};

use super::plain::Plain;
use crate::{Rig, message, received};
use scripted::broker::{Broker, Peer};
use scripted::within;

#[tokio::test]
async fn plain_a_publish_in_the_task_that_polls_waits_for_ever() {
    let broker = Broker::bind().await;
    let mut plain = Plain::new(&broker.url(), 10, |_| {});
    let mut peer = plain.connected(&broker, false).await;
    peer.deliver(1, "a question").await;
    while !matches!(plain.poll().await, Ok(Event::Incoming(Packet::Publish(_)))) {}
    for answer in 0..10 {
        plain.publish(answer).await;
    }
    // Its queue is full, and only this task would empty it.
    pause();
    let answer = plain
        .client
        .publish("a/topic", QoS::AtLeastOnce, false, "one too many");
    assert!(timeout(Duration::from_hours(24), answer).await.is_err());
    resume();
}

#[tokio::test]
async fn guarded_the_task_that_takes_events_may_publish_without_end() {
    const ANSWERS: u16 = 2_500;
    let mut rig = Rig::new().await;
    rig.peer.deliver(1, "a question").await;
    let mut peer = rig.peer;
    let broker = tokio::spawn(async move {
        for answer in 0..ANSWERS {
            let publish = peer.publish().await;
            assert_eq!(publish.payload, answer.to_string());
            peer.acknowledge(publish.pkid).await;
        }
    });
    let question = received(&mut rig.events).await;
    for answer in 0..ANSWERS {
        let _receipt = within(rig.connection.publish(message(answer)))
            .await
            .unwrap();
    }
    drop(question);
    within(broker).await.unwrap();
}

/// Enough bytes, in messages below rumqttc's limit, to fill what a connection buffers.
const MESSAGES: usize = 900;
const LENGTH: usize = 9_000;

fn payload(number: usize) -> String {
    format!("{number:0LENGTH$}")
}

/// The numbers of what arrives, up to the last one.
async fn numbers(peer: &mut Peer) -> Vec<usize> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&(MESSAGES - 1)) {
        let publish = peer.publish().await;
        let text = String::from_utf8(publish.payload.to_vec()).unwrap();
        numbers.push(text.parse().unwrap());
        peer.acknowledge(publish.pkid).await;
    }
    numbers
}

#[tokio::test]
async fn plain_a_poll_that_is_cancelled_loses_the_packet_that_it_had_taken() {
    let broker = Broker::bind_narrow();
    let mut plain = Plain::new(&broker.url(), MESSAGES, |options| {
        options.set_inflight(u16::MAX);
    });
    let mut peer = plain.connected(&broker, false).await;
    for number in 0..MESSAGES - 1 {
        plain.publish(payload(number)).await;
    }
    // The broker reads nothing yet, so a poll soon has to wait for room; the other branch is the
    // tick of some timer.
    for _ in 0..2 * MESSAGES {
        tokio::select! {
            biased;
            event = plain.event_loop.poll() => drop(event.unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    plain.publish(payload(MESSAGES - 1)).await;
    let arrived = tokio::select! {
        arrived = numbers(&mut peer) => arrived,
        error = plain.error() => panic!("the connection ended: {error}"),
    };
    // Taken out of the queue, noted as sent, and never written.
    assert!(arrived.len() < MESSAGES, "{} arrived", arrived.len());
}

#[tokio::test]
async fn guarded_whatever_the_caller_cancels_everything_arrives() {
    let broker = Broker::bind_narrow();
    let (_session, mut events) = crate::start(crate::config(&broker.url()));
    let mut peer = broker.welcome(false).await;
    let connection = crate::connected(&mut events).await;
    for number in 0..MESSAGES {
        let _receipt = connection.publish(message(payload(number))).await.unwrap();
        tokio::select! {
            biased;
            event = events.next() => panic!("nothing has happened: {event:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    let arrived = numbers(&mut peer).await;
    assert_eq!(arrived, (0..MESSAGES).collect::<Vec<_>>());
}
