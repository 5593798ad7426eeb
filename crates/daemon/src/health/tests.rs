//! The server as its clients see it.

use std::net::SocketAddr;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, advance, timeout};

use super::server::{self, listening};
use super::*;
use crate::exit::with_causes;

/// A server with this board, and where it is.
async fn serve(board: Board) -> (Serving, SocketAddr) {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let (listener, address) = listening(&listen).await.expect("a free port");
    (server::serving(listener, board), address)
}

/// What is answered to these bytes.
async fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it takes them");
    let mut answer = String::new();
    // A connection that is reset has said all that it will.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

async fn get(address: SocketAddr, path: &str) -> String {
    send(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn each_path_answers_and_no_other() {
    let (_serving, address) = serve(Board::new(Service::none())).await;
    for (request, expected) in [
        ("GET /healthz", "200"),
        ("GET /readyz", "200"),
        ("GET /metrics", "200"),
        ("HEAD /healthz", "200"),
        ("GET /", "404"),
        ("GET /metrics/", "404"),
        ("GET /../etc/passwd", "404"),
        ("POST /metrics", "405"),
        ("DELETE /healthz", "405"),
    ] {
        let answer = send(address, &format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{request}: {answer}");
    }
    assert_eq!(body(&get(address, "/healthz").await), "ok\n");
    let head = send(address, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(body(&head), "", "a head alone");
}

#[tokio::test]
async fn it_is_ready_once_all_that_it_waits_for_was_reached_and_says_what_that_is() {
    let service = Service::none();
    service.watch();
    let part = service.part("loop");
    let mut board = Board::new(service);
    let first = board.milestone("the tide");
    let second = board.milestone("the moon");
    let (_serving, address) = serve(board).await;
    let answer = get(address, "/readyz").await;
    assert_eq!(status(&answer), "503");
    assert_eq!(body(&answer), "waits for the tide and the moon\n");
    part.status("it is\nlow");
    first.reach();
    let answer = get(address, "/readyz").await;
    assert_eq!(body(&answer), "waits for the moon (it is low)\n");
    second.reach();
    assert_eq!(status(&get(address, "/readyz").await), "200");
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_stands_still_is_named_and_one_that_turns_again_is_well() {
    let service = Service::none();
    service.watch();
    let mut part = service.part("poller");
    let board = Board::new(service.clone());
    for _ in 0..100 {
        part.beat().await;
        assert_eq!(board.illness(), None);
    }
    advance(Duration::from_mins(6)).await;
    let illness = board.illness().expect("it stands still");
    assert_eq!(illness, "the poller has shown no sign of life for 360 s");
    part.beat().await;
    assert_eq!(board.illness(), None);
    advance(Duration::from_hours(1)).await;
    drop(part);
    assert_eq!(board.illness(), None, "it has ended in an orderly way");
}

#[tokio::test(start_paused = true)]
async fn a_piece_of_work_may_take_as_long_as_it_says_and_no_longer() {
    let service = Service::none();
    service.watch();
    let mut part = service.part("poller");
    let board = Board::new(service);
    let began = Instant::now();
    let task = tokio::spawn(async move {
        let at_most = Duration::from_mins(20);
        part.during(at_most, std::future::pending::<()>()).await;
    });
    // Its last sign of life may have come one beat before its time was over.
    while began.elapsed() < Duration::from_mins(24) {
        assert_eq!(board.illness(), None, "after {:?}", began.elapsed());
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(board.illness().is_some());
    task.abort();
}

#[tokio::test]
async fn what_is_shown_is_open_metrics_with_types_units_and_an_end() {
    let mut board = Board::new(Service::none());
    let counted = Counter::<u64>::default();
    board
        .registry()
        .register("teapots", "Teapots seen", counted.clone());
    counted.inc_by(3);
    let (_serving, address) = serve(board).await;
    let answer = get(address, "/metrics").await;
    assert!(answer.contains("application/openmetrics-text; version=1.0.0"));
    let text = body(&answer);
    for line in [
        "# TYPE teapots counter",
        "teapots_total 3",
        "# TYPE process_start_time_seconds gauge",
        "# UNIT process_start_time_seconds seconds",
        concat!(
            "envoy_scrape_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    let began = text
        .lines()
        .find_map(|line| line.strip_prefix("process_start_time_seconds "))
        .and_then(|value| value.parse::<f64>().ok())
        .expect("a number");
    assert!(began > 1_700_000_000.0, "{began}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (_serving, address) = serve(Board::new(Service::none())).await;
    for filler in ["x".repeat(64 * 1024), "y\r\nz: ".repeat(200)] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nfiller: {filler}\r\n\r\n");
        let answer = send(address, &request).await;
        assert_ne!(status(&answer), "200");
    }
    assert_eq!(status(&get(address, "/healthz").await), "200");
}

/// Less than a client may take for the head of its request: nobody was waited for.
const AT_ONCE: Duration = Duration::from_millis(2500);

#[tokio::test]
async fn a_crowd_of_clients_that_say_nothing_delays_no_probe() {
    let (_serving, address) = serve(Board::new(Service::none())).await;
    let mut silent = Vec::new();
    for number in 0..600 {
        let mut one = TcpStream::connect(address).await.expect("it listens");
        if number % 2 == 0 {
            // Those that were closed already take nothing.
            let _ = one.write_all(b"GET /healthz HTTP/1.1\r\nHo").await;
        }
        silent.push(one);
    }
    let answer = timeout(AT_ONCE, get(address, "/healthz")).await;
    assert_eq!(status(&answer.expect("at once")), "200");
    let mut first = silent.remove(0);
    let mut rest = Vec::new();
    let _ = first.read_to_end(&mut rest).await;
    let rest = String::from_utf8_lossy(&rest);
    assert_ne!(status(&rest), "200", "it was let go");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("it is bound");
    let listen: Listen = address.to_string().parse().expect("an address");
    let service = Service::none();
    let started = start(Some(&listen), &service, |_| ()).await;
    let error = with_causes(&started.expect_err("it is taken"));
    assert!(error.contains(&address.to_string()), "{error}");
    assert!(error.contains("setting: LISTEN"), "{error}");
    assert!(error.contains("in use"), "{error}");
}

#[tokio::test]
async fn without_an_address_nothing_is_registered_and_nobody_waits() {
    let service = Service::none();
    let register = |board: &mut Board| board.milestone("nothing");
    let (milestone, serving) = start(None, &service, register).await.expect("no port");
    assert!(serving.is_none());
    assert!(!milestone.is_awaited());
}

#[tokio::test]
async fn who_asks_is_told_whether_it_is_well_and_whether_anybody_answers() {
    let service = Service::none();
    service.watch();
    let (_serving, address) = serve(Board::new(service)).await;
    let (host, port) = (address.ip().to_string(), address.port());
    super::ask::healthz(&host, port).await.expect("it is well");
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = closed.local_addr().expect("it is bound").port();
    drop(closed);
    let error = super::ask::healthz(&host, port).await.expect_err("nobody");
    assert!(matches!(error, AskError::Nobody { .. }), "{error}");
}

#[tokio::test]
async fn who_asks_another_server_is_told_so_and_who_asks_an_unwell_daemon_why() {
    for (answer, said) in [
        (
            "503 x\r\ncontent-length: 6\r\n\r\nstuck\n",
            "not well: stuck",
        ),
        ("404 x\r\ncontent-length: 0\r\n\r\n", "has the status 404"),
        ("200 x", "nobody answers"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let answer = format!("HTTP/1.1 {answer}");
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let asked = super::ask::healthz("127.0.0.1", address.port()).await;
        let error = asked.expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
        server.await.expect("no panic");
    }
}
