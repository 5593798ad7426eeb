//! Another Envoy in the place of the one that was read.

use rig::gateway::Gateway;
use rig::programs::{Binary, Start};

use super::{Neighbourhood, OLD, goes_on};
use crate::alone::{NO_BROKER, POLLED, said};

/// What it logs at `trace` before each poll.
const POLLING: &str = "polling";

/// The scraper of whichever Envoy is at this address.
fn scraper(here: &Neighbourhood, envoy: &Gateway, poll_interval: &str) -> Start {
    let file = here.directory.path().join("replaced.toml");
    let testing = format!("[testing]\npoll_interval = \"{poll_interval}\"\n");
    std::fs::write(&file, testing).expect("the file is written");
    Start::new(Binary::Scraper)
        .env("MQTT_URL", NO_BROKER)
        .env("STATE_DIR", here.directory.path().join("state"))
        .env("ENVOY_HOST", envoy.url())
        .env("RUST_LOG", "info,scraper=trace")
        .arg("--config")
        .arg(file)
}

async fn replaced(envoy: Gateway, serial: &str) -> Gateway {
    let beginning = "2026-06-21T12:00:00Z".parse().expect("a time");
    envoy.stop().await.replaced_by(serial, beginning).await
}

#[tokio::test]
async fn an_envoy_that_is_replaced_at_its_address_is_read_without_a_restart() {
    let here = Neighbourhood::new();
    let envoy = here.envoy("122000000001", &OLD).await;
    let mut scraper = scraper(&here, &envoy, "1s").spawn();
    goes_on(&envoy).await;
    let envoy = replaced(envoy, "122000000002").await;
    scraper
        .stderr_line("this is another Envoy than before")
        .await;
    goes_on(&envoy).await;
    let lines = scraper.stderr();
    let shouted = lines.iter().find(|line| line.contains("ERROR"));
    assert_eq!(shouted, None, "nobody has to do anything");
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn with_a_serial_in_the_settings_no_other_envoy_is_read_however_long_it_stays() {
    let here = Neighbourhood::new();
    let envoy = here.envoy("122000000001", &OLD).await;
    let scraper = scraper(&here, &envoy, "250ms").env("ENVOY_SERIAL", "122000000001");
    let mut scraper = scraper.spawn();
    goes_on(&envoy).await;
    let envoy = replaced(envoy, "122000000002").await;
    let before = envoy.ledger().len();
    scraper
        .stderr_line("change the serial if the Envoy was replaced")
        .await;
    crate::alone::says_more(&scraper, POLLING, 8).await;
    assert_eq!(envoy.ledger().len(), before);
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn no_envoy_is_asked_twice_within_an_interval_where_it_is_met_for_the_first_time_or_instead_of_another()
 {
    let here = Neighbourhood::new();
    let mut envoy = here.envoy("122000000001", &OLD).await;
    // The second one is met by a scraper that has the journal of the first.
    for next in [Some("122000000002"), None] {
        let mut scraper = scraper(&here, &envoy, "10m").spawn();
        scraper.stderr_line(POLLED).await;
        for once in [POLLING, POLLED, "found the Envoy"] {
            let lines = scraper.stderr();
            assert_eq!(said(&scraper, once), 1, "{once}: {lines:#?}");
        }
        assert!(scraper.terminate().await.success());
        if let Some(serial) = next {
            envoy = replaced(envoy, serial).await;
        }
    }
}
