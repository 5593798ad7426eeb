//! Each fault, as a client meets it that reads what comes byte by byte.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use simulator::{Fault, Options, Simulator, SiteOptions, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{
    answer, challenge, http, ledger, reports, start_with_ledger, with_password, with_token,
};

const INVERTERS: &str = "/api/v1/production/inverters";
const DEADLINE: Duration = Duration::from_secs(30);

fn site(firmware: &str) -> SiteOptions {
    SiteOptions {
        firmware: firmware.parse().unwrap(),
        start: Some("2026-06-15T10:00:00Z".parse().unwrap()),
        ..SiteOptions::default()
    }
}

async fn start(firmware: &str, ledger: &Path) -> Simulator {
    start_with_ledger(site(firmware), Some(ledger)).await
}

async fn connect(simulator: &Simulator) -> std::io::Result<TcpStream> {
    TcpStream::connect(simulator.url().strip_prefix("http://").unwrap()).await
}

/// A request on a connection of its own, or one that is open.
async fn send(stream: &mut TcpStream, path: &str, headers: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: envoy\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// The list's way: a challenge first, then the fault, then the request that is let in.
async fn ask_for_the_list(simulator: &Simulator, fault: Fault) -> TcpStream {
    let challenged = challenge(simulator, INVERTERS).await;
    let authorization = answer(&challenged, INVERTERS, "envoy", "345678");
    simulator.inject(fault.into());
    let mut stream = connect(simulator).await.unwrap();
    let header = format!("Authorization: {authorization}\r\n");
    send(&mut stream, INVERTERS, &header).await;
    stream
}

/// The promised length, and the body until the connection's end.
async fn to_its_end(mut stream: TcpStream) -> (usize, String) {
    let mut answer = String::new();
    let read = timeout(DEADLINE, stream.read_to_string(&mut answer));
    read.await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length = length.lines().next().unwrap().parse().unwrap();
    (length, body.to_owned())
}

/// What a well-behaved answer shows, of which the ledger then has all.
async fn healed(simulator: Simulator, path: &Path) {
    assert_eq!(ledger(path), [], "what was broken does not count as shown");
    simulator.heal();
    let response = with_password(&simulator, INVERTERS, "envoy", "345678").await;
    let body = response.text().await.unwrap();
    simulator.stop().await;
    assert_eq!(ledger(path), reports("122012345678", &body));
    assert_ne!(ledger(path), []);
}

#[tokio::test]
async fn a_truncated_body_ends_with_its_connection() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = start("5.0.62", &path).await;
    let stream = ask_for_the_list(&simulator, Fault::Truncate).await;
    let (length, body) = to_its_end(stream).await;
    assert_eq!(body.len(), length / 2);
    healed(simulator, &path).await;
}

#[tokio::test]
async fn a_length_that_is_too_long_is_never_reached() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = start("5.0.62", &path).await;
    let stream = ask_for_the_list(&simulator, Fault::LengthTooLong).await;
    let (length, body) = to_its_end(stream).await;
    assert_eq!(length, body.len() + 100);
    assert_eq!(reports("122012345678", &body).len(), 12, "it looks whole");
    healed(simulator, &path).await;
}

#[tokio::test]
async fn a_length_that_is_too_short_cuts_the_body_for_who_believes_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = start("5.0.62", &path).await;
    let stream = ask_for_the_list(&simulator, Fault::LengthTooShort).await;
    let (length, body) = to_its_end(stream).await;
    assert_eq!(length, body.len() / 2);
    healed(simulator, &path).await;
}

#[tokio::test]
async fn a_body_that_drips_comes_after_its_head_and_is_not_shown_when_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = start("5.0.62", &path).await;
    let mut stream = ask_for_the_list(&simulator, Fault::Drip).await;
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n[") {
        read.push(timeout(DEADLINE, stream.read_u8()).await.unwrap().unwrap());
    }
    drop(stream);
    healed(simulator, &path).await;
}

#[tokio::test]
async fn a_gateway_that_hangs_reads_a_request_and_answers_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = start("5.0.62", &path).await;
    simulator.inject("hang~1/2".parse().unwrap());
    let mut asked = JoinSet::new();
    let mut answered = 0;
    // The first answer to the last two comes after all of the first six were read.
    for (requests, answers) in [(6, 3), (2, 1)] {
        for _ in 0..requests {
            let info = http().get(format!("{}/info", simulator.url()));
            asked.spawn(async move { info.send().await.unwrap().status() });
        }
        for _ in 0..answers {
            let status = timeout(DEADLINE, asked.join_next()).await.unwrap();
            assert_eq!(status.unwrap().unwrap(), 200);
            answered += 1;
        }
    }
    assert_eq!((asked.len(), answered), (4, 4), "half of them wait");
    simulator.heal();
    assert_eq!(with_token(&simulator, "/info").await.status(), 200);
    assert!(asked.try_join_next().is_none(), "and go on waiting");
    asked.shutdown().await;
    healed(simulator, &path).await;
}

#[tokio::test]
async fn a_gateway_that_refuses_ends_its_connections_and_comes_back_at_its_port() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = start("5.0.62", &path).await;
    let mut open = connect(&simulator).await.unwrap();
    // Accepted, since it is answered.
    send(&mut open, "/info", "").await;
    open.read_u8().await.unwrap();
    simulator.inject(Fault::Refuse.into());
    let ended = timeout(DEADLINE, open.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "what was open is ended");
    let refused = async {
        loop {
            match connect(&simulator).await {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                // Taken up in the last moment.
                _ => tokio::task::yield_now().await,
            }
        }
    };
    timeout(DEADLINE, refused).await.unwrap();
    simulator.heal();
    let opened = async { while connect(&simulator).await.is_err() {} };
    timeout(DEADLINE, opened).await.unwrap();
    healed(simulator, &path).await;
}

#[tokio::test]
async fn a_second_request_of_a_connection_is_reset_where_that_is_the_fault() {
    let directory = tempfile::tempdir().unwrap();
    for firmware in ["3.18.10", "3.9.36", "5.0.62"] {
        let path = directory.path().join(firmware);
        let simulator = start(firmware, &path).await;
        simulator.inject(Fault::ResetSecond.into());
        let mut stream = connect(&simulator).await.unwrap();
        for request in 0..2 {
            send(&mut stream, INVERTERS, "").await;
            let mut answer = vec![0; 4_096];
            let read = timeout(DEADLINE, stream.read(&mut answer)).await.unwrap();
            if request == 0 {
                let answer = String::from_utf8_lossy(&answer);
                assert!(answer.starts_with("HTTP/1.1 401 Unauth"), "{answer}");
                assert!(answer.contains("Connection: keep-alive"), "{answer}");
            } else {
                let error = read.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{firmware}");
            }
        }
        let mut stream = connect(&simulator).await.unwrap();
        send(&mut stream, INVERTERS, "Connection: close\r\n").await;
        let mut answer = String::new();
        timeout(DEADLINE, stream.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(answer.contains("Connection: close"), "{answer}");
        healed(simulator, &path).await;
    }
}

#[tokio::test]
async fn a_busy_gateway_says_so_to_everything() {
    let directory = tempfile::tempdir().unwrap();
    for firmware in ["3.18.10", "5.0.62", "8.3.5169"] {
        let path = directory.path().join(firmware);
        let simulator = start(firmware, &path).await;
        simulator.inject(Fault::Busy.into());
        for resource in ["/info", INVERTERS, "/nowhere"] {
            let response = with_token(&simulator, resource).await;
            assert_eq!(response.status(), 503, "{firmware} {resource}");
            let body = response.text().await.unwrap();
            assert!(body.contains("please retry after 30 seconds"), "{body}");
        }
        simulator.heal();
        assert_eq!(with_token(&simulator, "/info").await.status(), 200);
        simulator.stop().await;
        assert_eq!(ledger(&path), [], "{firmware}");
    }
}

#[tokio::test]
async fn everybody_is_refused_but_where_nobody_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old");
    let old = start("5.0.62", &path).await;
    old.inject(Fault::Unauthorized.into());
    let response = with_password(&old, INVERTERS, "envoy", "345678").await;
    assert_eq!(response.status(), 401);
    assert!(response.headers()["www-authenticate"].to_str().is_ok());
    for open in ["/info", "/production.json"] {
        assert_eq!(with_token(&old, open).await.status(), 200, "{open}");
    }
    healed(old, &path).await;

    let path = directory.path().join("new");
    let new = start("8.3.5169", &path).await;
    new.inject(Fault::Unauthorized.into());
    for resource in [INVERTERS, "/auth/check_jwt"] {
        assert_eq!(with_token(&new, resource).await.status(), 401, "{resource}");
    }
    assert_eq!(with_token(&new, "/info").await.status(), 200);
    new.heal();
    assert_eq!(with_token(&new, INVERTERS).await.status(), 200);
}

#[tokio::test]
async fn a_web_page_and_an_empty_list_come_in_place_of_reports() {
    let directory = tempfile::tempdir().unwrap();
    for (fault, begins) in [(Fault::Html, "<!DOCTYPE html>"), (Fault::EmptyList, "[]")] {
        let path = directory.path().join(fault.name());
        let simulator = start("5.0.62", &path).await;
        simulator.inject(fault.into());
        let response = with_password(&simulator, INVERTERS, "envoy", "345678").await;
        assert_eq!(response.status(), 200);
        assert!(response.text().await.unwrap().starts_with(begins));
        let info = with_token(&simulator, "/info").await.text().await.unwrap();
        assert!(info.contains("<sn>122012345678</sn>"), "{info}");
        // Who is not let in does not get as far.
        let refused = with_password(&simulator, INVERTERS, "envoy", "wrong").await;
        assert_eq!(refused.status(), 401);
        healed(simulator, &path).await;
    }
}

#[tokio::test]
async fn faults_can_be_planned_before_the_start_and_at_a_rate() {
    let plans = ["busy~1/3", "hang@1h"].map(|plan| plan.parse().unwrap());
    let simulator = Simulator::start(Options {
        source: Source::Site(site("5.0.62")),
        faults: plans.to_vec(),
        ..Options::default()
    })
    .await
    .unwrap();
    for _ in 0..4 {
        let mut busy = 0;
        for _ in 0..3 {
            let status = with_token(&simulator, "/info").await.status();
            busy += usize::from(status == 503);
        }
        assert_eq!(busy, 1, "one of three");
    }
}
