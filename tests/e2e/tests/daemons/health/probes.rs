//! Well, ready, and the sub-command that asks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::programs::{Binary, Start};

use super::{address, get, is_ready, listening, metric, shows, status};
use crate::WITH_SUN;

const ENVOY: &str = "202400000071";

/// Where nobody listens.
const NOBODY: &str = "127.0.0.1:1";

#[tokio::test]
async fn a_scraper_is_well_while_envoy_and_broker_are_away_and_ready_once_the_envoy_let_it_in() {
    let envoy = Gateway::start(&WITH_SUN).await;
    envoy.inject("refuse").await;
    let start = envoy
        .reader(Binary::Scraper)
        .env("MQTT_URL", format!("mqtt://{NOBODY}"));
    let directory = tempfile::tempdir().expect("a directory");
    let settings = directory.path().join("settings.toml");
    std::fs::write(&settings, "[testing]\npoll_interval = \"100ms\"\n").expect("it can be written");
    let scraper = listening(start).arg("--config").arg(&settings).spawn();
    let address = address(&scraper).await;

    // Some polls have failed, and it is well all the same.
    shows_failures(&address).await;
    assert_eq!(status(&address, "/healthz").await, 200);
    let (unready, why) = get(&address, "/readyz").await.expect("it listens");
    assert_eq!(unready, 503);
    let waits = "waits for the first readings of the Envoy (";
    assert!(why.starts_with(waits), "{why}");
    assert_eq!(
        metric(&address, "envoy_scraper_last_poll_timestamp_seconds").await,
        Some(0.0)
    );
    // Not 0, which would be an expiry, and not the one of a token that the Envoy was not shown.
    let expiry = "envoy_scraper_token_expiry_timestamp_seconds";
    assert_eq!(metric(&address, expiry).await, None);

    envoy.heal().await;
    is_ready(&address).await;
    let token = std::fs::read_to_string(envoy.token_file().expect("firmware 8 has one"));
    shows(&address, expiry, expiry_of(&token.expect("a token"))).await;
    shows(&address, "envoy_scraper_broker_connected", 0.0).await;
    assert_eq!(status(&address, "/healthz").await, 200);

    // Ready once is ready for good: a service is not taken away because its Envoy has a bad day.
    envoy.stop().await;
    assert_eq!(status(&address, "/readyz").await, 200);

    let asked = |listen: &str| {
        let start = Start::new(Binary::Scraper).arg("health");
        start.env("LISTEN", listen).to_end()
    };
    let answer = asked(&address);
    assert_eq!(answer.status.code(), Some(0), "{answer:?}");
    assert_eq!(answer.stdout, b"ok\n");
    assert!(answer.stderr.is_empty(), "{answer:?}");
}

/// When a token expires, in Unix seconds, as it says itself.
fn expiry_of(token: &str) -> f64 {
    let claims = token.split('.').nth(1).expect("three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    claims["exp"].as_f64().expect("a time")
}

async fn shows_failures(address: &str) {
    let failed = "envoy_scraper_polls_failed_total{kind=\"unreachable\"}";
    rig::wait::until_true("some polls that failed", crate::ARRIVAL, async || {
        metric(address, failed)
            .await
            .is_some_and(|count| count > 2.0)
    })
    .await;
}

#[tokio::test]
async fn a_receiver_is_ready_with_nothing_to_store_and_stays_well_without_broker_and_store() {
    let test = "a receiver is ready with nothing to store and stays well without broker and store";
    let Some(chain) = Chain::start_own(test, &[ENVOY]).await else {
        return;
    };
    let receiver = listening(chain.receiver()).spawn();
    let address = address(&receiver).await;
    is_ready(&address).await;
    shows(&address, "envoy_receiver_broker_connected", 1.0).await;
    assert_eq!(
        metric(&address, "envoy_receiver_points_written_total").await,
        Some(0.0)
    );

    chain.broker.stop().await;
    chain.influx.kill().await;
    shows(&address, "envoy_receiver_broker_connected", 0.0).await;
    assert_eq!(status(&address, "/healthz").await, 200);
    assert_eq!(status(&address, "/readyz").await, 200);
}

#[tokio::test]
async fn a_receiver_that_reaches_nobody_is_well_and_says_what_it_waits_for() {
    let start = Start::new(Binary::Receiver)
        .env("MQTT_URL", format!("mqtt://{NOBODY}"))
        .env("INFLUX_URL", format!("http://{NOBODY}"))
        .env("INFLUX_TOKEN", "a-token-that-is-not-shown")
        .env("INFLUX_ORG", "org")
        .env("INFLUX_BUCKET", "bucket");
    let receiver = listening(start).spawn();
    let address = address(&receiver).await;
    assert_eq!(status(&address, "/healthz").await, 200);
    let (unready, why) = get(&address, "/readyz").await.expect("it listens");
    assert_eq!(unready, 503);
    let waits = "waits for the broker to take its subscriptions and the store to answer";
    assert!(why.starts_with(waits), "{why}");
    assert!(!why.contains("a-token"), "{why}");
}

#[tokio::test]
async fn who_asks_needs_no_other_setting_and_gets_one_line_and_a_code() {
    for binary in [Binary::Scraper, Binary::Receiver, Binary::Standalone] {
        let ask = Start::new(binary).arg("health");
        let unset = ask.to_end();
        assert_eq!(unset.status.code(), Some(64), "{unset:?}");
        let said = String::from_utf8_lossy(&unset.stderr);
        assert!(said.contains("LISTEN: missing"), "{said}");

        let nobody = ask.clone().env("LISTEN", NOBODY).to_end();
        assert_eq!(nobody.status.code(), Some(1), "{nobody:?}");
        let said = String::from_utf8_lossy(&nobody.stderr);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("nobody answers at 127.0.0.1"), "{said}");

        let wrong = ask.env("LISTEN", "9464").to_end();
        assert_eq!(wrong.status.code(), Some(64), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_ends_each_program_with_what_to_do() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let taken = taken
        .local_addr()
        .map(|address| (taken, address))
        .expect("it is bound");
    let (_held, address) = taken;
    let receiver = Start::new(Binary::Receiver)
        .env("INFLUX_TOKEN", "a-token")
        .env("INFLUX_ORG", "org")
        .env("INFLUX_BUCKET", "bucket");
    for start in [
        receiver,
        Start::new(Binary::Scraper),
        Start::new(Binary::Standalone),
    ] {
        let mut program = start.env("LISTEN", address.to_string()).spawn();
        assert_eq!(program.ended().await.code(), Some(1));
        let said = program.stderr().join("\n");
        assert!(
            said.contains(&format!("can't be served at {address}")),
            "{said}"
        );
        assert!(said.contains("setting: LISTEN"), "{said}");
    }
}
