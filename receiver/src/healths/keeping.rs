//! Stores how the inverters do, beside the readings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use daemon::exit::with_causes;
use daemon::outage::Outage;
use store::{HealthError, MarkedStore, WriteError};
use tokio::time::sleep;
use wire::{Health, Serial};

use super::Healths;
use crate::gathering::BATCH;
use crate::writer::pauses;

/// Inverters of one write: as many as readings. One Envoy may have more.
const TOGETHER: usize = BATCH;

/// What is stored in one write.
struct Batch {
    /// The first of those that were asked for.
    envoys: usize,
    /// The states that are stored then.
    whole: Vec<Arc<Health>>,
    /// What of them is new, where anything is.
    new: Vec<Health>,
}

impl Healths {
    /// What goes together with the first of these Envoys into one write.
    fn batch(&self, envoys: &[Serial]) -> Batch {
        let (mut whole, mut new) = (Vec::new(), Vec::new());
        let (mut taken, mut inverters) = (0, 0);
        for envoy in envoys {
            if inverters >= TOGETHER {
                break;
            }
            taken += 1;
            let Some((all, changed)) = self.waiting_of(envoy) else {
                continue;
            };
            inverters += changed.inverters.len();
            whole.push(all);
            new.extend(Some(changed).filter(|changed| !changed.inverters.is_empty()));
        }
        Batch {
            envoys: taken,
            whole,
            new,
        }
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
        while let Err(asked) = keep_once(&*store, &healths, &mut refused).await {
            sleep(pauses.next().unwrap_or(longest_pause).max(asked)).await;
        }
        refused.over();
    }
}

/// Stores what waits. Where something of it was not stored, for how long the store wants to be left alone.
///
/// A store that takes nothing is asked once; one that refuses something is asked for each Envoy by itself, so that one
/// of them costs the others nothing.
async fn keep_once<S: MarkedStore>(
    store: &S,
    healths: &Healths,
    refused: &mut Outage,
) -> Result<(), Duration> {
    let mut outcome = Ok(());
    let mut next = VecDeque::from([healths.waiting()]);
    while let Some(mut envoys) = next.pop_front() {
        let batch = healths.batch(&envoys);
        let later = envoys.split_off(batch.envoys);
        match keep_batch(store, &batch).await {
            Ok(()) => batch.whole.iter().for_each(|whole| healths.stored(whole)),
            Err(HealthError::Refused(_)) if batch.whole.len() > 1 => {
                next.extend(envoys.into_iter().map(|envoy| vec![envoy]));
            }
            Err(error) => {
                say(refused, &error);
                outcome = Err(asked_for(&error));
                if matches!(error, HealthError::Store(_)) {
                    break;
                }
            }
        }
        if !later.is_empty() {
            next.push_front(later);
        }
    }
    outcome
}

async fn keep_batch<S: MarkedStore>(store: &S, batch: &Batch) -> Result<(), HealthError> {
    if !batch.new.is_empty() {
        store.keep_healths(&batch.new).await?;
        tracing::debug!(envoys = batch.new.len(), "stored how their inverters do");
    }
    Ok(())
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
