//! A plain MQTT client for tests, which remembers all that it saw.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Account, Mosquitto};
use crate::servers::random_secret;
use crate::wait;

/// For a single answer of a broker on the same machine.
const ANSWER: Duration = Duration::from_secs(20);

/// Room between a test and the task that polls; a test sends one message at a time.
const REQUESTS: usize = 16;

/// As large as our own programs accept.
const MAX_PACKET: usize = 1024 * 1024;

/// One message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The topic it was published on.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Whether the broker had kept it from before this subscription.
    pub retain: bool,
}

impl Seen {
    /// The payload as text.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.payload).expect("the payload is UTF-8")
    }
}

/// The broker refused the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub ConnectReturnCode);

/// How the connection stands, as the polling task saw it.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    connected: bool,
    refused: Option<ConnectReturnCode>,
    subscribed: u64,
    acknowledged: u64,
}

/// A subscriber and publisher. It connects again by itself and subscribes again to its filter.
pub struct Client {
    requests: AsyncClient,
    seen: Arc<Mutex<Vec<Seen>>>,
    state: watch::Receiver<State>,
    polling: JoinHandle<()>,
}

impl Client {
    /// Logs in, and subscribes to `filter` when there is one.
    ///
    /// # Panics
    ///
    /// When the broker does not answer in time.
    pub async fn connect(
        broker: &Mosquitto,
        account: &Account,
        filter: Option<&str>,
    ) -> Result<Self, Refused> {
        let id = format!("test-{}", random_secret());
        let mut options = MqttOptions::new(id, broker.host(), broker.port());
        options
            .set_credentials(account.user(), account.password())
            .set_max_packet_size(MAX_PACKET, MAX_PACKET);
        let (requests, events) = AsyncClient::new(options, REQUESTS);
        let (send_state, state) = watch::channel(State::default());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let polling = tokio::spawn(poll(
            events,
            requests.clone(),
            filter.map(str::to_owned),
            Arc::clone(&seen),
            send_state,
        ));
        let mut this = Self {
            requests,
            seen,
            state,
            polling,
        };
        this.login().await?;
        if filter.is_some() {
            this.reached("a subscription", |state| state.subscribed > 0)
                .await;
        }
        Ok(this)
    }

    async fn login(&mut self) -> Result<(), Refused> {
        let state = self
            .reached("a login", |state| {
                state.connected || state.refused.is_some()
            })
            .await;
        state.refused.map_or(Ok(()), |code| Err(Refused(code)))
    }

    /// Publishes at least once (`QoS` 1) and returns when the broker has acknowledged it, which Mosquitto does
    /// with messages that it drops for want of permission, too.
    ///
    /// # Panics
    ///
    /// When the acknowledgement does not come in time.
    pub async fn publish(&mut self, topic: &str, payload: impl AsRef<[u8]>, retain: bool) {
        let before = self.state.borrow().acknowledged;
        self.requests
            .publish(topic, QoS::AtLeastOnce, retain, payload.as_ref().to_vec())
            .await
            .expect("the polling task lives as long as the client");
        self.reached("an acknowledgement", |state| state.acknowledged > before)
            .await;
    }

    /// All messages so far, in the order of their arrival.
    ///
    /// # Panics
    ///
    /// Never: nothing panics while the list is locked.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no holder panics").clone()
    }

    /// Waits until the messages so far satisfy `condition`, and returns them.
    ///
    /// # Panics
    ///
    /// When `deadline` passes before, naming `what` was waited for.
    pub async fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        condition: impl Fn(&[Seen]) -> bool,
    ) -> Vec<Seen> {
        wait::until(what, deadline, async || {
            let seen = self.seen();
            condition(&seen).then_some(seen)
        })
        .await
    }

    async fn reached(&mut self, what: &str, condition: impl Fn(&State) -> bool) -> State {
        *tokio::time::timeout(ANSWER, self.state.wait_for(condition))
            .await
            .unwrap_or_else(|_| panic!("no {what} within {ANSWER:?}"))
            .expect("the polling task lives as long as the client")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

async fn poll(
    mut events: EventLoop,
    requests: AsyncClient,
    filter: Option<String>,
    seen: Arc<Mutex<Vec<Seen>>>,
    state: watch::Sender<State>,
) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                // A clean session: the broker has forgotten the last subscription.
                if let Some(filter) = &filter {
                    requests
                        .try_subscribe(filter, QoS::AtLeastOnce)
                        .expect("the channel has room for one subscription");
                }
                state.send_modify(|state| state.connected = true);
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => {
                state.send_modify(|state| state.subscribed += 1);
            }
            Ok(Event::Incoming(Packet::PubAck(_))) => {
                state.send_modify(|state| state.acknowledged += 1);
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                seen.lock().expect("no holder panics").push(Seen {
                    topic: message.topic,
                    payload: message.payload.to_vec(),
                    retain: message.retain,
                });
            }
            Ok(_) => {}
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
