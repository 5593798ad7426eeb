//! What a poll brings is journalled, judged and counted.

use envoy::Gateway;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use wire::{Measured, Reading};

use super::{Polled, Poller};

impl Poller {
    /// Journals what is new, before anybody is told of it.
    pub(super) async fn take(&mut self, mut answer: envoy::Poll) -> Polled {
        self.devices.admit(&mut answer);
        let now = self.gateway().and_then(Gateway::time);
        // First: what the site does is of those that are not silent.
        let set_back = self.watch.poll(&answer.inverters, now);
        self.changes.silent(self.watch.condition().silent());
        let judged = self.changes.take(&answer, now);
        self.note_unusable(&judged.refused);
        self.metrics
            .values_refused
            .inc_by(judged.refused.len() as u64);
        self.overwritten.note(judged.inverters(), Instant::now());
        let changed = judged.new.len();
        let readings = self.journal(judged.new).await;
        self.show(&readings, &answer);
        tracing::debug!(
            listed = answer.inverters.reports.len(),
            changed,
            never_reported = answer.inverters.never_reported,
            "polled"
        );
        Polled {
            readings,
            gateway: self.gateway_state(None),
            health: self.watch.health(),
            unread: self.changes.unread(now),
            behind: self.changes.behind(now),
            now,
            set_back,
        }
    }

    /// What a successful poll changes in the metrics.
    fn show(&self, new: &[Reading], answer: &envoy::Poll) {
        self.metrics.asked_in_vain(&answer.notes);
        self.metrics
            .readings(&self.envoy, new, self.gateway().and_then(Gateway::time));
    }

    /// Appends to the journal, which waits for the disk.
    pub(super) async fn journal(&self, new: Vec<Measured>) -> Vec<Reading> {
        let journals = self.journals.clone();
        let readings = spawn_blocking(move || journals.append(new)).await;
        self.metrics.journals(&self.journals);
        readings.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending.
            Err(_) => Vec::new(),
        })
    }

    /// Keeps what was learned for the next start.
    pub(super) async fn remember(&mut self) {
        let (condition, changes) = (self.watch.condition(), self.changes.remembered());
        let answered = self.reach.answered();
        self.memory.keep(condition, changes, answered).await;
    }

    fn note_unusable(&mut self, refused: &[String]) {
        if let Some(first) = refused.first() {
            let reason = format!("{} of them, the first: {first}", refused.len());
            self.unusable.failed(&reason, false);
        } else if let Some(ended) = self.unusable.over() {
            let (outage_s, polls) = (ended.seconds(), ended.failures);
            tracing::info!(
                outage_s,
                polls,
                "all rows of the Envoy's list can be used again"
            );
        }
    }
}
