//! What answers at the Envoy's address.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rig::programs::{Binary, Program, Start};
use rig::wait;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::interval;
use tokio_util::task::AbortOnDropHandle;

use super::{is_well, told};
use crate::ARRIVAL;
use crate::alone::{NO_BROKER, POLLED, SETTINGS, said};
use crate::health::{address, listening};

pub(super) const BEGAN: &str = "the Envoy's readings can't be had";
const ENDED: &str = "the Envoy's readings are there again";

pub(super) const INVERTERS: &str = "/api/v1/production/inverters";

/// Who it is.
pub(super) const INFO: &str =
    "<envoy_info><device><sn>202400000099</sn><software>D5.0.62</software></device></envoy_info>";

/// Between two pieces of what drips: far less than a whole answer may take, so that there is always one more.
const DROP: Duration = Duration::from_millis(100);

/// Its times where an answer takes as long as it may.
const IMPATIENT: &str = "[testing]\npoll_interval = \"250ms\"\nenvoy_timeout = \"1s\"\n";

/// An answer that does harm.
struct Harm {
    /// What is asked for when it comes.
    path: &'static str,
    head: String,
    /// What follows the head, so often.
    piece: Vec<u8>,
    pieces: usize,
    /// Whether it comes a piece at a time, one each [`DROP`].
    drips: bool,
    /// What is said of it.
    reason: &'static str,
}

impl Harm {
    /// A body of a length that is told, `piece` and again `piece`.
    fn body(path: &'static str, piece: &str, length: usize, reason: &'static str) -> Self {
        // In larger pieces, so that it is sent as fast as it can be read.
        let piece = piece.repeat((length.min(64 << 10) / piece.len()).max(1));
        let pieces = length / piece.len();
        assert_eq!(pieces * piece.len(), length, "not a whole number of pieces");
        Self {
            path,
            head: format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
            piece: piece.into_bytes(),
            pieces,
            drips: false,
            reason,
        }
    }

    /// An answer that never ends, a byte at a time behind this.
    fn drop_by_drop(path: &'static str, head: &str) -> Self {
        Self {
            path,
            head: head.to_owned(),
            piece: b" ".to_vec(),
            pieces: usize::MAX,
            drips: true,
            reason: "does not answer in time",
        }
    }

    async fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        stream.write_all(self.head.as_bytes()).await?;
        let mut next = interval(DROP);
        for _ in 0..self.pieces {
            if self.drips {
                next.tick().await;
            }
            stream.write_all(&self.piece).await?;
        }
        Ok(())
    }
}

/// Does harm to a scraper from its first poll on, and looks what becomes of it.
async fn withstands(harm: Harm) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let is_hostile = Arc::new(AtomicBool::new(true));
    let reason = harm.reason;
    let settings = if harm.drips { IMPATIENT } else { SETTINGS };
    let gateway = tokio::spawn(serve(listener, Arc::new(harm), Arc::clone(&is_hostile)));
    let _gateway = AbortOnDropHandle::new(gateway);

    let folder = tempfile::tempdir().expect("a directory");
    let mut scraper = scraper(&url, settings, &folder);
    let address = address(&scraper).await;

    let line = scraper.stderr_line(BEGAN).await;
    assert!(line.contains(reason), "{line}");
    // Further polls that fail are worth a line to programmers only.
    wait::until_true("three polls that failed", ARRIVAL, async || {
        said(&scraper, BEGAN) >= 3
    })
    .await;
    is_well(&scraper, &address).await;
    assert_eq!(told(&scraper, BEGAN), 1);
    let longest = scraper.stderr().iter().map(String::len).max();
    assert!(longest < Some(2_000), "{longest:?}");

    is_hostile.store(false, Ordering::Relaxed);
    scraper.stderr_line(ENDED).await;
    scraper.stderr_line(POLLED).await;
    is_well(&scraper, &address).await;
    assert!(scraper.terminate().await.success());
}

/// A scraper of the gateway at this address, without a broker; its settings are in this directory.
pub(super) fn scraper(url: &str, settings: &str, folder: &TempDir) -> Program {
    scraper_with(NO_BROKER, url, settings, folder)
}

/// The same with a broker.
pub(super) fn scraper_with(broker: &str, url: &str, settings: &str, folder: &TempDir) -> Program {
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, settings).expect("it can be written");
    let start = Start::new(Binary::Scraper).arg("--config").arg(&file);
    let start = start.env("ENVOY_HOST", url).env("MQTT_URL", broker);
    let start = start.env("RUST_LOG", "info,scraper=debug,daemon=debug");
    listening(start).spawn()
}

async fn serve(listener: TcpListener, harm: Arc<Harm>, is_hostile: Arc<AtomicBool>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (harm, is_hostile) = (Arc::clone(&harm), Arc::clone(&is_hostile));
        tokio::spawn(async move {
            // An error is a client that went away.
            let _ = answer(stream, &harm, &is_hostile).await;
        });
    }
}

async fn answer(
    mut stream: TcpStream,
    harm: &Harm,
    is_hostile: &AtomicBool,
) -> std::io::Result<()> {
    let path = asked(&mut stream).await?;
    if path == harm.path && is_hostile.load(Ordering::Relaxed) {
        return harm.send(&mut stream).await;
    }
    let (status, body) = match path.as_str() {
        "/info" => (200, INFO),
        INVERTERS => (
            200,
            r#"[{"serialNumber":"482012345678","lastReportDate":1795425300,"lastReportWatts":212,"maxReportWatts":296}]"#,
        ),
        _ => (404, ""),
    };
    reply(&mut stream, status, body).await
}

/// The path that is asked for.
pub(super) async fn asked(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// An answer as it should be.
pub(super) async fn reply(stream: &mut TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all((head + body).as_bytes()).await
}

#[tokio::test]
async fn a_gigabyte_of_json_is_read_to_a_bound_only() {
    withstands(Harm::body(INVERTERS, "[1],", 1 << 30, "more than")).await;
}

#[tokio::test]
async fn chunks_without_end_are_read_to_a_bound_only() {
    let chunk = format!("10000\r\n{}\r\n", "[1],".repeat(1 << 14));
    withstands(Harm {
        path: INVERTERS,
        head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
        piece: chunk.into_bytes(),
        pieces: usize::MAX,
        drips: false,
        reason: "more than",
    })
    .await;
}

#[tokio::test]
async fn a_head_without_end_is_read_to_a_bound_only() {
    let line = format!("X-More: {}\r\n", "x".repeat(1_000));
    withstands(Harm {
        path: INVERTERS,
        head: "HTTP/1.1 200 OK\r\n".to_owned(),
        piece: line.into_bytes(),
        pieces: usize::MAX,
        drips: false,
        reason: "message head is too large",
    })
    .await;
}

#[tokio::test]
async fn lists_in_lists_in_lists_are_refused() {
    withstands(Harm::body(INVERTERS, "[", 4 << 20, "more in it than")).await;
    withstands(Harm::body(INVERTERS, "[", 32 << 10, "not JSON")).await;
}

#[tokio::test]
async fn four_megabytes_of_small_objects_do_not_become_four_hundred() {
    withstands(Harm::body(
        INVERTERS,
        r#"{"a":1},"#,
        4 << 20,
        "more in it than",
    ))
    .await;
}

/// The parser looks at each attribute as often as its element has others.
#[tokio::test]
async fn a_document_of_attributes_alone_is_not_looked_at() {
    let attributes: Vec<_> = (0..300_000).map(|one| format!("a{one}=''")).collect();
    let document = format!("<envoy_info {}/>", attributes.join(" "));
    let length = document.len();
    withstands(Harm::body("/info", &document, length, "more in it than")).await;
}

#[tokio::test]
async fn a_head_that_comes_a_byte_at_a_time_is_waited_for_as_long_as_any_answer() {
    let head = "HTTP/1.1 200 OK\r\nX-More:";
    withstands(Harm::drop_by_drop(INVERTERS, head)).await;
    withstands(Harm::drop_by_drop("/info", head)).await;
}

#[tokio::test]
async fn a_body_that_comes_a_byte_at_a_time_is_waited_for_as_long_as_any_answer() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n[";
    withstands(Harm::drop_by_drop(INVERTERS, head)).await;
    // A refusal, whose body is read for what it says.
    let head = "HTTP/1.1 404 x\r\nContent-Length: 1000000\r\n\r\n";
    withstands(Harm {
        reason: "status 404",
        ..Harm::drop_by_drop(INVERTERS, head)
    })
    .await;
}
