//! From "the body was taken" to "it left the process": when a report counts as shown.
//!
//! ```text
//!  Outgoing (body) ──last frame taken by hyper──► Handover.taken ──connection flushed──► Client
//! ```
//!
//! hyper flushes its connection only after its own buffer, which then holds the end of the body, is
//! empty. So the first successful flush after the last frame was taken means that every byte of the
//! answer has left the process. An answer of which anything remains never gets there.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::UnderWay;
use super::client::Client;
use crate::answer::{Framing, ShownReport};

#[cfg(test)]
mod tests;

/// Bytes per frame: an answer goes out piece by piece.
const FRAME: usize = 8 * 1024;

/// What one connection has taken and not yet flushed.
pub(super) struct Handover {
    client: Client,
    taken: Mutex<Vec<Arc<[ShownReport]>>>,
}

impl Handover {
    pub(super) fn new(client: Client) -> Arc<Self> {
        Arc::new(Self {
            client,
            taken: Mutex::default(),
        })
    }

    fn take(&self, reports: Arc<[ShownReport]>) {
        if !reports.is_empty() {
            self.taken
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reports);
        }
    }

    fn flushed(&self) {
        let taken = mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        // A few hundred bytes into the system's cache: not worth a thread of its own.
        for reports in taken {
            self.client.has(&reports);
        }
    }
}

/// The body of an answer; with its last frame its reports are taken.
pub(super) struct Outgoing {
    rest: Bytes,
    framing: Framing,
    shows: Arc<[ShownReport]>,
    handover: Arc<Handover>,
    /// Ends with it.
    _request: Option<UnderWay>,
}

impl Outgoing {
    pub(super) fn new(
        body: Bytes,
        framing: Framing,
        shows: Arc<[ShownReport]>,
        handover: &Arc<Handover>,
        request: Option<UnderWay>,
    ) -> Self {
        Self {
            rest: body,
            framing,
            shows,
            handover: handover.clone(),
            _request: request,
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(FRAME);
        let frame = self.rest.split_to(length);
        if self.rest.is_empty() {
            let shows = mem::take(&mut self.shows);
            self.handover.take(shows);
        }
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    /// Without a known length hyper marks the end by chunks, or by the end of the connection.
    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Length => SizeHint::with_exact(self.rest.len() as u64),
            Framing::Chunked | Framing::EndOfConnection => SizeHint::default(),
        }
    }
}

/// A connection that tells when it was flushed.
pub(super) struct HandoverIo<S> {
    stream: S,
    handover: Arc<Handover>,
}

impl<S> HandoverIo<S> {
    pub(super) fn new(stream: S, handover: Arc<Handover>) -> Self {
        Self { stream, handover }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HandoverIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HandoverIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.handover.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
