//! Writes batches to the store, one at a time, and says when it can't.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use store::{Store, WriteError, Written};
use tokio::time::Instant;
use wire::Reading;

use crate::gathering::Entry;

/// The first pause after a failed write.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A write under way.
pub(crate) type Writing<A> = Pin<Box<dyn Future<Output = Attempt<A>> + Send>>;

/// A batch and what the store answered.
pub(crate) struct Attempt<A> {
    batch: Vec<Entry<A>>,
    answer: Result<Written, WriteError>,
}

/// What is to be done with a batch.
#[derive(Debug)]
pub(crate) enum Outcome<A> {
    /// Each of its readings is stored or known to be unstorable: it may be acknowledged.
    Settled(Vec<Entry<A>>),
    /// Nothing is known of it: it must be written again, not before this time.
    Again(Vec<Entry<A>>, Instant),
}

/// Writes batches to a store.
pub(crate) struct Writer<S> {
    store: Arc<S>,
    longest_pause: Duration,
    outage: Option<Outage>,
}

/// A time in which the store takes nothing.
struct Outage {
    since: Instant,
    pauses: ExponentialBackoff,
    reason: String,
}

impl<S: Store> Writer<S> {
    pub(crate) fn new(store: S, longest_pause: Duration) -> Self {
        Self {
            store: Arc::new(store),
            longest_pause,
            outage: None,
        }
    }

    /// Begins to write a batch.
    pub(crate) fn begin<A: Send + 'static>(&self, batch: Vec<Entry<A>>) -> Writing<A> {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            let readings: Vec<Reading> = batch
                .iter()
                .filter_map(|entry| entry.reading.clone())
                .collect();
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
                self.over();
                say_what_is_given_up(&attempt.batch, &written);
                Outcome::Settled(attempt.batch)
            }
            Err(error) => {
                let pause = self.failed(&error);
                Outcome::Again(attempt.batch, Instant::now() + pause)
            }
        }
    }

    fn over(&mut self) {
        if let Some(outage) = self.outage.take() {
            tracing::info!(
                seconds = outage.since.elapsed().as_secs(),
                "the store takes readings again"
            );
        }
    }

    fn failed(&mut self, error: &WriteError) -> Duration {
        let longest = self.longest_pause;
        let outage = self.outage.get_or_insert_with(|| Outage {
            since: Instant::now(),
            pauses: ExponentialBuilder::default()
                .with_min_delay(FIRST_PAUSE.min(longest))
                .with_max_delay(longest)
                .with_jitter()
                .without_max_times()
                .build(),
            reason: String::new(),
        });
        outage.say(error);
        let own = outage.pauses.next().unwrap_or(longest);
        match error {
            WriteError::Unavailable {
                retry_after: Some(asked),
                ..
            } => own.max(*asked),
            _ => own,
        }
    }
}

impl Outage {
    /// Said when it begins, and when its reason is another one.
    fn say(&mut self, error: &WriteError) {
        let reason = daemon::exit::with_causes(error);
        if self.reason == reason {
            tracing::debug!(%reason, "the store takes no readings; they are kept");
            return;
        }
        match error {
            WriteError::Unavailable { .. } => {
                tracing::warn!(%reason, "the store takes no readings; they are kept");
            }
            WriteError::Configuration { .. } | WriteError::Unproven { .. } => {
                tracing::error!(%reason, "the store takes no readings; they are kept");
            }
        }
        self.reason = reason;
    }
}

fn say_what_is_given_up<A>(batch: &[Entry<A>], written: &Written) {
    let readings: Vec<&Reading> = batch.iter().filter_map(|e| e.reading.as_ref()).collect();
    for unstorable in &written.unstorable {
        tracing::error!(
            reading = readings
                .get(unstorable.index)
                .map(|reading| reading.encode()),
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
    tracing::debug!(readings = readings.len(), "stored");
}
