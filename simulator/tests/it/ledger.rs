use std::path::Path;

use simulator::{ShownReport, SiteOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::client::{
    answer, challenge, ledger, reports, sorted, start_with_ledger, with_password, with_token,
};

const INVERTERS: &str = "/api/v1/production/inverters";

async fn list(simulator: &simulator::Simulator) -> Vec<ShownReport> {
    let body = with_token(simulator, INVERTERS).await.text().await.unwrap();
    reports(simulator.serial(), &body)
}

fn fast() -> SiteOptions {
    let start = Some("2026-06-15T10:00:00Z".parse().unwrap());
    SiteOptions {
        speed: 3_600,
        ghosts: 2,
        start,
        ..SiteOptions::default()
    }
}

#[tokio::test]
async fn it_holds_what_a_client_saw_each_report_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = start_with_ledger(fast(), Some(&path)).await;
    let mut seen: Vec<ShownReport> = Vec::new();
    while seen.len() < 60 {
        for report in list(&simulator).await {
            if !seen.contains(&report) {
                seen.push(report);
            }
        }
    }
    // A line can come a moment after its answer; when this returns all are written.
    simulator.stop().await;
    assert_eq!(ledger(&path), sorted(seen));
}

#[tokio::test]
async fn a_ledger_is_continued_and_repeats_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let site = SiteOptions { speed: 1, ..fast() };
    let mut shown = Vec::new();
    for _ in 0..2 {
        let simulator = start_with_ledger(site.clone(), Some(&path)).await;
        shown = list(&simulator).await;
        simulator.stop().await;
    }
    assert_eq!(ledger(&path), shown);
}

#[tokio::test]
async fn a_refusal_and_other_endpoints_leave_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let firmware = "5.0.62".parse().unwrap();
    let simulator = start_with_ledger(SiteOptions { firmware, ..fast() }, Some(&path)).await;
    with_password(&simulator, INVERTERS, "installer", "wrong")
        .await
        .text()
        .await
        .unwrap();
    with_token(&simulator, "/info").await.text().await.unwrap();
    with_token(&simulator, "/api/v1/production")
        .await
        .text()
        .await
        .unwrap();
    simulator.stop().await;
    assert_eq!(ledger(&path), []);
}

/// Asks for a list larger than what two sockets hold, reads its beginning only, and hangs up.
async fn cut_off(url: &str, authorization: &str) {
    let address = url.strip_prefix("http://").unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(32 * 1024).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let request = format!(
        "GET {INVERTERS} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut beginning = vec![0; 1_000];
    stream.read_exact(&mut beginning).await.unwrap();
    let beginning = String::from_utf8(beginning).unwrap();
    assert!(beginning.starts_with("HTTP/1.1 200 OK"));
    let (_, length) = beginning.split_once("Content-Length: ").unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    assert!(length > 300_000, "{length}");
}

async fn large_site(path: &Path) -> simulator::Simulator {
    let site = SiteOptions {
        firmware: "5.0.62".parse().unwrap(),
        inverters: 2_300,
        report_interval_s: 3_600,
        speed: 1,
        ..fast()
    };
    start_with_ledger(site, Some(path)).await
}

#[tokio::test]
async fn an_answer_that_the_client_cuts_off_leaves_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let simulator = large_site(&path).await;
    let challenged = challenge(&simulator, INVERTERS).await;
    let authorization = answer(&challenged, INVERTERS, "envoy", "345678");
    cut_off(&simulator.url(), &authorization).await;
    // Connections have ended when this returns.
    simulator.stop().await;
    assert_eq!(ledger(&path), []);

    // The same, read to its end, leaves them all.
    let simulator = large_site(&path).await;
    let body = with_password(&simulator, INVERTERS, "envoy", "345678")
        .await
        .text()
        .await
        .unwrap();
    simulator.stop().await;
    assert_eq!(ledger(&path), reports("122012345678", &body));
}
