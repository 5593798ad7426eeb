//! What the embedded broker's topics say, for whoever looks at the page.
//!
//! A client of the broker like any other: what the page shows as live is what every subscriber sees.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mqtt::Event;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;
use wire::{
    Announcement, BaseTopic, GatewayState, Health, InverterHealth, Measured, Reading, Serial,
    Status, Topic,
};

use super::flows;

/// Messages that a slow viewer may lag behind: a site of 300 inverters once over. Who lags more misses
/// some, and has them again with the page's next look at all numbers.
const BEHIND: usize = 512;

/// Other receivers that are shown: more than anybody has.
const OTHERS: usize = 16;

/// The state of each part between the Envoy and the store.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Chain {
    /// Whether there is a connection to the embedded broker.
    pub(super) broker: bool,
    /// `online` or `offline`, as the scraper says it; null until it did.
    scraper: Option<&'static str>,
    /// The same of the receiver of this process, which stores.
    receiver: Option<&'static str>,
    /// The same of other receivers at the embedded broker, by name: they have stores of their own.
    other_receivers: BTreeMap<String, &'static str>,
    /// The retained `gateway` topic; null until an Envoy was read.
    gateway: Option<Value>,
    /// How many readings wait in the scraper's journal for the broker; null until it said so.
    waiting: Option<u64>,
}

impl Chain {
    /// A receiver says so of itself, or nothing any more.
    fn receiver_is(&mut self, name: &str, status: Option<&'static str>) {
        let others = &mut self.other_receivers;
        match status {
            _ if name == crate::RECEIVER => self.receiver = status,
            Some(status) if others.len() < OTHERS || others.contains_key(name) => {
                others.insert(name.to_owned(), status);
            }
            Some(_) => {}
            None => {
                others.remove(name);
            }
        }
    }

    /// Whether what the topic with this path below the Envoy's shows can't be had now, though the Envoy answers.
    pub(super) fn is_stale(&self, path: &str) -> bool {
        let stale = self
            .gateway
            .as_ref()
            .and_then(|gateway| gateway["stale"].as_array());
        stale.is_some_and(|stale| stale.iter().any(|one| one == path))
    }
}

/// One thing that happened: the kind of event, and its JSON.
pub(super) type Happening = (&'static str, String);

/// What was heard so far, and what is heard from now on.
#[derive(Debug, Clone)]
pub(super) struct Live {
    chain: Arc<Mutex<Chain>>,
    /// How the inverters do, by their Envoy: the retained `health` topics.
    healths: Arc<Mutex<BTreeMap<Serial, Health>>>,
    happenings: broadcast::Sender<Happening>,
}

impl Live {
    pub(super) fn new() -> Self {
        Self {
            chain: Arc::default(),
            healths: Arc::default(),
            happenings: broadcast::Sender::new(BEHIND),
        }
    }

    pub(super) fn chain(&self) -> Chain {
        let chain = self.chain.lock();
        chain.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How an inverter does, as the scraper judges it by the Envoy's clock; none before it did.
    pub(super) fn health(&self, envoy: &Serial, inverter: &Serial) -> Option<InverterHealth> {
        let healths = self.healths.lock().unwrap_or_else(PoisonError::into_inner);
        healths.get(envoy)?.inverters.get(inverter).cloned()
    }

    /// How far the Envoy's clock is ahead of ours, in seconds; none while nobody knows.
    pub(super) fn clock_skew_s(&self) -> i64 {
        let gateway = self.chain().gateway;
        let skew = gateway.and_then(|gateway| gateway["clock_skew_s"].as_i64());
        skew.unwrap_or_default()
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
                    let mut filters = base.plain_filters();
                    filters.extend([
                        base.gateways_filter(),
                        base.journals_filter(),
                        base.healths_filter(),
                        base.envoy_status_filter(),
                        base.receiver_status_filter(),
                    ]);
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
                if let Ok(reading) = Reading::decode(topic, payload)
                    && let Some(event) = event(&reading.measured)
                {
                    // Without a viewer there is nobody to tell.
                    let _ = self.happenings.send((event, reading.encode()));
                }
            }
            Topic::Gateway { .. } => {
                if let Ok(state) = GatewayState::decode(topic, payload) {
                    let value = serde_json::to_value(state).ok();
                    self.change(|chain| chain.gateway = value);
                }
            }
            Topic::Journal { .. } => {
                if let Ok(announcement) = Announcement::decode(payload) {
                    self.change(|chain| chain.waiting = Some(announcement.waiting));
                }
            }
            Topic::Health { .. } => {
                if let Ok(health) = Health::decode(topic, payload) {
                    let mut healths = self.healths.lock().unwrap_or_else(PoisonError::into_inner);
                    healths.insert(health.envoy.clone(), health);
                    drop(healths);
                    // Its content is asked for.
                    let _ = self.happenings.send(("health", "{}".to_owned()));
                }
            }
            Topic::EnvoyStatus { .. } => {
                let status = Status::decode(payload).ok().map(Status::encode);
                self.change(|chain| chain.scraper = status);
            }
            Topic::ReceiverStatus { name } => {
                let status = Status::decode(payload).ok().map(Status::encode);
                self.change(|chain| chain.receiver_is(name.as_str(), status));
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

/// The event that tells of a reading of this kind, where one does.
fn event(measured: &Measured) -> Option<&'static str> {
    match measured {
        Measured::Inverter(inverter) if inverter.is_ac_battery() => None,
        Measured::Inverter(_) => Some("reading"),
        other => flows::shown(other),
    }
}

/// As JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text and numbers under text keys can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(live: &Live, receiver: &str, payload: &str) {
        let name = receiver.parse().expect("a name");
        live.take(&Topic::ReceiverStatus { name }, payload.as_bytes());
    }

    #[test]
    fn another_receiver_that_stops_is_not_the_store() {
        let live = Live::new();
        says(&live, crate::RECEIVER, "online");
        says(&live, "second", "online");
        says(&live, "second", "offline");
        assert_eq!(live.chain().receiver, Some("online"));
        assert_eq!(live.chain().other_receivers["second"], "offline");
        says(&live, "second", "");
        assert!(
            live.chain().other_receivers.is_empty(),
            "it is retained no more"
        );
    }

    #[test]
    fn however_many_receivers_there_are_what_is_kept_of_them_is_bounded() {
        let live = Live::new();
        for number in 0..1_000 {
            says(&live, &format!("r{number}"), "online");
        }
        assert_eq!(live.chain().other_receivers.len(), OTHERS);
    }
}
