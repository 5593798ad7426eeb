use std::path::Path;
use std::sync::Arc;

use hyper::StatusCode;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::answer::ShownReport;

const BODY: &str = "[ 1, 2, 3 ]\n";

impl Stream for DuplexStream {
    fn reset_when_dropped(&self) -> io::Result<()> {
        Ok(())
    }
}

fn answer(connection: &'static str) -> Answer {
    let mut answer =
        Answer::new(StatusCode::OK, BODY).header(CONNECTION, HeaderValue::from_static(connection));
    answer.shows = Arc::new([ShownReport {
        envoy: "122012345678".to_owned(),
        inverter: "482012345678".to_owned(),
        reported_at: Timestamp::UNIX_EPOCH,
        device_type: None,
        power_w: 1,
        peak_power_w: 2,
    }]);
    answer
}

fn performing(
    fault: Fault,
    connection: &'static str,
    ledger: &Path,
) -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = io::duplex(1_024);
    let deviation = Deviation::Answer(Box::new(answer(connection)), fault);
    let reader = Client::recorded_in(ledger);
    let performing = async move {
        // That the client hangs up is part of the tests.
        let _ = deviation.perform(server, reader).await;
    };
    (client, tokio::spawn(performing))
}

/// What comes until the end of the head.
async fn head(client: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).expect("text")
}

fn lines(ledger: &Path) -> usize {
    let text = std::fs::read_to_string(ledger).expect("a ledger");
    text.lines().count()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_is_shown_once_its_last_byte_has_come() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger");
    let began = Instant::now();
    let (mut client, performing) = performing(Fault::Drip, "keep-alive", &path);
    let head = head(&mut client).await;
    assert!(head.contains("connection: close\r\n"), "{head}");
    for expected in BODY.bytes().take(BODY.len() - 1) {
        assert_eq!(client.read_u8().await.expect("the next byte"), expected);
    }
    assert_eq!(lines(&path), 0);
    assert_eq!(client.read_u8().await.expect("the last byte"), b'\n');
    assert_eq!(client.read(&mut [0]).await.expect("an end"), 0);
    assert!(began.elapsed() >= DRIP * 11, "{:?}", began.elapsed());
    drop(client);
    performing.await.expect("no panic");
    assert_eq!(lines(&path), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_and_is_cut_off_is_not_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger");
    let (mut client, performing) = performing(Fault::Drip, "close", &path);
    head(&mut client).await;
    client.read_exact(&mut [0; 5]).await.expect("a beginning");
    drop(client);
    performing.await.expect("no panic");
    assert_eq!(lines(&path), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_stays_open_after_a_wrong_length() {
    for (fault, length) in [
        (Fault::LengthTooLong, BODY.len() + EXCESS),
        (Fault::LengthTooShort, BODY.len() / 2),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("ledger");
        let (mut client, performing) = performing(fault, "keep-alive", &path);
        let head = head(&mut client).await;
        let said = format!("content-length: {length}\r\n");
        assert!(head.contains(&said), "{fault}: {head}");
        let mut body = [0; BODY.len()];
        client.read_exact(&mut body).await.expect("all of the body");
        assert_eq!(body, BODY.as_bytes());
        // Paused time passes when nobody has anything to do.
        let end = timeout(IDLE / 2, client.read(&mut [0])).await;
        assert!(end.is_err(), "{fault}: it ends: {end:?}");
        drop(client);
        performing.await.expect("no panic");
        assert_eq!(lines(&path), 0, "{fault}");
    }
}
