use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use store::MarkedStore as _;
use store::Marks;

use super::*;

/// A page over a store with one inverter, and no broker.
async fn page(directory: &std::path::Path) -> Page {
    let store = Sqlite::open(directory.join("readings.sqlite")).expect("a store");
    let reading = |at, power_w| wire::Reading {
        envoy: "122012345678".parse().expect("a serial"),
        measured: wire::Inverter {
            serial: "482012345678".parse().expect("a serial"),
            reported_at: wire::ReportTime::from_unix_seconds(at).expect("a time"),
            device_type: Some(1),
            power_w,
            peak_power_w: 296,
            detail: None,
        }
        .into(),
        journal: "k3x9m2pq".parse().expect("an id"),
        seq: 1,
    };
    let readings = [reading(1_795_000_200, 0), reading(1_795_000_500, 120)];
    let _ = store
        .store(&readings, &Marks::default())
        .await
        .expect("stored");
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let nowhere = (Ipv4Addr::LOCALHOST, 1).into();
    let service = Service::of_process();
    start(Some(any), store, nowhere, &service, true)
        .await
        .expect("a page")
}

/// The whole answer to a request for `path` with these lines in its head.
async fn ask(page: &Page, path: &str, head: &str) -> String {
    let address = page.address;
    let request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{head}\r\n");
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    asked.await.expect("asked")
}

const HERE: &str = "Host: localhost:8340\r\n";

#[tokio::test]
async fn a_series_has_the_average_power_of_each_span_and_the_energy_of_all() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let range = "from=1795000200&until=1795000800&step=300";
    for path in ["site", "inverters/482012345678"] {
        let answer = ask(&page, &format!("/api/v1/{path}?{range}"), HERE).await;
        assert!(answer.contains(r#""power_w":[120,0]"#), "{answer}");
        assert!(answer.contains(r#""energy_wh":10"#), "{answer}");
    }
}

#[tokio::test]
async fn now_lists_an_inverter_that_has_been_silent_for_long_as_not_reporting() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let answer = ask(&page, "/api/v1/now", HERE).await;
    for part in [
        r#""inverters_total":1"#,
        r#""serial":"482012345678""#,
        r#""simulated":true"#,
    ] {
        assert!(answer.contains(part), "{answer}");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    for (path, status, remedy) in [
        ("site?from=2&until=1", 400, "until has to be after from"),
        ("site?from=1&until=99999999", 400, "at most 32 days"),
        (
            "site?until=1795000800&step=1",
            400,
            "step is no whole number from 60",
        ),
        (
            "site?from=1794000000&until=1795000000&step=60",
            400,
            "a longer step",
        ),
        ("site?from=yesterday", 400, "from is no whole number"),
        ("days?days=32", 400, "from 1 to 31"),
        ("days?zone=Mars/Olympus", 400, "such as Europe/Berlin"),
        ("inverters/1", 404, "/api/v1/now lists them"),
        ("inverters/%3Cscript%3E", 400, "is not a serial number"),
        ("nothing", 404, "there is /api/v1/now"),
    ] {
        let answer = ask(&page, &format!("/api/v1/{path}"), HERE).await;
        let begins = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&begins), "{path}: {answer}");
        assert!(answer.contains(remedy), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_and_another_sites_page_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    for (head, status) in [
        ("Host: 127.0.0.1:8340\r\n", 200),
        ("Host: [::1]:8340\r\n", 200),
        ("Host: localhost\r\nOrigin: http://localhost\r\n", 200),
        ("Host: solar.example\r\n", 403),
        ("Host: 127.0.0.1.example:8340\r\n", 403),
        ("Host: 192.0.2.7:8340\r\n", 403),
        ("Host: localhost\r\nOrigin: http://solar.example\r\n", 403),
        ("Host: localhost\r\nOrigin: null\r\n", 403),
        (
            "Host: localhost:8340\r\nOrigin: http://localhost:9000\r\n",
            403,
        ),
    ] {
        let answer = ask(&page, "/api/v1/now", head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{head}: {answer}"
        );
    }
}

#[tokio::test]
async fn every_answer_forbids_foreign_content() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    for path in [
        "/",
        "/page.js",
        "/page.css",
        "/uplot.js",
        "/uplot.css",
        "/api/v1/now",
        "/api/nothing",
    ] {
        let answer = ask(&page, path, HERE).await.to_lowercase();
        assert!(
            answer.contains("content-security-policy: default-src 'none'"),
            "{path}"
        );
        assert!(answer.contains("x-content-type-options: nosniff"), "{path}");
    }
}
