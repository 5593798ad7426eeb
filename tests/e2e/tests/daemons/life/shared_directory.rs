//! Scrapers of several Envoys that were given one state directory, and no serials.

use std::path::Path;

use rig::gateway::Gateway;
use rig::programs::{Binary, Program};

const ENVOYS: [&str; 2] = ["202400000061", "202400000062"];

const SERVES: &str = "publishing this Envoy's readings";

const POLLED: &str = "polled";

fn scraper(envoy: &Gateway, directory: &Path) -> Program {
    envoy
        .reader(Binary::Scraper)
        .env("STATE_DIR", directory)
        .env("RUST_LOG", "info,scraper=debug")
        // Nobody listens there: it makes no difference.
        .env("MQTT_URL", "mqtt://127.0.0.1:9")
        .spawn()
}

#[tokio::test]
async fn a_scraper_that_finds_the_journal_of_another_ones_envoy_in_use_asks_its_own_who_it_is() {
    let firmware = ["--firmware", "5.0.62"];
    let one = Gateway::start(&[&["--serial", ENVOYS[0]], &firmware[..]].concat()).await;
    let other = Gateway::start(&[&["--serial", ENVOYS[1]], &firmware[..]].concat()).await;
    let directory = tempfile::tempdir().unwrap();

    let _first = {
        let program = scraper(&one, directory.path());
        assert!(program.stderr_line(SERVES).await.contains(ENVOYS[0]));
        // From its first reading on the journal is there, and its own.
        program.stderr_line(POLLED).await;
        program
    };
    let mut second = scraper(&other, directory.path());
    assert!(second.stderr_line(SERVES).await.contains(ENVOYS[1]));
    let warning = second.stderr_line("WARN").await;
    assert!(warning.contains("STATE_DIR"), "{warning}");
    assert!(second.terminate().await.success());

    // Of its own Envoy there is none but one.
    let mut third = scraper(&one, directory.path());
    assert!(!third.ended().await.success());
    third.stderr_line("in use by another process").await;
}
