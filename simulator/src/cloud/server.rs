//! The cloud's connections: plain HTTP, since it stands on the machine of those who ask.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Cloud;
use super::request::Request;
use crate::answer::Answer;

/// Connections at a time; those above wait to be accepted.
const CONNECTIONS: usize = 64;
/// The largest body that a client can have to send, with room.
const LARGEST_BODY: usize = 64 * 1024;
/// How long a connection may wait for the next request.
const IDLE: Duration = Duration::from_secs(75);
/// After a client that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until it is dropped, and its connections with it.
pub(super) async fn serve(cloud: Arc<Cloud>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() == CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(cloud.clone(), stream));
            }
            Err(error) => {
                tracing::warn!(%error, "the cloud can't accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(cloud: Arc<Cloud>, stream: TcpStream) {
    let service = service_fn(|request| {
        let cloud = cloud.clone();
        async move { Ok::<_, Infallible>(response(answer(&cloud, request).await)) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection to the cloud ended");
    }
}

async fn answer(cloud: &Cloud, request: hyper::Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => {
            let request = Request::new(parts, body.to_bytes().to_vec());
            let answer = cloud.respond(&request);
            let (path, status) = (&request.path, answer.status.as_u16());
            tracing::debug!(path, status, "the cloud answered");
            answer
        }
        Err(_) => Answer::new(StatusCode::PAYLOAD_TOO_LARGE, ""),
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
