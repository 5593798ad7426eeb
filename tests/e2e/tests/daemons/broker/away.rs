//! A broker that is away for longer than the journal holds.

use rig::gateway::Gateway;
use rig::programs::Binary;
use rig::wait;

use super::{ARRIVAL, DAWN, ENVOY, IMPATIENT_POLLING};

/// More than a journal of the smallest size holds.
const MANY: usize = 9_000;

#[tokio::test]
async fn what_a_full_journal_gives_up_is_said_while_the_broker_is_still_away() {
    let many = ["--report-interval", "300", "--inverters", "150"];
    let clock = ["--start", DAWN, "--speed", "1800"];
    let envoy = Gateway::start(&[&["--serial", ENVOY], &many[..], &clock[..]].concat()).await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, IMPATIENT_POLLING).expect("a file");
    let mut scraper = envoy
        .reader(Binary::Scraper)
        .arg("--config")
        .arg(settings)
        .env("MQTT_URL", "mqtt://127.0.0.1:1")
        .env("JOURNAL_SIZE", "1MiB")
        .spawn();
    wait::until_true("more than the journal holds", ARRIVAL, async || {
        envoy.ledger().len() > MANY
    })
    .await;
    let said = scraper.stderr_line("the oldest are given up").await;
    assert!(said.contains("ERROR"), "{said}");
    assert!(said.contains("JOURNAL_SIZE"), "{said}");
    assert!(scraper.terminate().await.success());
    let given_up = |line: &&String| line.contains("the oldest are given up");
    assert_eq!(scraper.stderr().iter().filter(given_up).count(), 1);
}
