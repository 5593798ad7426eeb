//! The broker of these tests: delivers what there is, and counts what is acknowledged.

use rumqttc::{Packet, Publish, QoS, SubscribeFilter, SubscribeReasonCode};
use scripted::broker::{Broker, Peer};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use wire::ReplayRequest;

use crate::state::{ENVOY, OTHER_ENVOY, OTHERS, State};

/// What a test has it do.
pub(crate) enum Order {
    /// Deliver what was added since.
    Deliver,
    /// Deliver this as well; the first has the packet [`OTHERS`], and so on.
    Say {
        topic: String,
        payload: String,
        retain: bool,
    },
    /// Close the connection; on the next one everything is delivered again.
    Cut,
}

/// Serves one connection after the other.
pub(crate) async fn serve(
    broker: Broker,
    state: watch::Sender<State>,
    mut orders: mpsc::Receiver<Order>,
) {
    let mut others = OTHERS;
    loop {
        let mut peer = broker.welcome(true).await;
        state.send_modify(|state| {
            state.connections += 1;
            state.acknowledged.clear();
        });
        let mut delivered = None;
        loop {
            let packet = tokio::select! {
                packet = peer.any_packet() => packet,
                order = orders.recv() => match order {
                    Some(Order::Deliver) => {
                        deliver(&mut peer, &state, &mut delivered).await;
                        continue;
                    }
                    Some(Order::Say { topic, payload, retain }) => {
                        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
                        publish.pkid = others;
                        publish.retain = retain;
                        others += 1;
                        peer.send(Packet::Publish(publish)).await;
                        continue;
                    }
                    Some(Order::Cut) => None,
                    None => return,
                },
            };
            match packet {
                Some(Packet::Subscribe(subscribe)) => {
                    let filters = subscribe.filters;
                    let codes = filters
                        .iter()
                        .map(|filter| SubscribeReasonCode::Success(filter.qos));
                    peer.grant(subscribe.pkid, codes.collect()).await;
                    if is_for_readings(&filters) {
                        delivered = Some(state.borrow().over);
                        deliver(&mut peer, &state, &mut delivered).await;
                    }
                }
                Some(Packet::Publish(publish)) if publish.topic.contains("/replay/") => {
                    peer.acknowledge(publish.pkid).await;
                    let request = request(&publish);
                    state.send_modify(|state| state.requests.push((Instant::now(), request)));
                }
                // The receiver's own status, whose echo it waits for.
                Some(Packet::Publish(mut publish)) => {
                    peer.acknowledge(publish.pkid).await;
                    publish.qos = QoS::AtMostOnce;
                    publish.retain = false;
                    publish.pkid = 0;
                    peer.send(Packet::Publish(publish)).await;
                }
                Some(Packet::PubAck(ack)) => state.send_modify(|state| state.acknowledge(ack.pkid)),
                Some(Packet::Disconnect) | None => break,
                Some(_) => {}
            }
        }
    }
}

fn request(publish: &Publish) -> ReplayRequest {
    let envoy = publish
        .topic
        .strip_prefix("envoy-receiver/receiver/replay/");
    assert!(matches!(envoy, Some(ENVOY | OTHER_ENVOY)), "{envoy:?}");
    assert_eq!((publish.qos, publish.retain), (QoS::AtLeastOnce, false));
    ReplayRequest::decode(&publish.payload).unwrap()
}

/// Readings are subscribed to at least once, and the receiver's own status at most once: its echo must
/// not wait behind readings that the store has not taken. So is the inverters' health, which the broker is
/// not to keep for a receiver that is away.
fn is_for_readings(filters: &[SubscribeFilter]) -> bool {
    for filter in filters {
        let expected = if ["/status", "/health"]
            .iter()
            .any(|end| filter.path.ends_with(end))
        {
            QoS::AtMostOnce
        } else {
            QoS::AtLeastOnce
        };
        assert_eq!(filter.qos, expected, "{}", filter.path);
    }
    filters
        .iter()
        .any(|filter| filter.path.contains("/inverters/"))
}

/// Delivers what this connection has not had yet; nothing before it has subscribed.
async fn deliver(peer: &mut Peer, state: &watch::Sender<State>, delivered: &mut Option<usize>) {
    let Some(from) = *delivered else { return };
    let readings = state.borrow().readings[from..].to_vec();
    *delivered = Some(from + readings.len());
    for (reading, packet) in readings.iter().zip(from + 1..) {
        let topic = reading.topic().render(&"envoy".parse().unwrap());
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, reading.encode());
        publish.pkid = packet.try_into().unwrap();
        peer.send(Packet::Publish(publish)).await;
    }
}
