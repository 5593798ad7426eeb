//! Whether a connection has a request under way.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// Since when a connection waits for a request; not while it has one.
#[derive(Debug, Clone)]
pub(super) struct Busy(Arc<Mutex<Option<Instant>>>);

impl Default for Busy {
    /// A connection that was opened now.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(Instant::now()))))
    }
}

impl Busy {
    /// Since when there is no request under way.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head of a request has come.
    pub(super) fn work(&self) -> Work {
        self.set(None);
        Work(self.clone())
    }

    fn set(&self, idle_since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = idle_since;
    }
}

/// A request under way, until this is dropped.
pub(super) struct Work(Busy);

impl Work {
    /// An answer with this body is given. The request is under way until the last of it is handed over.
    pub(super) fn until_sent<B>(self, body: B) -> Answered<B> {
        Answered { body, _work: self }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.set(Some(Instant::now()));
    }
}

/// The body of an answer.
pub(super) struct Answered<B> {
    body: B,
    _work: Work,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
