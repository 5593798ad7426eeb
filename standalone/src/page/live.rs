//! What the embedded broker's topics say, for whoever looks at the page.
//!
//! A client of the broker like any other: what the page shows as live is what every subscriber sees.

use std::sync::{Arc, Mutex, PoisonError};

use mqtt::Event;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;
use wire::{BaseTopic, GatewayState, Reading, Status, Topic};

/// Messages that a slow viewer may lag behind: a site of 300 inverters once over. Who lags more misses
/// some, and has them again with the page's next look at all numbers.
const BEHIND: usize = 512;

/// The state of each part between the Envoy and the store.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Chain {
    /// Whether there is a connection to the embedded broker.
    pub(super) broker: bool,
    /// `online` or `offline`, as the scraper says it; null until it did.
    scraper: Option<&'static str>,
    /// The same of the receiver, which stores.
    receiver: Option<&'static str>,
    /// The retained `gateway` topic; null until an Envoy was read.
    gateway: Option<Value>,
}

/// One thing that happened: the kind of event, and its JSON.
pub(super) type Happening = (&'static str, String);

/// What was heard so far, and what is heard from now on.
#[derive(Debug, Clone)]
pub(super) struct Live {
    chain: Arc<Mutex<Chain>>,
    happenings: broadcast::Sender<Happening>,
}

impl Live {
    pub(super) fn new() -> Self {
        Self {
            chain: Arc::default(),
            happenings: broadcast::Sender::new(BEHIND),
        }
    }

    pub(super) fn chain(&self) -> Chain {
        let chain = self.chain.lock();
        chain.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Happening> {
        self.happenings.subscribe()
    }

    /// Hears the topics for as long as the session lasts.
    pub(super) async fn hear(self, _session: mqtt::Session, mut events: mqtt::Events) {
        let base = BaseTopic::default();
        while let Some(event) = events.next().await {
            match event {
                Event::Connected(connection) => {
                    let filters = [
                        base.inverters_filter(),
                        base.gateways_filter(),
                        base.envoy_status_filter(),
                        base.receiver_status_filter(),
                    ];
                    // Where it fails the connection has ended, which is the next event.
                    let subscribed = connection.overhear(filters).await.is_ok();
                    self.change(|chain| chain.broker = subscribed);
                }
                Event::Disconnected(_) => self.change(|chain| chain.broker = false),
                Event::Received(delivery) => {
                    if let Ok(topic) = Topic::parse(&base, &delivery.topic) {
                        self.take(&topic, &delivery.payload);
                    }
                }
            }
        }
    }

    /// Messages that are not as the contract has them are the receiver's to complain about.
    fn take(&self, topic: &Topic, payload: &[u8]) {
        match topic {
            Topic::Plain { .. } => {
                if let Ok(reading) = Reading::decode(topic, payload) {
                    // Without a viewer there is nobody to tell.
                    let _ = self.happenings.send(("reading", reading.encode()));
                }
            }
            Topic::Gateway { .. } => {
                if let Ok(state) = GatewayState::decode(topic, payload) {
                    let value = serde_json::to_value(state).ok();
                    self.change(|chain| chain.gateway = value);
                }
            }
            Topic::EnvoyStatus { .. } => {
                let status = Status::decode(payload).ok().map(Status::encode);
                self.change(|chain| chain.scraper = status);
            }
            Topic::ReceiverStatus { .. } => {
                let status = Status::decode(payload).ok().map(Status::encode);
                self.change(|chain| chain.receiver = status);
            }
            _ => {}
        }
    }

    fn change(&self, change: impl FnOnce(&mut Chain)) {
        let chain = {
            let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut chain);
            chain.clone()
        };
        let _ = self.happenings.send(("chain", json(&chain)));
    }
}

/// As JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text and numbers under text keys can be written as JSON")
}
