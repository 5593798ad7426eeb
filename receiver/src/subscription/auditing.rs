//! What the store lacks is asked for; and all of it, where a note says so.
//!
//! Requests go out beside the loop: a broker has room for so many at a time that it has not acknowledged, and its
//! acknowledgements can stand behind messages that only the loop makes room for.

use std::pin::Pin;

use mqtt::Message;
use store::{MarkedStore, Marks};
use tokio::time::Instant;
use wire::{Announcement, ReplayRequest, Serial, Topic};

use super::Subscription;

/// Requests that are on their way to the broker.
pub(super) type Asking = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<S: MarkedStore> Subscription<S> {
    pub(super) fn take_announcement(&mut self, envoy: &Serial, announcement: &Announcement) {
        let (marks, now) = (&mut self.marks, Instant::now());
        let found = self.audit.announced(envoy, announcement, marks, now);
        self.findings.say(found, &self.metrics, now);
    }

    /// Begins to ask the scrapers. Without a connection, or where the broker does not let us publish, it waits; also
    /// while what was asked before is on its way.
    pub(super) fn ask_for_what_is_missing(&mut self) {
        #[cfg(feature = "sabotage")]
        if daemon::sabotage::is(daemon::sabotage::Sabotage::NoAudit) {
            return;
        }
        let may_ask = self.proof.is_given() && self.asking.is_none();
        let Some(connection) = self.connection.clone().filter(|_| may_ask) else {
            return;
        };
        let now = Instant::now();
        let (requests, found) = self.audit.requests(&self.marks, now);
        self.findings.say(found, &self.metrics, now);
        if requests.is_empty() {
            return;
        }
        let requests = requests.into_iter();
        let messages: Vec<_> = requests
            .map(|(envoy, request)| self.message(envoy, &request))
            .collect();
        self.asking = Some(Box::pin(async move {
            for message in messages {
                // A connection that has ended is reported as an event of its own, and what does not come
                // is asked for again.
                let _ = connection.publish(message).await;
            }
        }));
    }

    fn message(&self, envoy: Serial, request: &ReplayRequest) -> Message {
        tracing::debug!(%envoy, request = request.encode(), "asking for readings");
        let topic = Topic::Replay {
            receiver: self.name.clone(),
            envoy,
        };
        Message {
            topic: topic.render(&self.base),
            payload: request.encode().into(),
            retain: false,
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

/// Completes once they have gone out; never without any.
pub(super) async fn asked(asking: &mut Option<Asking>) {
    match asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
}
