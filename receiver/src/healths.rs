//! How the inverters do, kept beside the readings: of each Envoy the newest, and nothing of it twice.
//!
//! It is no reading but a retained state: no journal has it, nothing asks for it again, and what was so before
//! is of no use to those who want to know how it is. So the broker is asked to send it at most once: at
//! least once, it would keep each change for a receiver that is away, in the place of readings. There is
//! nothing to acknowledge, then; a receiver that ends before it has stored a state hears the newest with its
//! next connection.
//!
//! It has a task of its own, so that a store that refuses it holds up no reading. Only what differs from
//! what was stored last is stored, so that neither a restart of the broker nor one connection after the other
//! writes anything; the first write of a receiver repeats the whole state at its one time, with a point also for those
//! inverters that did not change then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daemon::exit::with_causes;
use daemon::outage::Outage;
use store::{HealthError, MarkedStore, WriteError};
use tokio::sync::Notify;
use tokio::time::sleep;
use wire::{Health, InverterHealth, Serial};

use crate::writer::pauses;

/// What may be kept of all Envoys together, by a rough measure, in bytes, and as much again of what is stored: that of
/// some 40,000 inverters. Of Envoys it is one message each, which may be of any size that is read.
const MOST_HELD: usize = 8 * 1024 * 1024;

/// What one inverter's health takes, beside its names.
const HELD_OF_ONE: usize = 200;

/// What of each Envoy was heard and stored: shared by who hears it and who stores it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Healths(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    newest: Mutex<Newest>,
    news: Notify,
}

/// Of each Envoy the newest.
#[derive(Debug, Default)]
struct Newest {
    of: BTreeMap<Serial, Known>,
    /// What all of them that were heard take, in bytes.
    held: usize,
    /// That there is no room was said.
    is_full: bool,
}

/// What is known of one Envoy's inverters.
#[derive(Debug)]
struct Known {
    heard: Health,
    stored: Option<Health>,
    /// Whether it was heard since it was looked at for what is new.
    is_news: bool,
}

impl Healths {
    /// Takes in what was heard: retained, it may be of any age. A state of before, and one that nobody has
    /// dated, is left alone.
    pub(crate) fn heard(&self, health: Health, retained: bool) {
        let Some(changed_at) = health.changed_at else {
            return;
        };
        let mut newest = self.newest();
        let Newest { of, held, is_full } = &mut *newest;
        let known = of.get(&health.envoy);
        let is_older = known.is_some_and(|known| {
            let before = known.heard.changed_at.unwrap_or(changed_at);
            changed_at < before && (retained || !changed_at.supersedes(before))
        });
        if is_older {
            return;
        }
        let others = *held - known.map_or(0, |known| weight(&known.heard));
        let all = others + weight(&health);
        let has_room = all <= MOST_HELD;
        if !has_room {
            if !std::mem::replace(is_full, true) {
                tracing::warn!(
                    envoy = %health.envoy,
                    envoys = of.len(),
                    "how the inverters do is not stored of more Envoys than these, and of some not what is new, for want of \
                     room for it; readings are"
                );
            }
            return;
        }
        *held = all;
        let stored = of.remove(&health.envoy).and_then(|known| known.stored);
        let envoy = health.envoy.clone();
        let known = Known {
            heard: health,
            stored,
            is_news: true,
        };
        of.insert(envoy, known);
        drop(newest);
        self.0.news.notify_one();
    }

    /// What is not stored yet, Envoy by Envoy: the whole state, and what of it is new.
    fn waiting(&self) -> Vec<(Health, Health)> {
        let mut newest = self.newest();
        let news = newest.of.values_mut().filter(|known| known.is_news);
        let waiting = news.filter_map(|known| {
            let mut new = known.heard.clone();
            if let Some(stored) = &known.stored {
                new.inverters
                    .retain(|serial, one| stored.inverters.get(serial) != Some(one));
            }
            known.is_news = !new.inverters.is_empty();
            known.is_news.then(|| (known.heard.clone(), new))
        });
        waiting.collect()
    }

    /// This state is stored.
    fn stored(&self, whole: Health) {
        if let Some(known) = self.newest().of.get_mut(&whole.envoy) {
            known.stored = Some(whole);
        }
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        // Nothing that holds this lock leaves anything half-done.
        self.0.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What it takes to keep this, in bytes.
fn weight(health: &Health) -> usize {
    let of_one = |one: &InverterHealth| {
        let names = [&one.name, &one.array].into_iter().flatten();
        HELD_OF_ONE + names.map(String::len).sum::<usize>()
    };
    HELD_OF_ONE + health.inverters.values().map(of_one).sum::<usize>()
}

/// Stores what was heard, for as long as the receiver runs.
pub(crate) async fn keep<S: MarkedStore>(store: Arc<S>, healths: Healths, longest_pause: Duration) {
    let mut refused = Outage::new(
        "the store does not take how the inverters do; that is tried again, and readings are stored \
         all the same",
    );
    loop {
        healths.0.news.notified().await;
        let mut pauses = pauses(longest_pause);
        loop {
            let mut asked = Duration::ZERO;
            let waiting = healths.waiting();
            if waiting.is_empty() {
                break;
            }
            let mut has_failed = false;
            for (whole, new) in waiting {
                match store.keep_health(&new).await {
                    Ok(()) => {
                        let inverters = new.inverters.len();
                        tracing::debug!(envoy = %whole.envoy, inverters, "stored how they do");
                        healths.stored(whole);
                    }
                    Err(error) => {
                        has_failed = true;
                        asked = asked.max(asked_for(&error));
                        say(&mut refused, &error);
                    }
                }
            }
            if has_failed {
                sleep(pauses.next().unwrap_or(longest_pause).max(asked)).await;
            } else {
                refused.over();
            }
        }
    }
}

/// How long the store asks to be left alone.
fn asked_for(error: &HealthError) -> Duration {
    match error {
        HealthError::Store(WriteError::Unavailable {
            retry_after: Some(asked),
            ..
        }) => *asked,
        _ => Duration::ZERO,
    }
}

/// What keeps readings away as well is said where those are written.
fn say(refused: &mut Outage, error: &HealthError) {
    match error {
        HealthError::Refused(_) => refused.failed(&with_causes(error), true),
        HealthError::Store(error) => {
            tracing::debug!(
                error = with_causes(error),
                "how the inverters do is not stored"
            );
        }
    }
}

#[cfg(test)]
mod tests;
