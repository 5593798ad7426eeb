//! What changes while a gateway runs: firmware, certificate, inverters; and its reboots.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::tls::TlsInfo;
use serde_json::Value;
use simulator::{Options, Simulator, SiteOptions, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{http, start, with_password, with_token};
use crate::recorded::recording;

mod certificates;
mod ports;

const INVERTERS: &str = "/api/v1/production/inverters";
const DEADLINE: Duration = Duration::from_secs(30);

fn site(firmware: &str) -> SiteOptions {
    SiteOptions {
        firmware: firmware.parse().unwrap(),
        start: Some("2026-06-15T12:00:00Z".parse().unwrap()),
        ..SiteOptions::default()
    }
}

/// The list, by whatever its firmware asks for.
async fn list(simulator: &Simulator) -> Vec<Value> {
    let response = if simulator.url().starts_with("https") {
        with_token(simulator, INVERTERS).await
    } else {
        with_password(simulator, INVERTERS, "envoy", "345678").await
    };
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn without_types(mut rows: Vec<Value>) -> Vec<Value> {
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("devType");
    }
    rows
}

fn update(simulator: &Simulator, firmware: &str) {
    simulator.update(firmware.parse().unwrap()).unwrap();
}

async fn status(simulator: &Simulator, path: &str) -> u16 {
    let url = format!("{}{path}", simulator.url());
    http().get(url).send().await.unwrap().status().as_u16()
}

/// What the gateway's clock shows, in Unix seconds.
async fn clock(simulator: &Simulator) -> i64 {
    let info = http().get(format!("{}/info", simulator.url()));
    let info = info.send().await.unwrap().text().await.unwrap();
    let (_, time) = info.split_once("<time>").unwrap();
    time.split('<').next().unwrap().parse().unwrap()
}

/// The certificate that a client sees.
async fn shown_certificate(simulator: &Simulator) -> Vec<u8> {
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true)
        .build()
        .unwrap();
    let url = format!("{}/info", simulator.url());
    let response = client.get(url).send().await.unwrap();
    let info: &TlsInfo = response.extensions().get().unwrap();
    info.peer_certificate().unwrap().to_vec()
}

#[tokio::test]
async fn an_update_changes_scheme_and_authentication_and_keeps_what_was_measured() {
    let simulator = start(site("3.9.36")).await;
    let port = simulator.url().rsplit(':').next().unwrap().to_owned();
    let first = list(&simulator).await;
    assert_eq!(first.len(), 12);
    assert!(first.iter().all(|row| row.get("devType").is_none()));
    for (firmware, scheme) in [
        ("5.0.62", "http"),
        ("7.6.175", "https"),
        ("8.3.5433", "https"),
        ("5.0.62", "http"),
    ] {
        update(&simulator, firmware);
        assert_eq!(simulator.url(), format!("{scheme}://127.0.0.1:{port}"));
        let rows = list(&simulator).await;
        assert!(rows.iter().all(|row| row["devType"] == 1), "{firmware}");
        assert_eq!(without_types(rows), first, "{firmware}");
        let info = http().get(format!("{}/info", simulator.url()));
        let info = info.send().await.unwrap().text().await.unwrap();
        assert!(
            info.contains(&format!("<software>D{firmware}</software>")),
            "{info}"
        );
        assert!(info.contains("<sn>122012345678</sn>"), "{info}");
    }
}

#[tokio::test]
async fn an_update_ends_the_connections_of_the_firmware_before() {
    let simulator = start(site("5.0.62")).await;
    let address = simulator.url().split_off("http://".len());
    let mut open = TcpStream::connect(&address).await.unwrap();
    let mut asking = TcpStream::connect(&address).await.unwrap();
    asking.write_all(b"GET /info HTT").await.unwrap();
    update(&simulator, "7.6.175");
    for stream in [&mut open, &mut asking] {
        let ended = timeout(DEADLINE, stream.read(&mut [0; 64])).await.unwrap();
        assert!(ended.is_err() || matches!(ended, Ok(0)), "{ended:?}");
    }
}

#[tokio::test]
async fn a_rebooting_gateway_refuses_connections_and_then_knows_no_session() {
    let simulator = start(site("8.3.5169")).await;
    let checked = with_token(&simulator, "/auth/check_jwt").await;
    let cookie = checked.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    simulator.reboot(Duration::from_hours(1), Duration::ZERO);
    let address = simulator.url().split_off("https://".len());
    let refused = async {
        while !matches!(
            TcpStream::connect(&address).await,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused
        ) {}
    };
    timeout(DEADLINE, refused).await.unwrap();
    simulator.heal();
    let opened = async { while TcpStream::connect(&address).await.is_err() {} };
    timeout(DEADLINE, opened).await.unwrap();
    let request = http().get(format!("{}{INVERTERS}", simulator.url()));
    let response = request.header(COOKIE, cookie.split(';').next().unwrap());
    assert_eq!(response.send().await.unwrap().status(), 401);
    assert_eq!(list(&simulator).await.len(), 12);
}

#[tokio::test]
async fn a_gateway_wakes_busy_where_that_is_its_way_and_then_with_an_empty_list() {
    for (firmware, busy) in [("5.0.62", false), ("8.3.5169", true)] {
        let simulator = start(site(firmware)).await;
        simulator.reboot(Duration::ZERO, Duration::from_hours(1));
        assert_eq!(status(&simulator, "/info").await == 503, busy, "{firmware}");
        if !busy {
            assert_eq!(list(&simulator).await, Vec::<Value>::new());
        }
        simulator.heal();
        assert_eq!(list(&simulator).await.len(), 12);
    }

    let simulator = start(site("8.3.5169")).await;
    simulator.reboot(Duration::ZERO, Duration::from_secs(1));
    let awake = async {
        let mut seen = Vec::new();
        while seen.last() != Some(&"all") {
            let response = with_token(&simulator, INVERTERS).await;
            let busy = response.status() == 503;
            let said = match (busy, response.text().await.unwrap().as_str()) {
                (true, _) => "busy",
                (false, "[]\n") => "none",
                (false, _) => "all",
            };
            if seen.last() != Some(&said) {
                seen.push(said);
            }
        }
        seen
    };
    let seen = timeout(DEADLINE, awake).await.unwrap();
    // A slow machine can miss one of them, but never sees them in another order.
    let mut order = ["busy", "none", "all"].iter();
    assert!(
        seen.iter().all(|said| order.any(|next| next == said)),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_replaced_inverter_stays_listed_and_the_new_one_has_no_date_until_it_reports() {
    let simulator = start(SiteOptions {
        // Five minutes in half a second.
        speed: 600,
        ..site("8.3.5169")
    })
    .await;
    let old = list(&simulator).await[3]["serialNumber"]
        .as_str()
        .unwrap()
        .to_owned();
    let new = simulator.replace(&old).unwrap();
    let row = |rows: &[Value], serial: &str| {
        let mut rows = rows.iter();
        rows.find(|row| row["serialNumber"] == serial)
            .unwrap()
            .clone()
    };
    let rows = list(&simulator).await;
    assert_eq!(rows.len(), 13);
    let retired = row(&rows, &old);
    assert_ne!(retired["lastReportDate"], 0);
    let fresh = row(&rows, &new);
    assert_eq!(fresh["lastReportDate"], 0);
    assert_eq!(fresh["maxReportWatts"], 0);

    let reported = async {
        loop {
            let rows = list(&simulator).await;
            let fresh = row(&rows, &new);
            if fresh["lastReportDate"] != 0 {
                return (fresh, row(&rows, &old));
            }
        }
    };
    let (fresh, old_then) = timeout(DEADLINE, reported).await.unwrap();
    assert!(fresh["lastReportDate"].as_i64() > retired["lastReportDate"].as_i64());
    assert_eq!(old_then, retired, "it has said its last");
    let refused = simulator.replace(&old).unwrap_err();
    assert!(
        refused.to_string().contains("is no inverter in use"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_recording_keeps_its_firmware_and_its_inverters() {
    let Some(recording) = recording("8.1.41") else {
        return;
    };
    let simulator = Simulator::start(Options {
        source: Source::Recording(recording),
        ..Options::default()
    })
    .await
    .unwrap();
    let refused = simulator.update("8.3.5169".parse().unwrap()).unwrap_err();
    assert!(refused.to_string().contains("simulate a site"), "{refused}");
    let refused = simulator.replace("482000000001").unwrap_err();
    assert!(refused.to_string().contains("simulate a site"), "{refused}");
    simulator.renew_certificate().unwrap();
    simulator.reboot(Duration::ZERO, Duration::ZERO);
    assert_eq!(status(&simulator, "/info").await, 200);
}

#[tokio::test]
async fn there_is_no_update_to_a_firmware_that_a_site_can_not_have() {
    let simulator = start(site("8.3.5169")).await;
    for firmware in ["3.8.10", "9.0.1"] {
        let refused = simulator.update(firmware.parse().unwrap()).unwrap_err();
        assert!(refused.to_string().contains("3.9 to 8.x"), "{refused}");
    }
    assert_eq!(list(&simulator).await.len(), 12);
}

#[tokio::test]
async fn a_session_ends_after_ten_minutes_of_the_gateways_clock() {
    let simulator = start(SiteOptions {
        // Ten minutes in a tenth of a second.
        speed: 6_000,
        ..site("8.3.5169")
    })
    .await;
    let checked = with_token(&simulator, "/auth/check_jwt").await;
    let cookie = checked.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with_cookie = async || {
        let request = http().get(format!("{}{INVERTERS}", simulator.url()));
        let response = request.header(COOKIE, &cookie).send().await.unwrap();
        response.status().as_u16()
    };
    let used = clock(&simulator).await;
    // To look at the clock is no use of the session.
    let idle = async { while clock(&simulator).await <= used + 1_200 {} };
    timeout(DEADLINE, idle).await.unwrap();
    assert_eq!(with_cookie().await, 401);
}

#[tokio::test]
async fn in_an_outage_of_the_night_requests_hang_by_the_gateways_clock() {
    let simulator = Simulator::start(Options {
        source: Source::Site(SiteOptions {
            start: Some("2026-06-15T23:01:00Z".parse().unwrap()),
            // A minute in half a second.
            speed: 120,
            ..SiteOptions::default()
        }),
        faults: vec!["nightly".parse().unwrap()],
        ..Options::default()
    })
    .await
    .unwrap();
    let time = timeout(DEADLINE, clock(&simulator)).await.unwrap();
    let asked: jiff::Timestamp = "2026-06-15T23:01:00Z".parse().unwrap();
    assert!(time - asked.as_second() >= 30, "{time}");
}
