//! Says when the Envoy stops answering and when it answers again: two lines, whatever the length.

use std::time::Instant;

use crate::explain::{explain, needs_a_person};

/// An outage of the Envoy, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    since: Instant,
    attempts: u32,
    /// What the last line said, so that another reason is said, too.
    reason: String,
}

impl Outage {
    /// None yet.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A poll failed: logged when it is the first one, or when the reason is another.
    pub(crate) fn failed(&mut self, error: &envoy::Error) {
        let reason = explain(error);
        let current = self.current.get_or_insert_with(|| Current {
            since: Instant::now(),
            attempts: 0,
            reason: String::new(),
        });
        current.attempts += 1;
        if current.reason == reason {
            tracing::debug!(%reason, "the Envoy's readings can't be had");
            return;
        }
        if needs_a_person(error) {
            tracing::error!(%reason, "the Envoy's readings can't be had");
        } else {
            tracing::warn!(%reason, "the Envoy's readings can't be had");
        }
        current.reason = reason;
    }

    /// A poll succeeded.
    pub(crate) fn over(&mut self) {
        if let Some(outage) = self.current.take() {
            tracing::info!(
                seconds = outage.since.elapsed().as_secs(),
                failed_polls = outage.attempts,
                "the Envoy's readings are there again"
            );
        }
    }
}
