use std::path::Path;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// Less than an answer, so that one that is not read stays in hyper's buffer.
const PIPE: usize = 1_024;
const BODY: usize = 8_000;

fn reports() -> Arc<[ShownReport]> {
    Arc::new([ShownReport {
        envoy: "122012345678".to_owned(),
        inverter: "482012345678".to_owned(),
        reported_at: Timestamp::UNIX_EPOCH,
        device_type: None,
        power_w: 1,
        peak_power_w: 2,
    }])
}

/// A connection with one answer under way, its reader, and its handover.
async fn answering(ledger: &Path) -> (DuplexStream, JoinHandle<()>, Arc<Handover>) {
    let handover = Handover::new(Client::recorded_in(ledger));
    let (mut client, server) = tokio::io::duplex(PIPE);
    let io = TokioIo::new(HandoverIo::new(server, handover.clone()));
    let of_connection = handover.clone();
    let connection = tokio::spawn(async move {
        let service = service_fn(|_: Request<hyper::body::Incoming>| {
            let body = Outgoing::new(
                vec![b'x'; BODY].into(),
                Framing::Length,
                reports(),
                &of_connection,
                None,
            );
            async { Ok::<_, Infallible>(Response::new(body)) }
        });
        // That the client hangs up is part of the test.
        let _ = http1::Builder::new().serve_connection(io, service).await;
    });
    let request = b"GET / HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n";
    client.write_all(request).await.expect("room for a request");
    client
        .read_exact(&mut [0; 100])
        .await
        .expect("the beginning of the answer");
    (client, connection, handover)
}

fn lines(ledger: &Path) -> usize {
    std::fs::read_to_string(ledger)
        .expect("a ledger")
        .lines()
        .count()
}

#[tokio::test]
async fn a_body_that_was_taken_but_not_sent_to_its_end_leaves_no_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger");
    let (client, connection, handover) = answering(&path).await;
    let taken = async {
        while handover.taken.lock().expect("nobody panicked").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), taken)
        .await
        .expect("hyper takes the body at once");
    drop(client);
    connection.await.expect("no panic");
    assert_eq!(lines(&path), 0);
}

#[tokio::test]
async fn a_body_that_was_sent_to_its_end_leaves_its_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger");
    let (mut client, connection, _) = answering(&path).await;
    let mut rest = Vec::new();
    client
        .read_to_end(&mut rest)
        .await
        .expect("the rest of the answer");
    assert!(rest.ends_with(&[b'x'; 1_000]));
    connection.await.expect("no panic");
    assert_eq!(lines(&path), 1);
}
