//! The task that polls a connection, and what it has seen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Outgoing, Packet, Publish,
    QoS, SubscribeReasonCode,
};
use tokio::sync::watch;

use super::Seen;
use crate::wait;

/// How the connection stands, as the polling task saw it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    pub(super) connected: bool,
    /// How often it was let in.
    pub(super) connections: u64,
    pub(super) refused: Option<ConnectReturnCode>,
    /// Whether the broker still had this client's session.
    pub(super) session_present: bool,
    pub(super) subscribed: u64,
    /// Whether the last subscription was granted.
    pub(super) granted: bool,
    pub(super) acknowledged: u64,
}

/// The messages so far, and those that are not acknowledged.
#[derive(Default)]
pub(super) struct Seens {
    pub(super) all: Vec<Seen>,
    pub(super) unacknowledged: VecDeque<Publish>,
}

/// Polls until the client leaves.
pub(super) async fn run(
    mut events: EventLoop,
    requests: AsyncClient,
    filter: Option<String>,
    seen: Arc<Mutex<Seens>>,
    state: watch::Sender<State>,
) {
    let mut leaving = false;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(answer))) => {
                // The broker may have forgotten the last subscription.
                if let Some(filter) = &filter {
                    requests
                        .try_subscribe(filter, QoS::AtLeastOnce)
                        .expect("the channel has room for one subscription");
                }
                // What was not acknowledged comes again, under other numbers.
                seen.lock()
                    .expect("no holder panics")
                    .unacknowledged
                    .clear();
                state.send_modify(|state| {
                    state.connected = true;
                    state.connections += 1;
                    state.session_present = answer.session_present;
                });
            }
            Ok(Event::Incoming(Packet::SubAck(answer))) => {
                let granted = |code| matches!(code, &SubscribeReasonCode::Success(_));
                state.send_modify(|state| {
                    state.subscribed += 1;
                    state.granted = answer.return_codes.iter().all(granted);
                });
            }
            Ok(Event::Incoming(Packet::PubAck(_))) => {
                state.send_modify(|state| state.acknowledged += 1);
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let mut seen = seen.lock().expect("no holder panics");
                seen.all.push(Seen {
                    topic: message.topic.clone(),
                    payload: message.payload.to_vec(),
                    retain: message.retain,
                });
                if message.qos != QoS::AtMostOnce {
                    seen.unacknowledged.push_back(message);
                }
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) => leaving = true,
            Ok(_) => {}
            Err(_) if leaving => return,
            Err(error) => {
                state.send_modify(|state| {
                    state.connected = false;
                    if let ConnectionError::ConnectionRefused(code) = error {
                        state.refused = Some(code);
                    }
                });
                tokio::time::sleep(wait::PAUSE).await;
            }
        }
    }
}
