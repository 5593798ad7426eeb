//! An acknowledgement that is sent on a later connection than its message came from. The session's
//! half is in `deliveries` (`an_acknowledgement_held_across_a_reconnect_is_refused`).

use rumqttc::{Event, Packet};

use super::plain::Plain;
use scripted::broker::Broker;

#[tokio::test]
async fn plain_an_acknowledgement_held_across_a_reconnect_names_another_message() {
    let broker = Broker::bind().await;
    let mut plain = Plain::new(&broker.url(), 10, |options| {
        options.set_manual_acks(true);
    });
    let mut peer = plain.connected(&broker, false).await;
    peer.deliver(1, "stored").await;
    let Ok(Event::Incoming(Packet::Publish(stored))) = plain.poll().await else {
        panic!("expected a delivery");
    };
    drop(peer);
    plain.error().await;

    let mut peer = plain.connected(&broker, true).await;
    peer.deliver(1, "not stored").await;
    let delivered = plain.poll().await;
    assert!(
        matches!(delivered, Ok(Event::Incoming(Packet::Publish(_)))),
        "{delivered:?}"
    );
    plain.client.try_ack(&stored).unwrap();
    // The broker takes it for the acknowledgement of what nobody has stored, and forgets that.
    match plain.packet_for(&mut peer).await {
        Some(Packet::PubAck(ack)) => assert_eq!(ack.pkid, 1),
        other => panic!("expected a PUBACK, got {other:?}"),
    }
}
