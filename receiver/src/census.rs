//! Whose readings are stored, and of how many inverters, meters and batteries of each: bounded, since a store
//! keeps a series of each for good, and takes memory for it.
//!
//! Whoever may publish as a scraper can name others with each message. So there is room for so many Envoys
//! (`MAX_ENVOYS`), and for so many [series](MOST_SERIES) of each. Those that are known go on; new ones beyond are refused.
//! What is refused of an unknown Envoy is not marked, nor asked for: once there is room its scraper sends all that its
//! journal holds. What is refused of a known one is given up, as what the store refuses.
//!
//! After a start the Envoys are known by their marks, and their series anew as they come.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;
use wire::{Health, Measured, Reading, Serial};

use crate::dead_letters::DeadLetter;

/// How many Envoys there is room for, unless a setting says otherwise.
pub const USUAL_ENVOYS: usize = 1_000;

/// What that setting may be. With the most, each with 50 inverters, what is kept of them here takes 13 MB.
pub const ENVOYS: RangeInclusive<usize> = 1..=32_768;

/// Series of one Envoy. Scrapers take in 2,000 inverters, meters and batteries of a gateway; each has its readings and
/// its health.
pub const MOST_SERIES: usize = 4_096;

/// How often it is said that there is no room.
const SAID_EVERY: Duration = Duration::from_hours(24);

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// There is no room for another Envoy.
    #[error("there is no room for another Envoy (setting: MAX_ENVOYS)")]
    Envoys,
    /// There is none for another series of this one.
    #[error("this Envoy has as many inverters, meters and batteries as are stored of one")]
    Series,
}

/// Who is known.
#[derive(Debug)]
pub(crate) struct Census {
    most: usize,
    /// Of each Envoy its series, by a number for each that nobody else can foretell, in order: with half of all
    /// series one of two million new ones passes for a known one.
    envoys: HashMap<Serial, Vec<u32>>,
    numbers: RandomState,
    no_envoy: Refused,
    no_series: Refused,
}

/// What was refused for one reason.
#[derive(Debug, Default)]
struct Refused {
    messages: u64,
    said: Option<Instant>,
}

impl Census {
    /// Nobody is known yet.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            envoys: HashMap::new(),
            numbers: RandomState::new(),
            no_envoy: Refused::default(),
            no_series: Refused::default(),
        }
    }

    /// These are known from before.
    pub(crate) fn know<'a>(&mut self, envoys: impl IntoIterator<Item = &'a Serial>) {
        for envoy in envoys {
            if !self.envoys.contains_key(envoy) {
                self.envoys.insert(envoy.clone(), Vec::new());
            }
        }
    }

    /// Nobody is known any more.
    pub(crate) fn begin_anew(&mut self) {
        self.envoys.clear();
    }

    /// Whether there is room for this Envoy.
    pub(crate) fn admits(&mut self, envoy: &Serial) -> bool {
        if self.envoys.contains_key(envoy) {
            return true;
        }
        let has_room = self.envoys.len() < self.most;
        if has_room {
            self.envoys.insert(envoy.clone(), Vec::new());
        } else {
            self.no_envoy.note(envoy, Instant::now(), Full::Envoys);
        }
        has_room
    }

    /// Whether there is room for this reading. What is to be kept of it if there is none: `topic` and `payload`
    /// are those it came with.
    pub(crate) fn refuses(
        &mut self,
        reading: &Reading,
        topic: &str,
        payload: &[u8],
    ) -> Option<DeadLetter> {
        let letter = |full: Full| DeadLetter::new(topic, payload, full.to_string());
        if !self.admits(&reading.envoy) {
            return Some(letter(Full::Envoys));
        }
        let number = self.number(&reading.measured);
        let has_room = self.admits_series(&reading.envoy, number);
        (!has_room).then(|| letter(Full::Series).of_envoy(&reading.envoy, payload))
    }

    /// Takes those out of an Envoy's health for whom there is no room. Whether there is any for the Envoy.
    pub(crate) fn admit(&mut self, health: &mut Health) -> bool {
        let is_admitted = self.admits(&health.envoy);
        if is_admitted {
            let Health {
                envoy, inverters, ..
            } = health;
            inverters.retain(|serial, _| {
                let number = low_half(self.numbers.hash_one(("health", serial)));
                self.admits_series(envoy, number)
            });
        }
        is_admitted
    }

    fn admits_series(&mut self, envoy: &Serial, number: u32) -> bool {
        let Some(known) = self.envoys.get_mut(envoy) else {
            return false;
        };
        let Err(place) = known.binary_search(&number) else {
            return true;
        };
        let has_room = known.len() < MOST_SERIES;
        if has_room {
            known.insert(place, number);
        } else {
            self.no_series.note(envoy, Instant::now(), Full::Series);
        }
        has_room
    }

    /// The number of a series: of all that is a tag at InfluxDB.
    fn number(&self, measured: &Measured) -> u32 {
        low_half(match measured {
            Measured::Inverter(one) => self.numbers.hash_one((&one.serial, one.device_type)),
            Measured::Meter(one) => self.numbers.hash_one((&one.eid, &one.kind, &one.phase)),
            Measured::Battery(one) => self.numbers.hash_one(("battery", &one.serial)),
            other => self.numbers.hash_one(other.kind()),
        })
    }
}

#[allow(clippy::cast_possible_truncation, reason = "half of a hash is one")]
fn low_half(hash: u64) -> u32 {
    hash as u32
}

impl Refused {
    fn note(&mut self, envoy: &Serial, now: Instant, full: Full) {
        self.messages += 1;
        if self.said.is_some_and(|said| now - said < SAID_EVERY) {
            return;
        }
        self.said = Some(now);
        let messages = self.messages;
        match full {
            Full::Envoys => tracing::error!(
                %envoy,
                messages,
                "there is no room for another Envoy: nothing of it is stored. If it is yours, have more of them \
                 (setting: MAX_ENVOYS); if not, take the right to publish from whoever does (the dead letters have \
                 its topics), then let the receiver begin anew with envoy-receiver refill"
            ),
            Full::Series => tracing::error!(
                %envoy,
                messages,
                most = MOST_SERIES,
                "there are more inverters, meters and batteries of this Envoy than any has: new ones are given up. \
                 See what its scraper publishes (the dead letters have its topics), then restart the receiver"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
