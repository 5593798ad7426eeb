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

/// How often it is said that readings are older than the bucket keeps them: an Envoy whose clock is
/// wrong has some at each poll.
const RETENTION_SAID_EVERY: Duration = Duration::from_hours(24);

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
    /// Readings that the bucket does not keep, since that was said last, and when it was.
    outside_retention: (usize, Option<Instant>),
}

impl<S: Store> Writer<S> {
    pub(crate) fn new(store: S, longest_pause: Duration) -> Self {
        Self {
            store: Arc::new(store),
            pauses: pauses(longest_pause),
            longest_pause,
            outage: Outage::new("the store takes no readings; they are kept"),
            outside_retention: (0, None),
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

    /// Judges what the store answered; `behind` messages wait behind this batch.
    pub(crate) fn end<A>(&mut self, attempt: Attempt<A>, behind: usize) -> Outcome<A> {
        if attempt.batch.readings().next().is_none() {
            // Nothing was written, so nothing is known of the store.
            return Outcome::Settled(attempt.batch);
        }
        match attempt.answer {
            Ok(written) => {
                self.say_that_it_is_over(attempt.batch.readings().count() + behind);
                self.pauses = pauses(self.longest_pause);
                say_what_is_given_up(&attempt.batch, &written);
                self.note_outside_retention(written.outside_retention);
                Outcome::Settled(attempt.batch)
            }
            Err(error) => {
                let needs_a_person = !matches!(error, WriteError::Unavailable { .. });
                self.outage.failed(&with_causes(&error), needs_a_person);
                Outcome::Again(attempt.batch, Instant::now() + self.pause(&error))
            }
        }
    }

    fn say_that_it_is_over(&mut self, waited: usize) {
        if let Some(ended) = self.outage.over() {
            let (outage_s, failed_writes) = (ended.seconds(), ended.failures);
            tracing::info!(
                outage_s,
                failed_writes,
                waited,
                "the store takes readings again"
            );
        }
    }

    fn note_outside_retention(&mut self, more: usize) {
        let (readings, said) = &mut self.outside_retention;
        *readings += more;
        let now = Instant::now();
        if *readings > 0 && said.is_none_or(|said| now - said >= RETENTION_SAID_EVERY) {
            tracing::info!(readings, "older than the bucket keeps readings");
            (*readings, *said) = (0, Some(now));
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
    tracing::debug!(readings = batch.readings().count(), "stored");
}
