//! A broker that floods a scraper's own topics.

use std::ops::Range;
use std::time::Duration;

use bytes::BytesMut;
use rig::programs::Program;
use rumqttc::{Packet, Publish, QoS, SubscribeReasonCode};
use scripted::broker::{Broker, Peer};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::broker::scraper;
use super::{bring_back, is_well, let_in, told};
use crate::ARRIVAL;
use crate::alone::{POLLED, said};
use crate::health::address;

/// The Envoy of the gateway.
const ENVOY: &str = "202400000099";

/// The largest packet that a session takes, without its fixed header.
const LARGEST: usize = 1 << 20;

/// Messages that are sent together.
const AT_ONCE: usize = 25;

/// Polls that have to bring readings meanwhile: more than may wait for whoever takes them.
const POLLS: usize = 8;

/// What the scraper publishes is taken as a broker does.
#[derive(Default)]
struct Taken {
    /// How many readings came.
    readings: usize,
}

impl Taken {
    /// Takes what has come by now.
    async fn take(&mut self, peer: &mut Peer, scraper: &Program) {
        while let Ok(packet) = timeout(Duration::ZERO, peer.any_packet()).await {
            match packet {
                Some(Packet::Publish(publish)) => {
                    peer.acknowledge(publish.pkid).await;
                    self.readings += usize::from(publish.topic.contains("/inverters/"));
                    if publish.topic.ends_with("/journal") {
                        bring_back(peer, publish).await;
                    }
                }
                Some(Packet::Subscribe(subscribe)) => {
                    let granted = subscribe.filters.iter();
                    let granted = granted.map(|filter| SubscribeReasonCode::Success(filter.qos));
                    peer.grant(subscribe.pkid, granted.collect()).await;
                }
                Some(_) => {}
                None => panic!("it has left: {:#?}", scraper.stderr()),
            }
        }
    }
}

/// A message that is retained on one of the Envoy's topics.
fn retained(path: &str, payload: impl Into<Vec<u8>>) -> Publish {
    let mut publish = Publish::new(format!("envoy/{ENVOY}/{path}"), QoS::AtMostOnce, payload);
    publish.retain = true;
    publish
}

/// Sends these messages at once.
async fn send(peer: &mut Peer, numbers: Range<usize>, flood: impl Fn(usize) -> Publish) {
    let mut bytes = BytesMut::new();
    for number in numbers {
        let written = Packet::Publish(flood(number)).write(&mut bytes, 2 * LARGEST);
        written.expect("it is no larger");
    }
    peer.send_bytes(&bytes).await;
}

/// Floods with at least so many of these messages, by their numbers, and until the scraper has polled often enough. So
/// many of them come `before` the answers that it waits for.
async fn withstands(before: usize, least: usize, flood: impl Fn(usize) -> Publish) {
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let (mut scraper, _gateway) = scraper(&broker, &folder).await;
    let address = address(&scraper).await;
    let mut peer = broker.welcome(false).await;
    let mut taken = Taken::default();

    for first in (0..before).step_by(AT_ONCE) {
        send(&mut peer, first..first + AT_ONCE, &flood).await;
    }
    let_in(&mut peer).await;
    let mut number = before;
    let (polled, begun) = (said(&scraper, POLLED), Instant::now());
    // What polls bring is published, too.
    while number < least || said(&scraper, POLLED) < polled + POLLS || taken.readings < POLLS {
        assert!(
            begun.elapsed() < 2 * ARRIVAL,
            "{number} messages, {} readings: {:#?}",
            taken.readings,
            scraper.stderr()
        );
        send(&mut peer, number..number + AT_ONCE, &flood).await;
        number += AT_ONCE;
        taken.take(&mut peer, &scraper).await;
    }
    is_well(&scraper, &address).await;
    let lines = scraper.stderr();
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| !line.contains("DEBUG"))
        .collect();
    assert!(lines.len() <= 30, "{lines:#?}");
    assert_eq!(
        told(&scraper, "no connection to the broker"),
        0,
        "{lines:#?}"
    );
    drop(peer);
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn the_largest_messages_there_are_on_its_own_topics_fill_nothing() {
    const MESSAGES: usize = 300;
    withstands(MESSAGES / 4, MESSAGES, |number| {
        let path = match number % 5 {
            0 => "journal".to_owned(),
            1 => "health".to_owned(),
            2 => "gateway".to_owned(),
            3 => format!("replay/r{number}"),
            _ => format!("inverters/i{number}"),
        };
        let topic = format!("envoy/{ENVOY}/{path}");
        let mut payload =
            format!(r#"{{"serial":"i{number}","envoy":"{ENVOY}","more":""#).into_bytes();
        payload.resize(LARGEST - topic.len() - 2, b'x');
        retained(&path, payload)
    })
    .await;
}

#[tokio::test]
async fn messages_without_end_that_are_all_in_order_fill_nothing_and_keep_no_poll_waiting() {
    const MESSAGES: usize = 20_000;
    withstands(MESSAGES / 4, MESSAGES, |number| match number % 16 {
        0 => {
            let span = json!({"id": format!("j{number}"), "first": 1, "last": 5});
            let announced = json!({"instance": format!("i{number}"), "journals": [span], "waiting": 0});
            let mut live = retained("journal", announced.to_string());
            live.retain = false;
            live
        }
        1 => {
            let health = json!({"envoy": ENVOY, "changed_at": "2026-11-23T09:15:00Z", "reporting": 0,
                "asleep": 0, "silent": 0, "total": 0, "never_reported": 0, "inverters": {}});
            retained("health", health.to_string())
        }
        _ => {
            // As long as a serial may be.
            let serial = format!("{number:0>32}");
            let reading = json!({"serial": serial, "envoy": ENVOY, "reported_at": "2026-11-23T09:15:00Z",
                "device_type": 1, "power_w": 212, "peak_power_w": 296, "journal": "k3x9m2pq", "seq": number + 1});
            retained(&format!("inverters/{serial}"), reading.to_string())
        }
    })
    .await;
}
