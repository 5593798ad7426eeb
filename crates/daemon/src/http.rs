//! An HTTP server whose connections are bounded in number, size and time: whoever reaches it can ask, but not
//! hold anything up.
//!
//! When all places are taken, the connection goes that has waited longest for a request: one that was opened
//! and says nothing, or one that is kept for a next request. Only where each has a request under way is a
//! new one turned away. So no number of silent clients delays one that asks.

mod busy;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet, yield_now};
use tokio::time::{sleep, timeout};

use busy::Busy;

/// Lines in the head of a request.
const HEAD_LINES: usize = 64;

/// After this long it is tried again to take connections, where the system has none to give.
const AGAIN: Duration = Duration::from_secs(1);

/// What a server grants its clients.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at a time.
    pub connections: usize,
    /// How long a client may take for the head of its request, and a connection may lie idle.
    pub head: Duration,
    /// How long a connection may last in all.
    pub whole: Duration,
    /// The head of a request, in bytes; hyper takes no less than 8 KiB.
    pub head_bytes: usize,
    /// Whether a connection may be for more than one request.
    pub keep_alive: bool,
}

/// Serves until it is dropped, and all connections with it. Each request knows the address that it comes from, as
/// [`ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds) {
    let mut places = Places::default();
    loop {
        let (stream, client) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // A client that has gone, or no file descriptor that is free.
                tracing::debug!(%error, "a connection could not be taken");
                sleep(AGAIN).await;
                continue;
            }
        };
        if !places.has_room(bounds.connections) {
            tracing::debug!("each connection has a request under way: a further one is closed");
            continue;
        }
        places.take((stream, client), &router, bounds);
        // In a crowd of silent ones: who asks is heard before it is the oldest.
        yield_now().await;
    }
}

/// The connections, in the order in which they came.
#[derive(Default)]
struct Places {
    talks: JoinSet<()>,
    taken: VecDeque<Place>,
}

struct Place {
    busy: Busy,
    talk: AbortHandle,
}

impl Places {
    /// Whether one more fits in, after one that says nothing was closed if need be.
    fn has_room(&mut self, most: usize) -> bool {
        while self.talks.try_join_next().is_some() {}
        self.taken.retain(|place| !place.talk.is_finished());
        if self.taken.len() < most {
            return true;
        }
        let silent = self.taken.iter().enumerate();
        let silent = silent.filter_map(|(at, place)| Some((place.busy.idle_since()?, at)));
        let Some((_, longest)) = silent.min() else {
            return false;
        };
        if let Some(place) = self.taken.remove(longest) {
            place.talk.abort();
        }
        true
    }

    fn take(&mut self, client: (TcpStream, SocketAddr), router: &Router, bounds: Bounds) {
        let busy = Busy::default();
        let talk = talk(client, router.clone(), bounds, busy.clone());
        let talk = self.talks.spawn(async move {
            let _ = timeout(bounds.whole, talk).await;
        });
        self.taken.push_back(Place { busy, talk });
    }
}

async fn talk(
    (stream, client): (TcpStream, SocketAddr),
    router: Router,
    bounds: Bounds,
    busy: Busy,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(client));
        let (work, answer) = (busy.work(), hyper::service::Service::call(&router, request));
        async move {
            answer
                .await
                .map(|answer| answer.map(|body| work.until_sent(body)))
        }
    });
    let talked = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(bounds.head_bytes)
        .max_headers(HEAD_LINES)
        .keep_alive(bounds.keep_alive)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = talked {
        tracing::trace!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests;
