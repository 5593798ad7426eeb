//! Writes batches to the store, one at a time, and says when it can't.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use daemon::exit::with_causes;
use daemon::outage::Outage;
use store::{Store, WriteError, Written};
use tokio::time::Instant;
use wire::Reading;

use crate::gathering::Batch;

/// The first pause after a failed write, before jitter.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A write under way.
pub(crate) type Writing<A> = Pin<Box<dyn Future<Output = Attempt<A>> + Send>>;

/// A batch and what the store answered.
pub(crate) struct Attempt<A> {
    batch: Batch<A>,
    answer: Result<Written, WriteError>,
}

/// What is to be done with a batch.
#[derive(Debug)]
pub(crate) enum Outcome<A> {
    /// Each of its readings is stored or known to be unstorable: it may be acknowledged.
    Settled(Batch<A>),
    /// Nothing is known of it: it must be written again, not before this time.
    Again(Batch<A>, Instant),
}

/// Writes batches to a store.
pub(crate) struct Writer<S> {
    store: Arc<S>,
    longest_pause: Duration,
    pauses: ExponentialBackoff,
    outage: Outage,
}

impl<S: Store> Writer<S> {
    pub(crate) fn new(store: S, longest_pause: Duration) -> Self {
        Self {
            store: Arc::new(store),
            pauses: pauses(longest_pause),
            longest_pause,
            outage: Outage::new(
                "the store takes no readings; they are kept",
                "the store takes readings again",
            ),
        }
    }

    /// Begins to write a batch.
    pub(crate) fn begin<A: Send + 'static>(&self, batch: Batch<A>) -> Writing<A> {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            let readings: Vec<Reading> = batch.readings().cloned().collect();
            let answer = if readings.is_empty() {
                Ok(Written::default())
            } else {
                store.write(&readings).await
            };
            Attempt { batch, answer }
        })
    }

    /// Judges what the store answered.
    pub(crate) fn end<A>(&mut self, attempt: Attempt<A>) -> Outcome<A> {
        match attempt.answer {
            Ok(written) => {
                self.outage.over();
                self.pauses = pauses(self.longest_pause);
                say_what_is_given_up(&attempt.batch, &written);
                Outcome::Settled(attempt.batch)
            }
            Err(error) => {
                let needs_a_person = !matches!(error, WriteError::Unavailable { .. });
                self.outage.failed(&with_causes(&error), needs_a_person);
                Outcome::Again(attempt.batch, Instant::now() + self.pause(&error))
            }
        }
    }

    fn pause(&mut self, error: &WriteError) -> Duration {
        let own = self.pauses.next().unwrap_or(self.longest_pause);
        match error {
            WriteError::Unavailable {
                retry_after: Some(asked),
                ..
            } => own.max(*asked),
            _ => own,
        }
    }
}

/// Pauses that double up to `longest`, each with jitter, which adds up to as much again.
fn pauses(longest: Duration) -> ExponentialBackoff {
    let longest = longest / 2;
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE.min(longest))
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}

fn say_what_is_given_up<A>(batch: &Batch<A>, written: &Written) {
    for unstorable in &written.unstorable {
        tracing::error!(
            reading = batch.readings().nth(unstorable.index).map(Reading::encode),
            reason = unstorable.reason,
            "the store will never take this reading; it is given up"
        );
    }
    if written.outside_retention > 0 {
        tracing::info!(
            readings = written.outside_retention,
            "older than the bucket keeps readings"
        );
    }
    tracing::debug!(readings = batch.readings().count(), "stored");
}
