//! The HTTP server of the board. Whoever reaches it can ask, but not hold anything up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{Board, Listen};

/// Connections at a time; a probe and a Prometheus or two need one each. Further ones wait in the
/// system's queue.
const CONNECTIONS: usize = 32;

/// How long a client may take for the head of its request.
const HEAD: Duration = Duration::from_secs(3);

/// How long a connection may last in all. Each is for one request.
const WHOLE: Duration = Duration::from_secs(10);

/// The head of a request, in bytes (hyper takes no less) and in lines.
const HEAD_BYTES: usize = 8 * 1024;
const HEAD_LINES: usize = 64;

/// After this long it is tried again to take connections, where the system has none to give.
const AGAIN: Duration = Duration::from_secs(1);

/// Prometheus, and all that reads its formats, knows this one.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// It can't be listened there.
#[derive(Debug, thiserror::Error)]
#[error(
    "health and metrics can't be served at {address}: choose another address or port, or stop what \
     has it (setting: LISTEN)"
)]
pub struct ListenError {
    address: Listen,
    source: io::Error,
}

/// The server, until it is dropped.
#[derive(Debug)]
pub struct Serving {
    _task: AbortOnDropHandle<()>,
}

/// Listens, and serves the board.
pub(super) async fn start(listen: &Listen, board: Board) -> Result<Serving, ListenError> {
    let (listener, address) = listening(listen).await?;
    tracing::info!(%address, "serving /healthz, /readyz and /metrics");
    Ok(serving(listener, board))
}

/// A socket that listens, and where.
pub(super) async fn listening(listen: &Listen) -> Result<(TcpListener, SocketAddr), ListenError> {
    let failed = |source| ListenError {
        address: listen.clone(),
        source,
    };
    let listener = TcpListener::bind(listen.place()).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves the board.
pub(super) fn serving(listener: TcpListener, board: Board) -> Serving {
    let task = tokio::spawn(serve(listener, router(board)));
    Serving {
        _task: AbortOnDropHandle::new(task),
    }
}

fn router(board: Board) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(nothing)
        .with_state(Arc::new(board))
}

async fn healthz(State(board): State<Arc<Board>>) -> Response {
    answer(board.illness())
}

async fn readyz(State(board): State<Arc<Board>>) -> Response {
    answer(board.waits_for())
}

async fn metrics(State(board): State<Arc<Board>>) -> Response {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], board.exposition()).into_response()
}

async fn nothing() -> Response {
    let text = "there is /healthz, /readyz and /metrics\n";
    (StatusCode::NOT_FOUND, text).into_response()
}

fn answer(wrong: Option<String>) -> Response {
    match wrong {
        None => "ok\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(timeout(WHOLE, talk(stream, router.clone())));
            }
            Err(error) => {
                // A client that has gone, or no file descriptor that is free.
                tracing::debug!(%error, "a request for health or metrics could not be taken");
                sleep(AGAIN).await;
            }
        }
    }
}

async fn talk(stream: TcpStream, router: Router) {
    let talked = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_LINES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = talked {
        tracing::trace!(%error, "a request for health or metrics broke off");
    }
}
