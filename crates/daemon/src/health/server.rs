//! What the board answers, and where.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::{Board, Listen};
use crate::http::{self, Bounds};

/// A probe and a Prometheus or two need one connection each, for one request each.
const BOUNDS: Bounds = Bounds {
    connections: 32,
    head: Duration::from_secs(3),
    whole: Duration::from_secs(10),
    head_bytes: 8 * 1024,
    keep_alive: false,
};

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
    let task = tokio::spawn(http::serve(listener, router(board), BOUNDS));
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
