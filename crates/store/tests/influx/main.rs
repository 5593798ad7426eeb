//! The InfluxDB writer against a server that answers as scripted: each row of the table of
//! answers, and that nothing counts as stored which was not.
#![allow(clippy::unwrap_used, clippy::doc_markdown)]

mod faults;
mod probe;
mod refusals;
mod tls;
mod token;

use std::time::Duration;

use secrecy::SecretString;
use store::{InfluxDb, Settings, Store, TokenSource, Written, line};
use wire::{Reading, ReportTime};

use scripted::influx::{Reply, Server};

const TOKEN: &str = "t0psecret-token";

fn reading(serial: &str, seconds: i64) -> Reading {
    Reading {
        envoy: "122012345678".parse().unwrap(),
        measured: wire::Inverter {
            serial: serial.parse().unwrap(),
            reported_at: ReportTime::from_unix_seconds(seconds).unwrap(),
            device_type: Some(1),
            power_w: 212,
            peak_power_w: 296,
            detail: None,
        }
        .into(),
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1,
    }
}

/// Readings of as many inverters, `bad-…` where `bad` says so.
fn readings(count: usize, bad: &[usize]) -> Vec<Reading> {
    let name = |index| {
        let kind = if bad.contains(&index) { "bad" } else { "good" };
        format!("{kind}-{index}")
    };
    (0..count)
        .map(|index| reading(&name(index), 1_795_425_300))
        .collect()
}

fn settings(server: &Server, path: &str) -> Settings {
    Settings {
        url: format!("http://{}{path}", server.address).parse().unwrap(),
        token: TokenSource::Value(SecretString::from(TOKEN)),
        org: "home".into(),
        bucket: "solar".into(),
        timeout: Duration::from_secs(10),
        ca_file: None,
    }
}

fn store(server: &Server) -> InfluxDb {
    InfluxDb::new(settings(server, "")).unwrap()
}

fn has_bad(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains("serial=bad"))
}

#[tokio::test]
async fn a_batch_is_one_compressed_request() {
    let server = Server::start(|_, _| Reply::stored()).await;
    let readings = readings(5_000, &[]);
    let written = store(&server).write(&readings).await.unwrap();
    assert_eq!(written, Written::default());
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(
        request.target,
        "/api/v2/write?org=home&bucket=solar&precision=s"
    );
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(
        request.header("authorization"),
        Some(format!("Token {TOKEN}").as_str())
    );
    let expected: Vec<_> = readings.iter().map(line::render).collect();
    assert_eq!(request.lines, expected);
    let length: usize = request.header("content-length").unwrap().parse().unwrap();
    let plain: usize = expected.iter().map(|line| line.len() + 1).sum();
    assert!(length * 5 < plain, "{length} of {plain} bytes");
}

#[tokio::test]
async fn the_path_of_a_reverse_proxy_is_kept() {
    let server = Server::start(|_, _| Reply::stored()).await;
    let store = InfluxDb::new(settings(&server, "/influx/")).unwrap();
    let _ = store.write(&readings(1, &[])).await.unwrap();
    assert_eq!(
        server.requests()[0].target,
        "/influx/api/v2/write?org=home&bucket=solar&precision=s"
    );
}

#[tokio::test]
async fn nothing_to_write_is_no_request() {
    let server = Server::start(|_, _| Reply::stored()).await;
    let written = store(&server).write(&[]).await.unwrap();
    assert_eq!(written, Written::default());
    assert!(server.requests().is_empty());
}
