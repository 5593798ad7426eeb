//! Writes a batch until the store has accepted it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use store::{Store, WriteError};
use wire::Reading;

use crate::gathering::Entry;

/// The first pause after a failed write.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Writes batches to a store, one at a time.
pub(crate) struct Writer<S> {
    store: Arc<S>,
    longest_pause: Duration,
}

impl<S> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            longest_pause: self.longest_pause,
        }
    }
}

impl<S: Store> Writer<S> {
    pub(crate) fn new(store: S, longest_pause: Duration) -> Self {
        Self {
            store: Arc::new(store),
            longest_pause,
        }
    }

    /// Gives the batch back once each of its readings is stored or known to be unstorable: only
    /// then may it be acknowledged. Tries for as long as it takes.
    pub(crate) async fn write<A>(self, batch: Vec<Entry<A>>) -> Vec<Entry<A>> {
        let readings: Vec<Reading> = batch
            .iter()
            .filter_map(|entry| entry.reading.clone())
            .collect();
        if readings.is_empty() {
            return batch;
        }
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(self.longest_pause)
            .with_jitter()
            .without_max_times()
            .build();
        let mut outage = Outage::default();
        loop {
            match self.store.write(&readings).await {
                Ok(written) => {
                    outage.over(readings.len());
                    for unstorable in &written.unstorable {
                        tracing::error!(
                            reading = readings.get(unstorable.index).map(Reading::encode),
                            reason = unstorable.reason,
                            "the store will never take this reading; it is given up"
                        );
                    }
                    tracing::debug!(readings = readings.len(), "stored");
                    return batch;
                }
                Err(error) => {
                    outage.failed(&error);
                    let own = pauses.next().unwrap_or(self.longest_pause);
                    let pause = error.retry_after().map_or(own, |asked| asked.max(own));
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// Says when the store stops taking readings and when it takes them again.
#[derive(Default)]
struct Outage {
    since: Option<Instant>,
    reason: String,
}

impl Outage {
    fn failed(&mut self, error: &WriteError) {
        self.since.get_or_insert_with(Instant::now);
        let reason = daemon::exit::with_causes(error);
        if self.reason == reason {
            tracing::debug!(%reason, "the store takes no readings; they are kept");
            return;
        }
        if error.needs_a_person() {
            tracing::error!(%reason, "the store takes no readings; they are kept");
        } else {
            tracing::warn!(%reason, "the store takes no readings; they are kept");
        }
        self.reason = reason;
    }

    fn over(self, readings: usize) {
        if let Some(since) = self.since {
            tracing::info!(
                seconds = since.elapsed().as_secs(),
                readings,
                "the store takes readings again"
            );
        }
    }
}
