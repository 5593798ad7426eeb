//! One connection: TLS, HTTP, and what goes wrong with them.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::client::Client;
use super::deviation::{Deviation, Stream};
use super::door::Conduct;
use super::handover::{Handover, HandoverIo, Outgoing};
use super::{IDLE, Server, stopped};
use crate::board::Boot;
use crate::faults::{Endpoint, Fault};
use crate::resource::Resource;

/// What a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// With this byte a client begins TLS (the record type "handshake"), and nobody begins HTTP.
const TLS: u8 = 0x16;

/// A connection, which belongs to one boot.
#[derive(Clone)]
pub(super) struct Connection {
    server: Server,
    boot: Arc<Boot>,
    speaks: Speaks,
}

/// Of what the answers on a connection are about.
#[derive(Clone, Copy, Debug)]
enum Speaks {
    All,
    /// `/info`; of the rest they say that it is at this port.
    Info {
        secure_port: u16,
    },
    /// That it should have been TLS.
    Nothing,
}

impl Connection {
    pub(super) fn new(server: Server, boot: Arc<Boot>) -> Self {
        let speaks = Speaks::All;
        Self {
            server,
            boot,
            speaks,
        }
    }

    pub(super) async fn run(
        mut self,
        stream: TcpStream,
        client: Client,
        stop: watch::Receiver<bool>,
    ) {
        match self.server.conduct(&self.boot) {
            // Its firmware closed the port just now.
            Conduct::Closed => {}
            Conduct::Clear => self.serve(stream, client, stop).await,
            Conduct::Redirects { secure_port } => {
                self.speaks = Speaks::Info { secure_port };
                self.serve(stream, client, stop).await;
            }
            Conduct::Secure => match timeout(HANDSHAKE, begins_tls(&stream)).await {
                Ok(true) => self.serve_tls(stream, client, stop).await,
                Ok(false) => {
                    self.speaks = Speaks::Nothing;
                    self.serve(stream, client, stop).await;
                }
                Err(_) => tracing::debug!("a client said nothing"),
            },
        }
    }

    async fn serve_tls(self, stream: TcpStream, client: Client, stop: watch::Receiver<bool>) {
        let Some(identity) = self.boot.identity.clone() else {
            return;
        };
        match timeout(HANDSHAKE, identity.acceptor.accept(stream)).await {
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
        let (this, used) = (self.clone(), Arc::new(AtomicBool::new(false)));
        let service = service_fn(move |request: Request<Incoming>| {
            let (this, handover, deviate) = (this.clone(), handover.clone(), deviate.clone());
            let first = !used.swap(true, Ordering::Relaxed);
            async move {
                match this.respond(&request, first, &handover).await {
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
        let (faults, envoy) = (&self.server.faults, &self.boot.envoy);
        let requests = self.server.record.requests.as_ref();
        let mut noted = requests.map(|requests| requests.begin(request, self.boot.clone()));
        // A connection can have had a request in the moment before its gateway booted.
        if !Arc::ptr_eq(&self.boot, &self.server.boots.borrow()) {
            return Err(Deviation::Reset);
        }
        let endpoint = Resource::of(request.uri()).as_ref().and_then(Endpoint::of);
        if faults.strikes(Fault::Hang, endpoint) {
            tracing::debug!(path = request.uri().path(), "hangs");
            return future::pending().await;
        }
        if let Some(until) = envoy.gateway().hangs_until()
            && faults.strikes(Fault::Nightly, endpoint)
        {
            tracing::debug!(path = request.uri().path(), %until, "hangs");
            envoy.gateway().until(until).await;
        }
        if !first && faults.strikes(Fault::ResetSecond, endpoint) {
            tracing::debug!(path = request.uri().path(), "reset");
            return Err(Deviation::Reset);
        }
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let answer = match self.speaks {
            Speaks::All => envoy.respond(method, uri, headers),
            Speaks::Info { secure_port } => {
                envoy.respond_in_clear(method, uri, headers, secure_port)
            }
            Speaks::Nothing => envoy.respond_to_wrong_scheme(uri, headers),
        };
        tracing::debug!(
            method = %request.method(),
            path = request.uri().path(),
            status = answer.status.as_u16(),
            "answered"
        );
        let answer = Deviation::of(faults, request.method(), endpoint, answer)?;
        if let Some(noted) = &mut noted {
            noted.answered(answer.status.as_u16());
        }
        let version = answer.version();
        let mut response = Response::new(Outgoing::new(
            answer.body,
            answer.framing,
            answer.shows,
            handover,
            noted,
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

/// Whether what comes first is TLS; a client that has gone again is taken for one.
async fn begins_tls(stream: &TcpStream) -> bool {
    let mut first = [TLS];
    // How it fails is seen once more where it is read.
    let _ = stream.peek(&mut first).await;
    first == [TLS]
}
