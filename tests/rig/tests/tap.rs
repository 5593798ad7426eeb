//! The tap counts what `InfluxDB` hides.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rig::servers::{Influx, Point};
use rig::tap::WriteTap;

const LINE: &str =
    "inverterPower,envoySerial=122012345678,serial=482012345678,type=1 power=212i,maxPower=296i";

struct Writer<'a> {
    influx: &'a Influx,
    tap: &'a WriteTap,
    bucket: &'a str,
}

impl Writer<'_> {
    async fn write(&self, lines: &str, gzip: bool) -> u16 {
        let url = format!(
            "{}/api/v2/write?org={}&bucket={}&precision=s",
            self.tap.url(),
            self.influx.org(),
            self.bucket
        );
        let request = reqwest::Client::new()
            .post(url)
            .header("Authorization", format!("Token {}", self.influx.token()));
        let request = if gzip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(lines.as_bytes()).unwrap();
            request
                .header("Content-Encoding", "gzip")
                .body(encoder.finish().unwrap())
        } else {
            request.body(lines.to_owned())
        };
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn the_tap_counts_double_writes_and_only_what_was_accepted() {
    let test = "the tap counts double writes and only what was accepted";
    let Some(influx) = Influx::start(test).await else {
        return;
    };
    let tap = WriteTap::in_front_of(influx.url()).await;
    let bucket = influx.new_bucket().await;
    let writer = Writer {
        influx: &influx,
        tap: &tap,
        bucket: &bucket,
    };
    let first = format!("{LINE} 1795425300");
    let second = "inverterPower,envoySerial=122012345678,serial=482012345679 \
                  power=-3i,maxPower=0i 1795425360";

    assert_eq!(writer.write(&first, false).await, 204);
    assert_eq!(
        writer.write(&format!("{first}\n{second}\n"), true).await,
        204
    );
    assert_eq!(writer.write("this is no line protocol", true).await, 400);

    assert_eq!(tap.lines(), [first.as_str(), first.as_str(), second]);
    let point = |serial: &str, reported_at, device_type: Option<&str>, power, max_power| Point {
        envoy: "122012345678".to_owned(),
        inverter: serial.to_owned(),
        reported_at,
        device_type: device_type.map(str::to_owned),
        power,
        max_power,
    };
    assert_eq!(
        influx.points(&bucket).await,
        [
            point("482012345678", 1_795_425_300, Some("1"), 212, 296),
            point("482012345679", 1_795_425_360, None, -3, 0),
        ]
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_an_error_and_no_line() {
    let tap = WriteTap::in_front_of("http://127.0.0.1:9").await;
    let answer = reqwest::Client::new()
        .post(format!("{}/api/v2/write", tap.url()))
        .body(LINE)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    assert!(tap.lines().is_empty());
}

#[tokio::test]
async fn a_killed_database_keeps_its_points_and_its_port() {
    let test = "a killed database keeps its points and its port";
    let Some(influx) = Influx::start_own(test).await else {
        return;
    };
    let tap = WriteTap::in_front_of(influx.url()).await;
    let bucket = influx.new_bucket().await;
    let writer = Writer {
        influx: &influx,
        tap: &tap,
        bucket: &bucket,
    };
    assert_eq!(writer.write(&format!("{LINE} 1795425300"), true).await, 204);
    let before = influx.points(&bucket).await;

    influx.kill().await;
    assert_eq!(writer.write(&format!("{LINE} 1795425360"), true).await, 502);
    influx.start_again().await;

    assert_eq!(before.len(), 1);
    assert_eq!(influx.points(&bucket).await, before);
}
