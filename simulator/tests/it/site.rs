use std::time::{Duration, Instant};

use reqwest::header::DATE;
use simulator::{Options, OptionsError, Simulator, SiteOptions, Source, StartError};

use crate::client::{http, reports, start, with_password, with_token};

const INVERTERS: &str = "/api/v1/production/inverters";

#[tokio::test]
async fn a_fast_site_shows_new_reports_within_seconds() {
    let simulator = start(SiteOptions {
        speed: 3_600,
        ..SiteOptions::default()
    })
    .await;
    let list = async || {
        let response = with_token(&simulator, INVERTERS).await;
        reports(simulator.serial(), &response.text().await.unwrap())
    };
    let first = list().await;
    assert_eq!(first.len(), 12);
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let now = list().await;
        let renewed = first
            .iter()
            .zip(&now)
            .filter(|(old, new)| new.reported_at > old.reported_at);
        if renewed.count() == 12 {
            break;
        }
        assert!(Instant::now() < deadline, "{now:?}");
        // Each request is a simulated while of its own.
    }
}

#[tokio::test]
async fn info_and_the_date_header_show_the_simulated_clock() {
    let start_at = "2026-03-01T10:00:00+01:00".parse().unwrap();
    let simulator = start(SiteOptions {
        start: Some(start_at),
        ..SiteOptions::default()
    })
    .await;
    let info = http()
        .get(format!("{}/info", simulator.url()))
        .send()
        .await
        .unwrap();
    let date = info.headers()[DATE].to_str().unwrap().to_owned();
    assert!(date.starts_with("Sun, 01 Mar 2026 09:0"), "{date}");
    let info = info.text().await.unwrap();
    let time = info
        .split("<time>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let shown = time.parse::<i64>().unwrap() - start_at.as_second();
    assert!((0..60).contains(&shown), "{shown}");
    assert!(
        info.contains("<sn>122012345678</sn>") && info.contains("<software>D8.3.5169</software>")
    );
    assert!(info.contains("<web-tokens>true</web-tokens>"));
}

#[tokio::test]
async fn a_device_type_appears_with_4_10_and_ghosts_have_date_0() {
    for (firmware, expected) in [("3.9.36", false), ("4.2.33", false), ("4.10.35", true)] {
        let site = SiteOptions {
            firmware: firmware.parse().unwrap(),
            inverters: 3,
            ghosts: 1,
            ..SiteOptions::default()
        };
        let simulator = start(site).await;
        let body = with_password(&simulator, INVERTERS, "envoy", "345678").await;
        let body = body.text().await.unwrap();
        assert_eq!(body.contains("devType"), expected, "{firmware}");
        assert_eq!(body.matches("serialNumber").count(), 4);
        assert_eq!(body.matches("\"lastReportDate\": 0,").count(), 1);
    }
}

#[tokio::test]
async fn totals_have_the_shape_of_their_generation() {
    let get = async |firmware: &str, path: &str| {
        let site = SiteOptions {
            firmware: firmware.parse().unwrap(),
            ..SiteOptions::default()
        };
        let simulator = start(site).await;
        with_token(&simulator, path).await.text().await.unwrap()
    };
    assert!(
        get("3.9.36", "/production.json")
            .await
            .starts_with("<!DOCTYPE html>")
    );
    for firmware in ["5.0.62", "7.6.175", "8.3.5169"] {
        let body = get(firmware, "/production.json?details=1").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["production"][0]["activeCount"], 12);
        let body = get(firmware, "/api/v1/production").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(body["wattHoursLifetime"].as_i64().unwrap() > 0);
    }
}

#[tokio::test]
async fn a_site_without_meters_and_batteries_says_so_as_its_generation_does() {
    for (firmware, meters, batteries, production) in [
        ("3.9.36", 404, 404, 200),
        ("5.0.62", 200, 404, 401),
        ("7.6.175", 200, 200, 200),
    ] {
        let simulator = start(SiteOptions {
            firmware: firmware.parse().unwrap(),
            ..SiteOptions::default()
        })
        .await;
        for (path, expected) in [
            ("/ivp/meters", meters),
            ("/ivp/meters/readings", meters),
            ("/ivp/ensemble/inventory", batteries),
        ] {
            let response = with_token(&simulator, path).await;
            assert_eq!(response.status(), expected, "{firmware} {path}");
            if expected == 200 {
                assert!(!response.headers().contains_key("content-type"));
                assert_eq!(response.text().await.unwrap(), "[]");
            }
        }
        let answered = with_token(&simulator, "/production").await.status();
        assert_eq!(answered, production, "{firmware}");
    }
}

#[tokio::test]
async fn a_stopped_simulator_gives_its_address_back() {
    let simulator = start(SiteOptions::default()).await;
    let address = simulator
        .url()
        .strip_prefix("https://")
        .unwrap()
        .parse()
        .unwrap();
    simulator.stop().await;
    let again = Options {
        listen: address,
        ..Options::default()
    };
    Simulator::start(again).await.unwrap().stop().await;
}

#[tokio::test]
async fn impossible_options_name_value_and_remedy() {
    let refused = async |site: SiteOptions| {
        let options = Options {
            source: Source::Site(site),
            ..Options::default()
        };
        let error = Simulator::start(options).await.unwrap_err();
        assert!(error.is_bad_input());
        match error {
            StartError::Options(error) => error.to_string(),
            other => panic!("{other}"),
        }
    };
    let none = SiteOptions {
        inverters: 0,
        ..SiteOptions::default()
    };
    assert!(
        refused(none)
            .await
            .starts_with("inverters is 0: give at least 1")
    );
    let slow = SiteOptions {
        speed: 0,
        ..SiteOptions::default()
    };
    assert!(refused(slow).await.starts_with("speed is 0: give"));
    let odd = SiteOptions {
        report_interval_s: 60,
        ..SiteOptions::default()
    };
    assert!(refused(odd).await.contains("60 s: give 300"));
    let start = Some(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1));
    let late = SiteOptions {
        start,
        ..SiteOptions::default()
    };
    assert!(refused(late).await.starts_with("start is "));
    let ancient = SiteOptions {
        firmware: "3.7".parse().unwrap(),
        ..SiteOptions::default()
    };
    let expected = OptionsError::Firmware("3.7".parse().unwrap()).to_string();
    assert_eq!(refused(ancient).await, expected);
}
