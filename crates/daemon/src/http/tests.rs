//! The server as its clients see it: those that ask, and those that say nothing.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::routing::get;
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::task::AbortOnDropHandle;

use super::*;

/// Far more than an answer takes, far less than the silent are granted.
const SOON: Duration = Duration::from_secs(20);

const BOUNDS: Bounds = Bounds {
    connections: 8,
    head: Duration::from_mins(5),
    whole: Duration::from_hours(1),
    head_bytes: 8 * 1024,
    keep_alive: true,
};

/// A server with a short answer, and one that never ends.
async fn server(bounds: Bounds) -> (AbortOnDropHandle<()>, SocketAddr) {
    let router = Router::new().route("/", get(|| async { "here\n" })).route(
        "/endless",
        get(|| async { Body::new(Endless(Some("first\n"))) }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let task = tokio::spawn(serve(listener, router, bounds));
    (AbortOnDropHandle::new(task), address)
}

/// A body with one piece, after which nothing comes and it does not end.
struct Endless(Option<&'static str>);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece.into())))),
            None => Poll::Pending,
        }
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("it listens")
}

/// Sends a request, and reads until this is in the answer; what there was until the connection ended, or
/// nothing came for long.
async fn ask(stream: &mut TcpStream, path: &str, until: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut answer = String::new();
    if stream.write_all(request.as_bytes()).await.is_err() {
        return answer;
    }
    let mut piece = [0; 1024];
    while !answer.contains(until) {
        match timeout(SOON, stream.read(&mut piece)).await {
            Ok(Ok(length)) if length > 0 => {
                answer.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
            _ => break,
        }
    }
    answer
}

/// Whether the server closes this connection soon.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(SOON, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn silent_clients_are_closed_in_the_order_in_which_they_fell_silent() {
    let (_server, address) = server(BOUNDS).await;
    // Kept for a next request, and opened last of all that speak.
    let mut kept = connect(address).await;
    let mut first = connect(address).await;
    first.write_all(b"GET / HT").await.expect("sent");
    let mut more = Vec::new();
    for _ in 2..BOUNDS.connections {
        more.push(connect(address).await);
    }
    assert!(ask(&mut kept, "/", "here").await.contains("here"));
    let mut asks = connect(address).await;
    assert!(ask(&mut asks, "/", "here").await.contains("here"));
    assert!(is_closed(&mut first).await, "half a head, and no more");
    assert!(
        ask(&mut kept, "/", "here").await.contains("here"),
        "it asked later"
    );
}

#[tokio::test]
async fn who_has_a_request_under_way_stays_and_then_a_further_one_is_turned_away() {
    let (_server, address) = server(BOUNDS).await;
    let mut listening = Vec::new();
    for _ in 0..BOUNDS.connections {
        let mut viewer = connect(address).await;
        assert!(
            ask(&mut viewer, "/endless", "first")
                .await
                .contains("first")
        );
        listening.push(viewer);
    }
    let mut further = connect(address).await;
    assert_eq!(ask(&mut further, "/", "here").await, "");
    drop(listening.pop());
    // As soon as the server has noticed.
    let came = timeout(SOON, async {
        loop {
            let mut another = connect(address).await;
            if ask(&mut another, "/", "here").await.contains("here") {
                break;
            }
        }
    });
    came.await.expect("a place was free again");
}

#[tokio::test]
async fn a_crowd_of_silent_clients_delays_nobody_who_asks() {
    let (_server, address) = server(BOUNDS).await;
    let mut silent = Vec::new();
    for round in 0..10 {
        for _ in 0..30 {
            let mut one = connect(address).await;
            if round % 2 == 0 {
                one.write_all(b"GET / HTTP/1.1\r\nHo").await.expect("sent");
            }
            silent.push(one);
        }
        let mut asks = connect(address).await;
        assert!(ask(&mut asks, "/", "here").await.contains("here"));
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_its_connection() {
    let bounds = Bounds {
        head: Duration::from_millis(50),
        ..BOUNDS
    };
    let (_server, address) = server(bounds).await;
    let mut silent = connect(address).await;
    let mut half = connect(address).await;
    half.write_all(b"GET / HTTP/1.1\r\nHo").await.expect("sent");
    assert!(is_closed(&mut silent).await);
    assert!(is_closed(&mut half).await);
}

#[tokio::test]
async fn a_connection_ends_when_its_time_is_over_though_it_has_a_request_under_way() {
    let bounds = Bounds {
        whole: Duration::from_millis(50),
        ..BOUNDS
    };
    let (_server, address) = server(bounds).await;
    let mut viewer = connect(address).await;
    let asked = b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n";
    viewer.write_all(asked).await.expect("sent");
    assert!(is_closed(&mut viewer).await);
}
