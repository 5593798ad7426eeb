//! What was announced to Home Assistant, and what is to be announced now: pure, with the time as an argument.
//!
//! Everything is announced after each connect, since a broker may have lost what it retained, and when Home
//! Assistant says that it has started; one device alone when something about it has changed. The gateway
//! comes first: a device whose `via_device` is not known yet would get a stand-in named after the broker.

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use wire::{GatewayState, Health, Reading, ReportTime, Serial, Subject};

use super::battery::BatteryFacts;
use super::gateway::{Measures, Site};
use super::{Topics, battery, gateway, inverter};
use crate::names::Names;

/// The longest pause after Home Assistant has started. Everything that announces itself by MQTT hears it at
/// the same time, so each waits a random part of it.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Devices that are announced. The largest gateways have some 600 inverters.
const MOST: usize = 2000;

/// A device, in the order in which they are announced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Gateway,
    Inverter(Serial),
    Battery(Serial),
}

/// What the device of an inverter is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InverterFacts {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Whether its readings carry more than its power.
    pub detail: bool,
    /// Whether it is an AC battery: the gateway lists those, too.
    pub is_ac_battery: bool,
}

/// Announces the devices of one Envoy.
#[derive(Debug)]
pub struct Announcer {
    topics: Topics,
    /// None before the gateway has answered once.
    gateway: Option<GatewayState>,
    measures: Measures,
    /// When the meter of batteries that is announced was measured last.
    storage_at: Option<ReportTime>,
    /// What inverters are called of which nothing was said yet.
    names: Names,
    inverters: BTreeMap<Serial, InverterFacts>,
    batteries: BTreeMap<Serial, BatteryFacts>,
    due: BTreeSet<Object>,
    /// When everything is announced again.
    again: Option<Instant>,
}

impl Announcer {
    /// One that knows of nothing yet.
    #[must_use]
    pub fn new(topics: Topics) -> Self {
        Self {
            topics,
            gateway: None,
            measures: Measures::default(),
            storage_at: None,
            names: Names::default(),
            inverters: BTreeMap::new(),
            batteries: BTreeMap::new(),
            due: BTreeSet::new(),
            again: None,
        }
    }

    /// Goes on from what is known before the gateway has answered: the newest readings, whether the energy of the site
    /// is counted though the last thing said of it had none, and what the inverters are called. Whoever is announced
    /// with less than before loses entities, or its name, until the next poll.
    pub fn recall(&mut self, newest: &[Reading], counts_energy: bool, names: &Names) {
        self.names = names.clone();
        for reading in newest {
            self.reading(&reading.measured);
        }
        if counts_energy {
            self.measures(Measures {
                site: Site::Energy,
                ..Measures::default()
            });
        }
    }

    /// Where to listen for Home Assistant's start.
    #[must_use]
    pub fn filter(&self) -> String {
        self.topics.birth()
    }

    /// The gateway as it is now.
    pub fn gateway(&mut self, state: &GatewayState) {
        self.measures(Measures {
            token: state.token_expires_at.is_some(),
            ..Measures::default()
        });
        let is_same = self.gateway.as_ref().is_some_and(|known| {
            let of = |state: &GatewayState| {
                let GatewayState {
                    firmware,
                    part_number,
                    address,
                    ..
                } = state.clone();
                (firmware, part_number, address)
            };
            of(known) == of(state)
        });
        // Not from what a scraper knows of a gateway that has never answered.
        if !is_same && state.firmware.is_some() {
            self.gateway = Some(state.clone());
            self.due.insert(Object::Gateway);
        }
    }

    /// The gateway measures this, too. What was announced once stays.
    pub fn measures(&mut self, more: Measures) {
        let known = &self.measures;
        let all = Measures {
            consumption: known.consumption || more.consumption,
            net: known.net || more.net,
            site: known.site.max(more.site),
            storage: more.storage.or_else(|| known.storage.clone()),
            token: known.token || more.token,
        };
        if all != self.measures {
            self.measures = all;
            self.due.insert(Object::Gateway);
        }
    }

    /// An inverter with these readings is there. A detail that its readings carried once stays announced, and what
    /// once was an AC battery is one.
    pub fn inverter(&mut self, serial: &Serial, facts: InverterFacts) {
        if self.is_full() && !self.inverters.contains_key(serial) {
            return;
        }
        let known = self.inverters.get(serial);
        let facts = InverterFacts {
            detail: facts.detail || known.is_some_and(|known| known.detail),
            is_ac_battery: facts.is_ac_battery || known.is_some_and(|known| known.is_ac_battery),
            ..facts
        };
        if known != Some(&facts) {
            self.inverters.insert(serial.clone(), facts);
            self.due.insert(Object::Inverter(serial.clone()));
        }
    }

    /// The inverters that are there, and what they are called.
    pub fn health(&mut self, health: &Health) {
        for (serial, inverter) in &health.inverters {
            let facts = InverterFacts {
                name: inverter.name.clone(),
                ..InverterFacts::default()
            };
            self.inverter(serial, facts);
        }
    }

    /// This inverter or battery is not there any more. It is announced again when it is there again.
    pub fn forget(&mut self, subject: &Subject) {
        match subject {
            Subject::Inverter(serial) => drop(self.inverters.remove(serial)),
            Subject::Battery(serial) => drop(self.batteries.remove(serial)),
            _ => {}
        }
    }

    /// A battery with these readings is there. What was known of it once stays announced.
    pub fn battery(&mut self, serial: &Serial, facts: BatteryFacts) {
        if self.is_full() && !self.batteries.contains_key(serial) {
            return;
        }
        let known = self.batteries.get(serial);
        let facts = match known {
            Some(before) => facts.and(before),
            None => facts,
        };
        if known != Some(&facts) {
            self.batteries.insert(serial.clone(), facts);
            self.due.insert(Object::Battery(serial.clone()));
        }
    }

    fn is_full(&self) -> bool {
        self.inverters.len() + self.batteries.len() >= MOST
    }

    /// There is a new connection.
    pub fn connected(&mut self) {
        self.everything_is_due();
    }

    /// Takes in a message of the broker. Whether it was Home Assistant's, saying that it has started: then
    /// everything is announced after a `pause`, which is to be random and at most [`LONGEST_PAUSE`].
    pub fn heard(&mut self, topic: &str, payload: &[u8], pause: Duration, now: Instant) -> bool {
        let is_birth = topic == self.topics.birth() && payload == b"online";
        if is_birth {
            self.again = Some(now + pause);
        }
        is_birth
    }

    /// When [`at`](Self::at) has something to do.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.again
    }

    /// It is `now`.
    pub fn at(&mut self, now: Instant) {
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            self.everything_is_due();
        }
    }

    fn everything_is_due(&mut self) {
        self.due.insert(Object::Gateway);
        self.due
            .extend(self.inverters.keys().cloned().map(Object::Inverter));
        self.due
            .extend(self.batteries.keys().cloned().map(Object::Battery));
    }

    /// The topic and the payload of what is to be published next, retained.
    pub fn next_message(&mut self) -> Option<(String, String)> {
        let state = self.gateway.as_ref()?;
        while let Some(object) = self.due.pop_first() {
            let topics = &self.topics;
            let announced = match object {
                Object::Gateway => {
                    let gateway = gateway::announcement(topics, state, &self.measures);
                    Some((topics.config("gateway"), gateway))
                }
                Object::Inverter(serial) => self.inverters.get(&serial).and_then(|facts| {
                    let inverter = inverter::announcement(topics, &serial, facts);
                    Some((topics.config_of(&Subject::Inverter(serial))?, inverter))
                }),
                Object::Battery(serial) => self.batteries.get(&serial).and_then(|facts| {
                    let battery = battery::announcement(topics, &serial, facts);
                    Some((topics.config_of(&Subject::Battery(serial))?, battery))
                }),
            };
            if let Some((topic, announcement)) = announced {
                return Some((topic, announcement.encode()));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
