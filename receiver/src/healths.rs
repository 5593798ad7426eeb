//! How the inverters do, kept beside the readings: of each Envoy the newest, and nothing of it twice.
//!
//! It is no reading but a retained state: no journal has it, nothing asks for it again, and what was so before
//! is of no use to those who want to know how it is. So the broker is asked to send it at most once: at
//! least once, it would keep each change for a receiver that is away, in the place of readings. There is
//! nothing to acknowledge, then; a receiver that ends before it has stored a state hears the newest with its
//! next connection.
//!
//! There may be a million inverters. So of what is stored a number of eight bytes is kept for each, of [`MOST_STORED`] at
//! most: new ones beyond are refused. What is heard is kept only until it is stored; where that is more than
//! [`MOST_WAITING`], it is left, and once there is room again the broker is asked for what it retains.
//!
//! It has a task of its own, so that a store that refuses it holds up no reading. Only what differs from
//! what was stored last is stored, so that neither a restart of the broker nor one connection after the other
//! writes anything; the first write of a receiver repeats the whole state at its one time, with a point also for those
//! inverters that did not change then.

mod keeping;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::MOST_ENVOYS;
use tokio::sync::Notify;
use tokio::time::Instant;
use wire::{Health, InverterHealth, ReportTime, Serial};

pub(crate) use keeping::keep;

/// How often the broker is asked at most for what it retains: of 20,000 Envoys that may be a hundred megabytes each time.
const ASKED_EVERY: Duration = Duration::from_mins(1);

/// What may wait for the store, by a rough measure, in bytes: how some 40,000 inverters do. Of Envoys it is one message
/// each, which may be of any size that is read.
const MOST_WAITING: usize = 8 * 1024 * 1024;

/// What one inverter's health takes while it waits, beside its names.
const SIZE_OF_ONE: usize = 200;

/// Inverters of which it is remembered what was stored: more than the most Envoys have with fifty at each. Sixteen
/// megabytes.
const MOST_STORED: usize = 2_000_000;

/// What of each Envoy was heard and stored: shared by who hears it and who stores it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Healths(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    newest: Mutex<Newest>,
    news: Notify,
}

/// What was heard, and what of it is stored.
#[derive(Debug, Default)]
struct Newest {
    /// What was heard and is not stored, at most [`MOST_WAITING`].
    waiting: BTreeMap<Serial, Arc<Health>>,
    /// How many bytes these take.
    bytes: usize,
    /// Of Envoys that were heard.
    known: HashMap<Serial, Known>,
    /// How many inverters are stored of these.
    stored: usize,
    /// There was no room for something that was heard; there will be once what waits is stored.
    has_missed: bool,
    /// When the broker was last asked for what it retains, for that reason.
    asked: Option<Instant>,
    /// That no more Envoys or inverters can be remembered was said.
    is_full: bool,
}

/// What is known of one Envoy's inverters.
#[derive(Debug)]
struct Known {
    /// When what was heard last had changed.
    changed_at: ReportTime,
    /// What was stored last of each inverter, as [`digest`] has it, in order.
    stored: Box<[u64]>,
}

impl Healths {
    /// Takes in what was heard: retained, it may be of any age. A state of before, and one that nobody has
    /// dated, is left alone.
    pub(crate) fn heard(&self, health: Health, retained: bool) {
        let Some(changed_at) = health.changed_at else {
            return;
        };
        let mut newest = self.newest();
        newest.heard(health, changed_at, retained);
        drop(newest);
        self.0.news.notify_one();
    }

    /// Nothing is stored any more of what was: the broker is to be asked for all that it retains.
    pub(crate) fn begin_anew(&self) {
        let mut newest = self.newest();
        newest.known.clear();
        newest.stored = 0;
        newest.is_full = false;
        newest.has_missed = true;
    }

    /// Whether the broker is to be asked once more for what it retains: there is room for some of what had none. Not only
    /// once nothing waits: what a store refuses waits for good.
    pub(crate) fn has_missed(&self, now: Instant) -> bool {
        let mut newest = self.newest();
        let may_ask = newest.asked.is_none_or(|asked| now >= asked + ASKED_EVERY);
        let is_so = newest.has_missed && newest.bytes <= MOST_WAITING / 2 && may_ask;
        if is_so {
            newest.has_missed = false;
            newest.asked = Some(now);
        }
        is_so
    }

    /// Of which Envoys something is not stored yet.
    fn waiting(&self) -> Vec<Serial> {
        self.newest().waiting.keys().cloned().collect()
    }

    /// What of an Envoy is not stored yet: the whole state, and what of it is new.
    fn waiting_of(&self, envoy: &Serial) -> Option<(Arc<Health>, Health)> {
        let newest = self.newest();
        let whole = Arc::clone(newest.waiting.get(envoy)?);
        let mut new = Health::clone(&whole);
        if let Some(known) = newest.known.get(envoy) {
            new.inverters
                .retain(|serial, one| !known.has_stored(serial, one));
        }
        Some((whole, new))
    }

    /// This state is stored.
    fn stored(&self, whole: &Arc<Health>) {
        let mut newest = self.newest();
        let inverters = whole.inverters.iter();
        let mut digests: Box<[u64]> = inverters.map(|(serial, one)| digest(serial, one)).collect();
        digests.sort_unstable();
        if let Some(known) = newest.known.get_mut(&whole.envoy) {
            let before = std::mem::replace(&mut known.stored, digests);
            newest.stored = newest.stored + whole.inverters.len() - before.len();
        }
        // What was heard meanwhile waits on.
        let waits = newest.waiting.get(&whole.envoy);
        if waits.is_some_and(|waits| Arc::ptr_eq(waits, whole)) {
            newest.waiting.remove(&whole.envoy);
            newest.bytes -= size(whole);
        }
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        // Nothing that holds this lock leaves anything half-done.
        self.0.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Newest {
    fn heard(&mut self, health: Health, changed_at: ReportTime, retained: bool) {
        let before = self.known.get(&health.envoy);
        if let Some(before) = before.map(|known| known.changed_at)
            && changed_at < before
            && (retained || !changed_at.supersedes(before))
        {
            return;
        }
        let own = before.map_or(0, |known| known.stored.len());
        let more = health.inverters.len().saturating_sub(own);
        let is_one_too_many = before.is_none() && self.known.len() == MOST_ENVOYS;
        if is_one_too_many || (more > 0 && self.stored + more > MOST_STORED) {
            self.refuse(&health.envoy);
            return;
        }
        let waits = self.waiting.get(&health.envoy);
        let others = self.bytes - waits.map_or(0, |waits| size(waits));
        let mut inverters = health.inverters.iter();
        let is_stored = waits.is_none()
            && before
                .is_some_and(|known| inverters.all(|(serial, one)| known.has_stored(serial, one)));
        if !is_stored && others + size(&health) > MOST_WAITING {
            self.has_missed = true;
            return;
        }
        if let Some(known) = self.known.get_mut(&health.envoy) {
            known.changed_at = changed_at;
        } else {
            let new = Known {
                changed_at,
                stored: Box::default(),
            };
            self.known.insert(health.envoy.clone(), new);
        }
        if !is_stored {
            self.bytes = others + size(&health);
            self.waiting.insert(health.envoy.clone(), Arc::new(health));
        }
    }

    fn refuse(&mut self, envoy: &Serial) {
        if !std::mem::replace(&mut self.is_full, true) {
            tracing::warn!(
                %envoy,
                envoys = self.known.len(),
                inverters = self.stored,
                "how the inverters do is not stored of more than these, for want of room for it; readings are"
            );
        }
    }
}

impl Known {
    fn has_stored(&self, serial: &Serial, one: &InverterHealth) -> bool {
        self.stored.binary_search(&digest(serial, one)).is_ok()
    }
}

/// What it takes to keep this until it is stored, in bytes.
fn size(health: &Health) -> usize {
    let of_one = |one: &InverterHealth| {
        let names = [&one.name, &one.array].into_iter().flatten();
        SIZE_OF_ONE + names.map(String::len).sum::<usize>()
    };
    SIZE_OF_ONE + health.inverters.values().map(of_one).sum::<usize>()
}

/// Tells states of inverters from each other.
fn digest(inverter: &Serial, state: &InverterHealth) -> u64 {
    let mut hasher = DefaultHasher::new();
    (inverter, state).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
