//! Connections: accepting them, TLS, HTTP, and their end.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::envoy::Envoy;
use crate::ledger::Ledger;

mod handover;
mod listener;

use handover::{Handover, HandoverIo, Outgoing};
pub(crate) use listener::listen;

/// Connections at a time; a gateway has few to give, and its clients need one.
const CONNECTIONS: usize = 64;
/// What a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may wait for the next request, as openresty does by default.
const IDLE: Duration = Duration::from_secs(75);
/// What an answer under way may take when the simulator stops.
const GRACE: Duration = Duration::from_secs(1);

/// Everything that a connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) envoy: Arc<Envoy>,
    /// None below firmware 7.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) ledger: Option<Arc<Ledger>>,
}

impl Server {
    /// Serves until `stop` says so (or its sender is gone), then lets answers under way finish.
    pub(crate) async fn run(self, listener: TcpListener, stop: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stopped(stop.clone()) => break,
                accepted = accept(&listener, &room) => accepted,
            };
            while connections.try_join_next().is_some() {}
            let (stream, permit) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: some come back as connections end.
                    tracing::warn!(%error, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (server, stop) = (self.clone(), stop.clone());
            connections.spawn(async move {
                server.connection(stream, stop).await;
                drop(permit);
            });
        }
        drop(listener);
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_err() {
            connections.shutdown().await;
        }
    }

    async fn connection(self, stream: TcpStream, stop: watch::Receiver<bool>) {
        let Some(tls) = self.tls.clone() else {
            return self.serve(stream, stop).await;
        };
        match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    async fn serve<S>(self, stream: S, stop: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let handover = Handover::new(self.ledger);
        let io = TokioIo::new(HandoverIo::new(stream, handover.clone()));
        let envoy = self.envoy;
        let service = service_fn(move |request: Request<Incoming>| {
            let (envoy, handover) = (envoy.clone(), handover.clone());
            async move { Ok::<_, std::convert::Infallible>(respond(&envoy, &request, &handover)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .auto_date_header(false)
            .title_case_headers(true)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }
}

/// Returns once the simulator is to stop, or was dropped.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room
        .clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

/// One request, one answer.
fn respond(
    envoy: &Envoy,
    request: &Request<Incoming>,
    handover: &Arc<Handover>,
) -> Response<Outgoing> {
    let answer = envoy.respond(request.method(), request.uri(), request.headers());
    tracing::debug!(
        method = %request.method(),
        path = request.uri().path(),
        status = answer.status.as_u16(),
        "answered"
    );
    let version = answer.version();
    let mut response = Response::new(Outgoing::new(
        answer.body,
        answer.framing,
        answer.shows,
        handover,
    ));
    *response.status_mut() = answer.status;
    *response.version_mut() = version;
    *response.headers_mut() = answer.headers;
    response
}
