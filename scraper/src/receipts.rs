//! What is on its way to the broker and not acknowledged yet.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use mqtt::{Gone, Receipt};

use crate::delivery::Ticket;

/// The receipts of one connection, each of which knows what it is for.
#[derive(Debug, Default)]
pub(crate) struct Receipts(FuturesUnordered<BoxFuture<'static, (Ticket, Result<(), Gone>)>>);

impl Receipts {
    /// Waits for one more.
    pub(crate) fn push(&mut self, ticket: Ticket, receipt: Receipt) {
        self.0
            .push(Box::pin(async move { (ticket, receipt.await) }));
    }

    /// The next that is done, in whatever order; `None` when there are none. Cancelling loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> Option<(Ticket, Result<(), Gone>)> {
        self.0.next().await
    }

    /// Gives them up.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
