//! What is on its way to the broker and not acknowledged yet.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use mqtt::{Gone, Receipt};

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The reading of this number.
    Reading(u64),
    /// The announcement that is out.
    Announcement,
}

/// The receipts of one connection, each of which knows what it is for.
#[derive(Debug, Default)]
pub(crate) struct Receipts(FuturesUnordered<BoxFuture<'static, (Sent, Result<(), Gone>)>>);

impl Receipts {
    /// Waits for one more.
    pub(crate) fn push(&mut self, sent: Sent, receipt: Receipt) {
        self.0.push(Box::pin(async move { (sent, receipt.await) }));
    }

    /// The next that is done, in whatever order; `None` when there are none. Cancelling loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> Option<(Sent, Result<(), Gone>)> {
        self.0.next().await
    }

    /// Whether everything was acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Gives them up.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
