//! An account that publishes whatever it likes.

use rig::wait;
use rumqttc::{Packet, Publish, QoS};
use scripted::broker::{Broker, Peer};
use serde_json::json;

use super::broker::receiver;
use super::{granting, is_well, let_in, told};
use crate::ARRIVAL;
use crate::health::{address, metric};

const NO_ROOM: &str = "there is no room for another Envoy";

/// Messages of each kind.
const MANY: usize = 2_000;

/// The Envoy of somebody else, whose readings come in between.
const ENVOY: &str = "122012345678";

/// For so many Envoys there is room.
const ENVOYS: usize = 1_000;

/// For so many series of one.
const SERIES: usize = 4_096;

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
        reading(&format!("e{number}"), number),
    ]
}

/// A reading.
pub(super) fn reading(envoy: &str, number: usize) -> (String, String) {
    let payload = json!({"serial": format!("i{number}"), "envoy": envoy, "reported_at": "2026-11-23T09:15:00Z",
        "device_type": 1, "power_w": 212, "peak_power_w": 296, "journal": "k3x9m2pq", "seq": number + 1});
    (
        format!("envoy/{envoy}/inverters/i{number}"),
        payload.to_string(),
    )
}

/// Waits until so many readings are stored, or a few more.
async fn are_stored(address: &str, readings: usize, more: usize) {
    #[expect(clippy::cast_precision_loss, reason = "some thousand readings")]
    let (least, most) = (readings as f64, (readings + more) as f64);
    let what = format!("{readings} readings to be stored");
    wait::until_true(&what, ARRIVAL, async || {
        let stored = metric(address, "envoy_receiver_points_written_total").await;
        stored.is_some_and(|stored| stored >= least && stored <= most)
    })
    .await;
}

/// Waits until all that was sent is acknowledged, so many of which were before.
async fn all_acknowledged(peer: &mut Peer, before: u16, sent: u16) {
    let mut acknowledged = before;
    while acknowledged < sent {
        match granting(peer).await {
            Some(Packet::PubAck(_)) => acknowledged += 1,
            Some(_) => {}
            None => panic!("it has left after {acknowledged} of {sent}"),
        }
    }
}

/// Sends a message, and gives it the next number that acknowledges it.
pub(super) async fn send(peer: &mut Peer, sent: &mut u16, (topic, payload): (String, String)) {
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
            send(&mut peer, &mut sent, reading(ENVOY, readings)).await;
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
        match granting(&mut peer).await {
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
    // One place is the other Envoy's.
    are_stored(&address, readings + ENVOYS - 1, 0).await;
    is_well(&receiver, &address).await;
    let files = std::fs::read_dir(folder.path().join("state")).expect("a directory");
    let kept: u64 = files
        .map(|file| file.expect("a file").metadata().expect("its length").len())
        .sum();
    assert!(kept < 4 << 20, "{kept} bytes are kept");
    // What it says at its start, three of each kind and that there are more, and that there is no room.
    let lines = receiver.stderr();
    assert!(lines.len() <= 20, "{lines:#?}");
    assert_eq!(told(&receiver, NO_ROOM), 1, "{lines:#?}");
    drop(peer);
    assert!(receiver.terminate().await.success());
}

#[tokio::test]
async fn an_account_that_invents_inverters_of_its_own_envoy_begins_no_series_without_end() {
    const INVENTED: usize = SERIES + 500;
    const TOO_MANY: &str =
        "there are more inverters, meters and batteries of this Envoy than any has";
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let mut receiver = receiver(&broker, &folder);
    let address = address(&receiver).await;
    let mut peer = broker.welcome(true).await;
    let_in(&mut peer).await;

    let mut sent = 0;
    for number in 0..INVENTED {
        send(&mut peer, &mut sent, reading("e", number)).await;
    }
    // Those that are known go on, and so does everybody else.
    send(&mut peer, &mut sent, reading("e", 0)).await;
    send(&mut peer, &mut sent, reading(ENVOY, 0)).await;
    all_acknowledged(&mut peer, 0, sent).await;
    // One that is refused may pass for a known one, but hardly ever does.
    are_stored(&address, SERIES + 2, 5).await;
    is_well(&receiver, &address).await;
    assert_eq!(told(&receiver, TOO_MANY), 1, "{:#?}", receiver.stderr());
    drop(peer);
    assert!(receiver.terminate().await.success());
}

#[tokio::test]
async fn large_messages_before_any_answer_of_the_broker_keep_nobody_from_being_stored() {
    // More than the session holds; and the shipped broker has more under way.
    const LARGE: usize = 80;
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let mut receiver = receiver(&broker, &folder);
    let address = address(&receiver).await;
    let mut peer = broker.welcome(true).await;
    let mut sent = 0;
    for number in 0..LARGE {
        let topic = format!("envoy/e/inverters/i{number}");
        send(&mut peer, &mut sent, (topic, "x".repeat(500_000))).await;
    }
    // Mosquitto, too, reads what it is asked for when it has sent what waited.
    let acknowledged = let_in(&mut peer).await;
    send(&mut peer, &mut sent, reading(ENVOY, 0)).await;
    all_acknowledged(&mut peer, acknowledged, sent).await;
    are_stored(&address, 1, 0).await;
    is_well(&receiver, &address).await;
    drop(peer);
    assert!(receiver.terminate().await.success());
}

#[tokio::test]
async fn what_takes_four_times_the_room_where_it_is_printed_waits_as_it_is() {
    const MESSAGES: usize = 12_000;
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let mut receiver = receiver(&broker, &folder);
    let address = address(&receiver).await;
    let mut peer = broker.welcome(true).await;
    let acknowledged = let_in(&mut peer).await;

    // Each byte of both is none that can be printed.
    let (topic, payload) = ("\u{fe}".repeat(1_000), vec![0xfe; 4_000]);
    let mut sent = 0;
    for number in 0..MESSAGES {
        sent += 1;
        let topic = format!("envoy/{number}/{topic}");
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload.clone());
        publish.pkid = sent;
        peer.send(Packet::Publish(publish)).await;
    }
    all_acknowledged(&mut peer, acknowledged, sent).await;
    is_well(&receiver, &address).await;
    drop(peer);
    assert!(receiver.terminate().await.success());
}

#[tokio::test]
async fn a_broker_that_acknowledges_no_request_keeps_no_reading_from_being_stored() {
    // As many as we have under way to a broker.
    const UNANSWERED: usize = 1_000;
    let broker = Broker::bind().await;
    let folder = tempfile::tempdir().expect("a directory");
    let mut receiver = receiver(&broker, &folder);
    let address = address(&receiver).await;
    let mut peer = broker.welcome(true).await;
    let mut acknowledged = let_in(&mut peer).await;

    let mut sent = 0;
    for number in 0..ENVOYS {
        let span = json!({"id": "k3x9m2pq", "first": 1, "last": 3});
        let announced = json!({"instance": "p7", "journals": [span], "waiting": 0});
        let topic = format!("envoy/e{number}/journal");
        send(&mut peer, &mut sent, (topic, announced.to_string())).await;
    }
    let mut requests = 0;
    while acknowledged < sent || requests < UNANSWERED {
        match granting(&mut peer).await {
            Some(Packet::PubAck(_)) => acknowledged += 1,
            Some(Packet::Publish(_)) => requests += 1,
            Some(_) => {}
            None => panic!("it has left: {:?}", receiver.stderr()),
        }
    }
    send(&mut peer, &mut sent, reading("e0", 0)).await;
    all_acknowledged(&mut peer, acknowledged, sent).await;
    are_stored(&address, 1, 0).await;
    drop(peer);
    assert!(receiver.terminate().await.success());
}
