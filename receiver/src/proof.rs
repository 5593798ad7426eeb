//! Whether the broker lets us publish.
//!
//! Mosquitto acknowledges what its ACL forbids, so only our own status coming back shows that it let
//! it through. It is published on each connection, and again now and then: rights can be taken away
//! in the middle of one.

use std::time::Duration;

use daemon::deadline::at;
use mqtt::Receipt;
use tokio::time::Instant;

/// How long the echo may take once the broker has acknowledged the status. Mosquitto sends both in
/// one go; counted from the acknowledgement, because a dead network is not a missing right.
const ECHO: Duration = Duration::from_secs(10);

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// Of the status whose echo is awaited.
    receipt: Option<Receipt>,
    /// Until when, once the broker has acknowledged it.
    deadline: Option<Instant>,
    /// Whether the last echo did not come.
    missing: bool,
    /// Whether one has come on this connection.
    given: bool,
}

impl Proof {
    /// Whether an echo is awaited. Until it came or was missed no other status is published: two look
    /// alike.
    pub(crate) fn is_awaited(&self) -> bool {
        self.receipt.is_some() || self.deadline.is_some()
    }

    /// Whether the broker lets us publish, as far as we know.
    pub(crate) fn is_given(&self) -> bool {
        self.given && !self.missing
    }

    /// Our status is on its way.
    pub(crate) fn published(&mut self, receipt: Receipt) {
        self.receipt = Some(receipt);
        self.deadline = None;
    }

    /// Nothing comes back any more on this connection.
    pub(crate) fn disconnected(&mut self) {
        self.given = false;
        self.no_longer_awaited();
    }

    /// Our status has come back. Whether it had been missing before.
    pub(crate) fn came_back(&mut self) -> bool {
        self.given = true;
        self.no_longer_awaited();
        std::mem::take(&mut self.missing)
    }

    /// Completes when the echo has been missed. Cancelling loses nothing.
    pub(crate) async fn missed(&mut self) {
        if let Some(receipt) = &mut self.receipt {
            let acknowledged = receipt.await.is_ok();
            self.receipt = None;
            self.deadline = acknowledged.then(|| Instant::now() + ECHO);
        }
        at(self.deadline).await;
    }

    /// No messages are taken at the moment, so the echo's time begins anew.
    pub(crate) fn not_heard(&mut self) {
        if let Some(deadline) = &mut self.deadline {
            *deadline = Instant::now() + ECHO;
        }
    }

    /// The echo has been missed.
    pub(crate) fn give_up(&mut self) {
        self.deadline = None;
        self.missing = true;
    }

    fn no_longer_awaited(&mut self) {
        self.receipt = None;
        self.deadline = None;
    }
}
