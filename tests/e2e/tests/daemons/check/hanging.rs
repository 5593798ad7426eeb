//! A check of an Envoy that takes the connection and says nothing.

use rig::programs::{Binary, Start};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_check_says_what_it_waits_for_before_it_says_that_nothing_came() {
    // The system takes the connection for it.
    let envoy = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = envoy.local_addr().expect("it is bound");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "[testing]\nenvoy_timeout = \"6s\"\n").expect("a file");
    let mut check = Start::new(Binary::Scraper)
        .args(["check", "--config"])
        .arg(settings)
        .env("ENVOY_HOST", format!("http://{address}"))
        .env("MQTT_URL", "mqtt://127.0.0.1:1")
        .spawn();
    let waits = check.stdout_line("has not answered yet").await;
    assert!(waits.contains(&address.to_string()), "{waits}");
    assert!(waits.contains("6 s for each answer"), "{waits}");
    assert_eq!(check.ended().await.code(), Some(1));
    let said = check.stdout();
    let found = |words: &str| said.iter().position(|line| line.contains(words));
    let failed = found("does not answer in time").expect("why it failed");
    assert!(found("has not answered yet") < Some(failed), "{said:#?}");
}
