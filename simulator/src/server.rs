//! Connections: accepting them, TLS, HTTP, and their end; and the faults of ports and connections.

use std::convert::Infallible;
use std::future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::envoy::Envoy;
use crate::faults::{Fault, Faults};

mod client;
mod deviation;
mod handover;
mod listener;

use client::Client;
pub(crate) use client::Record;
use deviation::{Deviation, Stream};
use handover::{Handover, HandoverIo, Outgoing};
pub(crate) use listener::listen;

/// Connections at a time; a gateway has few to give, and its clients need one.
const CONNECTIONS: usize = 64;
/// What a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may wait for the next request, as openresty does by default.
const IDLE: Duration = Duration::from_secs(75);
/// Between two attempts at what the system refuses.
const PAUSE: Duration = Duration::from_millis(100);
/// What an answer under way may take when the simulator stops.
const GRACE: Duration = Duration::from_secs(1);

/// Everything that a connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) envoy: Arc<Envoy>,
    /// None below firmware 7.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) record: Record,
    pub(crate) faults: Arc<Faults>,
}

impl Server {
    /// Serves at `address` until `stop` says so (or its sender is gone), then lets answers under way
    /// finish.
    pub(crate) async fn run(
        self,
        mut listener: TcpListener,
        address: SocketAddr,
        stop: watch::Receiver<bool>,
    ) {
        let mut connections = JoinSet::new();
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stopped(stop.clone()) => break,
                () = self.faults.until(Fault::Refuse, true) => {
                    drop(listener);
                    connections.shutdown().await;
                    match self.refuse(address, stop.clone()).await {
                        Some(opened) => listener = opened,
                        None => return,
                    }
                    continue;
                }
                accepted = accept(&listener, &room) => accepted,
            };
            while connections.try_join_next().is_some() {}
            let (stream, address, permit) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: some come back as connections end.
                    tracing::warn!(%error, "can't accept a connection");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let (server, stop) = (self.clone(), stop.clone());
            connections.spawn(async move {
                server.connection(stream, address, stop).await;
                drop(permit);
            });
        }
        drop(listener);
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_err() {
            connections.shutdown().await;
        }
    }

    /// Keeps the port, but closed, while connections are to be refused; then opens it again. None
    /// when the simulator was stopped meanwhile.
    async fn refuse(
        &self,
        address: SocketAddr,
        stop: watch::Receiver<bool>,
    ) -> Option<TcpListener> {
        let refused = async {
            loop {
                match self.refuse_once(address).await {
                    Ok(listener) => return listener,
                    // Somebody else took it in the moment in which it was nobody's.
                    Err(error) => tracing::warn!(%error, %address, "can't have the port again"),
                }
                sleep(PAUSE).await;
            }
        };
        tokio::select! {
            () = stopped(stop) => None,
            listener = refused => Some(listener),
        }
    }

    async fn refuse_once(&self, address: SocketAddr) -> std::io::Result<TcpListener> {
        let closed = listener::bind(address)?;
        self.faults.until(Fault::Refuse, false).await;
        listener::open(closed)
    }

    async fn connection(self, stream: TcpStream, client: IpAddr, stop: watch::Receiver<bool>) {
        let client = Client::new(client, self.record.clone());
        let Some(tls) = self.tls.clone() else {
            return self.serve(stream, client, stop).await;
        };
        match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, client, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    async fn serve<S: Stream>(self, stream: S, client: Client, stop: watch::Receiver<bool>) {
        let handover = Handover::new(client.clone());
        let io = TokioIo::new(HandoverIo::new(stream, handover.clone()));
        // Room for one: the request that deviates is the connection's last.
        let (deviate, mut deviations) = mpsc::channel(1);
        let (server, used) = (self.clone(), Arc::new(AtomicBool::new(false)));
        let service = service_fn(move |request: Request<Incoming>| {
            let (server, handover, deviate) = (server.clone(), handover.clone(), deviate.clone());
            let first = !used.swap(true, Ordering::Relaxed);
            async move {
                match server.respond(&request, first, &handover).await {
                    Ok(response) => Ok::<_, Infallible>(response),
                    Err(deviation) => {
                        // Both only fail for a connection that is at its end already.
                        let _ = deviate.try_send(deviation);
                        future::pending().await
                    }
                }
            }
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .auto_date_header(false)
            .title_case_headers(true)
            .serve_connection(io, service);
        let deviation = tokio::select! {
            ended = &mut connection => return log_end(ended),
            deviation = deviations.recv() => deviation,
            () = stopped(stop.clone()) => {
                Pin::new(&mut connection).graceful_shutdown();
                return log_end(connection.await);
            }
        };
        let stream = connection.into_parts().io.into_inner().into_inner();
        let Some(deviation) = deviation else { return };
        tokio::select! {
            ended = deviation.perform(stream, client) => log_end(ended),
            () = stopped(stop) => {}
        }
    }

    /// One request, one answer, or what happens instead; `first` is whether it is the first one of
    /// its connection.
    async fn respond(
        &self,
        request: &Request<Incoming>,
        first: bool,
        handover: &Arc<Handover>,
    ) -> Result<Response<Outgoing>, Deviation> {
        if self.faults.strikes(Fault::Hang) {
            tracing::debug!(path = request.uri().path(), "hangs");
            return future::pending().await;
        }
        if !first && self.faults.strikes(Fault::ResetSecond) {
            tracing::debug!(path = request.uri().path(), "reset");
            return Err(Deviation::Reset);
        }
        let answer = self
            .envoy
            .respond(request.method(), request.uri(), request.headers());
        tracing::debug!(
            method = %request.method(),
            path = request.uri().path(),
            status = answer.status.as_u16(),
            "answered"
        );
        let answer = Deviation::of(&self.faults, request.method(), answer)?;
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
        Ok(response)
    }
}

fn log_end<E: std::error::Error>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(error = %error, "connection ended");
    }
}

/// Returns once the simulator is to stop, or was dropped.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room
        .clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, address.ip(), permit))
}
