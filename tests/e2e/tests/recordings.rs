//! Every recorded gateway, replayed by the simulator and read by the real scraper.

#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use rig::gateway::Gateway;
use rig::ledger::Report;
use rig::programs::Binary;
use rig::recordings::{self, Recording};
use rig::wait;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a first poll may take on a machine that builds beside it.
const A_POLL: Duration = Duration::from_mins(1);

async fn replay(recording: &Recording) -> Gateway {
    let directory = recording.directory().to_str().unwrap();
    Gateway::start(&["--recording", directory]).await
}

#[tokio::test]
async fn what_print_shows_equals_what_the_gateway_recorded() {
    for recording in recordings::all().iter().filter(|r| r.lists_inverters()) {
        let gateway = replay(recording).await;
        let output = gateway
            .reader(Binary::Scraper)
            .args(["print", "--json"])
            .to_end();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {errors}", recording.name());
        let mut printed: Vec<Report> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .filter(|line| line.contains("\"reported_at\""))
            .map(Report::published)
            .collect();
        printed.sort();
        assert!(!printed.is_empty(), "{} lists inverters", recording.name());
        assert_eq!(printed, recording.reports(), "{}", recording.name());
    }
}

#[tokio::test]
async fn a_gateway_that_rejects_the_password_is_answered_with_what_to_check() {
    let all = recordings::all();
    let rejecting: Vec<_> = all.iter().filter(|r| !r.lists_inverters()).collect();
    assert_eq!(rejecting.len(), usize::from(!all.is_empty()));
    for recording in rejecting {
        let gateway = replay(recording).await;
        let output = gateway.reader(Binary::Scraper).arg("print").to_end();
        assert_eq!(output.status.code(), Some(1), "{}", recording.name());
        assert!(output.stdout.is_empty());
        let errors = String::from_utf8(output.stderr).unwrap();
        for part in ["installer", "ENVOY_USERNAME", "ENVOY_PASSWORD"] {
            assert!(errors.contains(part), "{part} is missing in: {errors}");
        }
    }
}

#[tokio::test]
async fn the_table_has_a_row_for_each_inverter_and_the_sum_of_those_that_report() {
    for recording in recordings::all().iter().filter(|r| r.lists_inverters()) {
        let gateway = replay(recording).await;
        let output = gateway.reader(Binary::Scraper).arg("print").to_end();
        let table = String::from_utf8(output.stdout).unwrap();
        let mut reports = recording.reports();
        // What an AC battery gives is no production.
        reports.retain(|report| report.device_type != Some(11));
        // Three intervals of an inverter that reports each five minutes, the shortest one: who has reported since is not
        // silent, whatever its interval is. In no recording anybody is away for longer.
        let newest = reports.iter().map(|report| report.reported_at).max();
        let lately = newest.unwrap() - 3 * 300;
        let mut sum = 0;
        for report in &reports {
            let row = table
                .lines()
                .find(|line| line.starts_with(&report.inverter))
                .unwrap_or_else(|| panic!("{} in:\n{table}", report.inverter));
            assert!(row.contains(&format!(" {} W", report.power_w)), "{row}");
            let is_reporting = report.reported_at >= lately;
            assert_eq!(row.contains(" reporting "), is_reporting, "{row}");
            sum += i32::from(is_reporting) * report.power_w;
        }
        let together = table.lines().find(|line| line.starts_with("together"));
        let together = together.unwrap_or_else(|| panic!("no sum in:\n{table}"));
        assert!(
            together.ends_with(&format!(" {sum} W")),
            "{sum} in:\n{table}"
        );
    }
}

/// What the page of a single process says of the Envoy, once it has read it.
async fn gateway_state(gateway: &Gateway) -> Value {
    let state = tempfile::tempdir().unwrap();
    let mut program = gateway
        .reader(Binary::Standalone)
        .args(["--broker-listen", "127.0.0.1:0", "--page", "127.0.0.1:0"])
        .arg("--state-dir")
        .arg(state.path())
        .spawn();
    let line = program.stdout_line("page       http://").await;
    let (_, page) = line.split_once("http://").unwrap();
    let page = page.split(['/', ' ']).next().unwrap();
    let read = wait::until("the Envoy was read", A_POLL, async || {
        let state = now(page).await["chain"]["gateway"].take();
        state["last_poll_at"].is_string().then_some(state)
    });
    let read = read.await;
    assert!(program.terminate().await.success());
    read
}

async fn now(page: &str) -> Value {
    let mut stream = TcpStream::connect(page).await.unwrap();
    let request = format!("GET /api/v1/now HTTP/1.1\r\nHost: {page}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn what_ac_batteries_said_days_ago_is_stale_and_all_else_that_was_recorded_is_not() {
    for recording in recordings::all().iter().filter(|r| r.lists_inverters()) {
        let gateway = replay(recording).await;
        let state = gateway_state(&gateway).await;
        let expected: &[&str] = match recording.name() {
            "8.2.4382_ACB" => &["batteries/acb"],
            _ => &[],
        };
        assert_eq!(
            state["stale"],
            serde_json::json!(expected),
            "{}",
            recording.name()
        );
    }
}
