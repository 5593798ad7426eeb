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
use store::{HealthError, MOST_ENVOYS, MarkedStore, WriteError};
use tokio::sync::Notify;
use tokio::time::sleep;
use wire::{Health, Serial};

use crate::writer::pauses;

/// What of each Envoy was heard and stored: shared by who hears it and who stores it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Healths(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    newest: Mutex<BTreeMap<Serial, Known>>,
    news: Notify,
}

/// What is known of one Envoy's inverters.
#[derive(Debug)]
struct Known {
    heard: Health,
    stored: Option<Health>,
}

impl Healths {
    /// Takes in what was heard: retained, it may be of any age. A state of before, and one that nobody has
    /// dated, is left alone.
    pub(crate) fn heard(&self, health: Health, retained: bool) {
        let Some(changed_at) = health.changed_at else {
            return;
        };
        let mut newest = self.newest();
        let has_room = newest.len() < MOST_ENVOYS;
        match newest.get_mut(&health.envoy) {
            Some(known) => {
                let before = known.heard.changed_at.unwrap_or(changed_at);
                if changed_at >= before || (!retained && changed_at.supersedes(before)) {
                    known.heard = health;
                }
            }
            None if has_room => {
                let envoy = health.envoy.clone();
                let known = Known {
                    heard: health,
                    stored: None,
                };
                newest.insert(envoy, known);
            }
            None => return,
        }
        drop(newest);
        self.0.news.notify_one();
    }

    /// What is not stored yet, Envoy by Envoy: the whole state, and what of it is new.
    fn waiting(&self) -> Vec<(Health, Health)> {
        let newest = self.newest();
        let waiting = newest.values().filter_map(|known| {
            let whole = known.heard.clone();
            let mut new = whole.clone();
            if let Some(stored) = &known.stored {
                new.inverters
                    .retain(|serial, one| stored.inverters.get(serial) != Some(one));
            }
            (!new.inverters.is_empty()).then_some((whole, new))
        });
        waiting.collect()
    }

    /// This state is stored.
    fn stored(&self, whole: Health) {
        if let Some(known) = self.newest().get_mut(&whole.envoy) {
            known.stored = Some(whole);
        }
    }

    fn newest(&self) -> MutexGuard<'_, BTreeMap<Serial, Known>> {
        // Nothing that holds this lock leaves anything half-done.
        self.0.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
