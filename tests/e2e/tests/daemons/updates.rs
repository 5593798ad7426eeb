//! Firmware updates in the middle of a run: they come unannounced, and change scheme and authentication.

use rig::gateway::Gateway;
use rig::programs::Binary;
use rig::wait;

use crate::{ARRIVAL, WITH_SUN};

#[tokio::test]
async fn a_scraper_reads_on_through_updates_from_5_0_to_7_6_and_8_3_without_a_restart() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("scraper.toml");
    std::fs::write(&file, "[testing]\npoll_interval = \"1s\"\n").expect("the file is written");
    let envoy = Gateway::start(&[&["--firmware", "5.0.62"][..], &WITH_SUN].concat()).await;
    let mut scraper = envoy
        .reader_at(envoy.address(), Binary::Scraper)
        .env("MQTT_URL", "mqtt://127.0.0.1:9")
        .arg("--config")
        .arg(file)
        .spawn();
    goes_on(&envoy).await;
    for firmware in ["7.6.175", "8.3.5433"] {
        envoy.update(firmware).await;
        let line = scraper.stderr_line("the Envoy has another firmware").await;
        assert!(line.contains("before="), "{line}");
        scraper.stderr_line(&format!("firmware={firmware}")).await;
        goes_on(&envoy).await;
    }
    let errors = scraper.stderr().into_iter();
    let errors: Vec<_> = errors.filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors, [""; 0]);
    assert!(scraper.terminate().await.success());
}

/// Waits until the scraper was shown more reports than now.
async fn goes_on(envoy: &Gateway) {
    let before = envoy.ledger().len();
    wait::until_true("more reports are read", ARRIVAL, async || {
        envoy.ledger().len() > before
    })
    .await;
}
