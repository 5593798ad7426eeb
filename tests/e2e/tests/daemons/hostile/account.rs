//! An account that publishes whatever it likes.

use rig::wait;
use rumqttc::{Packet, Publish, QoS};
use scripted::broker::{Broker, Peer};
use serde_json::json;

use super::broker::receiver;
use super::{is_well, let_in};
use crate::ARRIVAL;
use crate::health::{address, metric};

/// Messages of each kind.
const MANY: usize = 2_000;

/// The Envoy of somebody else, whose readings come in between.
const ENVOY: &str = "122012345678";

/// One message of a flood, by its number.
fn hostile(number: usize) -> Vec<(String, String)> {
    let spans = (0..16)
        .map(|one| json!({"id": format!("j{number}-{one}"), "first": 1, "last": 1_u64 << 50}));
    let announced = json!({"instance": format!("i{number}"), "journals": spans.collect::<Vec<_>>(), "waiting": 0});
    let padding = "x".repeat(4_000);
    let inverters = json!({format!("i{number}"): {"state": "silent", "fresh": false, "interval_s": null,
        "missed_reports": 0, "relative_output_pct": null, "name": padding, "array": null}});
    let health = json!({"envoy": format!("e{number}"), "changed_at": "2026-11-23T09:15:00Z", "reporting": 0,
        "asleep": 0, "silent": 1, "total": 1, "never_reported": 0, "inverters": inverters});
    vec![
        (format!("envoy/e{number}/journal"), announced.to_string()),
        (format!("envoy/e{number}/health"), health.to_string()),
        (format!("envoy/e{number}/inverters/i{number}"), padding),
        (format!("envoy/e/../{number}/inverters"), "{".repeat(4_000)),
    ]
}

/// A reading of the other Envoy.
fn reading(number: usize) -> (String, String) {
    let payload = json!({"serial": format!("i{number}"), "envoy": ENVOY, "reported_at": "2026-11-23T09:15:00Z",
        "device_type": 1, "power_w": 212, "peak_power_w": 296, "journal": "k3x9m2pq", "seq": number + 1});
    (
        format!("envoy/{ENVOY}/inverters/i{number}"),
        payload.to_string(),
    )
}

/// Sends a message, and gives it the next number that acknowledges it.
async fn send(peer: &mut Peer, sent: &mut u16, (topic, payload): (String, String)) {
    *sent += 1;
    let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
    publish.pkid = *sent;
    peer.send(Packet::Publish(publish)).await;
}

#[tokio::test]
async fn a_flood_of_topics_serials_and_announcements_fills_nothing_and_keeps_nobody_waiting() {
    const EVERY: usize = 20;
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let mut receiver = receiver(&broker, &folder);
    let address = address(&receiver).await;
    let mut peer = broker.welcome(true).await;
    let_in(&mut peer).await;

    let (mut sent, mut readings) = (0, 0);
    for number in 0..MANY {
        for message in hostile(number) {
            send(&mut peer, &mut sent, message).await;
        }
        if number % EVERY == 0 {
            send(&mut peer, &mut sent, reading(readings)).await;
            readings += 1;
        }
    }
    // Of the other Envoy three more readings are announced than came.
    let span = json!({"id": "k3x9m2pq", "first": 1, "last": readings + 3});
    let announced = json!({"instance": "p7", "journals": [span], "waiting": 0});
    let topic = format!("envoy/{ENVOY}/journal");
    send(&mut peer, &mut sent, (topic, announced.to_string())).await;

    let (mut acknowledged, mut is_asked) = (0, false);
    while acknowledged < sent || !is_asked {
        match peer.packet().await {
            Some(Packet::PubAck(ack)) => {
                acknowledged += 1;
                assert_eq!(ack.pkid, acknowledged, "out of order");
            }
            Some(Packet::Publish(request)) => {
                peer.acknowledge(request.pkid).await;
                is_asked |= request.topic.ends_with(&format!("/replay/{ENVOY}"));
            }
            Some(_) => {}
            None => panic!("it has left: {:?}", receiver.stderr()),
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few readings")]
    let wanted = readings as f64;
    wait::until_true(
        "the readings in between to be stored",
        ARRIVAL,
        async || {
            let stored = metric(&address, "envoy_receiver_points_written_total").await;
            stored.is_some_and(|stored| (stored - wanted).abs() < 0.5)
        },
    )
    .await;
    is_well(&receiver, &address).await;
    let files = std::fs::read_dir(folder.path().join("state")).expect("a directory");
    let kept: u64 = files
        .map(|file| file.expect("a file").metadata().expect("its length").len())
        .sum();
    assert!(kept < 4 << 20, "{kept} bytes are kept");
    let lines = receiver.stderr().len();
    // One for each of the Envoys that are audited at once, and some for what is no reading.
    assert!(lines < 120, "{lines} lines");
    drop(peer);
    assert!(receiver.terminate().await.success());
}
