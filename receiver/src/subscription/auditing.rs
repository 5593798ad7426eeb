//! What the store lacks is asked for; and all of it, where a note says so.

use mqtt::Message;
use store::{MarkedStore, Marks};
use tokio::time::Instant;
use wire::{Announcement, Serial, Topic};

use super::Subscription;

impl<S: MarkedStore> Subscription<S> {
    pub(super) fn take_announcement(&mut self, envoy: &Serial, announcement: &Announcement) {
        let (marks, now) = (&mut self.marks, Instant::now());
        let found = self.audit.announced(envoy, announcement, marks, now);
        self.findings.say(found, &self.metrics, now);
    }

    /// Asks the scrapers. Without a connection, or where the broker does not let us publish, it waits.
    pub(super) async fn ask_for_what_is_missing(&mut self) {
        #[cfg(feature = "sabotage")]
        if daemon::sabotage::is(daemon::sabotage::Sabotage::NoAudit) {
            return;
        }
        let Some(connection) = self.connection.as_ref().filter(|_| self.proof.is_given()) else {
            return;
        };
        let now = Instant::now();
        let (requests, found) = self.audit.requests(&self.marks, now);
        self.findings.say(found, &self.metrics, now);
        for (envoy, request) in requests {
            tracing::debug!(%envoy, request = request.encode(), "asking for readings");
            let topic = Topic::Replay {
                receiver: self.name.clone(),
                envoy,
            };
            let message = Message {
                topic: topic.render(&self.base),
                payload: request.encode().into(),
                retain: false,
            };
            // A connection that has ended is reported as an event of its own, and what does not come
            // is asked for again.
            let _ = connection.publish(message).await;
        }
    }

    /// Takes up the note that asks for a refill, between two batches: with no marks the audit finds that
    /// everything is missing. The note goes when that is durable.
    pub(super) async fn refill_if_asked(&mut self) {
        if self.writing.is_some() || !self.note.is_there() {
            return;
        }
        let nothing = Marks::default();
        if self.writer.save(&nothing).await {
            self.marks = nothing;
            self.audit.start_over();
            self.census.begin_anew();
            self.healths.begin_anew();
            self.note.taken_up();
        }
    }
}
