//! Two clients with one id.

use rig::programs::{Binary, Start};
use rig::servers::{Account, Login, Mosquitto};
use rig::wait;

use super::{DEADLINE, ENVOY};

#[tokio::test]
async fn two_clients_with_one_id_throw_each_other_out_and_the_scraper_names_it() {
    let test = "two clients with one id throw each other out and the scraper names it";
    let account = Account::scraper(ENVOY);
    let accounts = [account.clone()];
    let Some(broker) = Mosquitto::start(test, &accounts).await else {
        return;
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let settings = directory.path().join("settings.toml");
    std::fs::write(&settings, "[testing]\nbackoff_cap = \"100ms\"\n")
        .expect("a temporary directory can be written");

    // It connects again by itself, each time that it is thrown out.
    let other = Login::new(&broker, &account)
        .id(&format!("envoy-scraper-{ENVOY}"))
        .connect()
        .await
        .expect("the account may log in");
    let mut scraper = Start::new(Binary::Scraper)
        .arg("--config")
        .arg(&settings)
        .env("ENVOY_HOST", "http://127.0.0.1:9")
        .env("ENVOY_SERIAL", ENVOY)
        .env("MQTT_URL", broker.url())
        .env("MQTT_PASSWORD", account.password())
        .spawn();

    wait::until_true(
        "the other one to be thrown out twice",
        DEADLINE,
        async || other.connections() > 2,
    )
    .await;
    let line = scraper
        .stderr_line(&format!(
            "another client has the client id 'envoy-scraper-{ENVOY}'"
        ))
        .await;
    assert!(line.contains("ERROR"), "{line}");

    // The other one gives up.
    drop(other);
    scraper.stderr_line("connected to the broker again").await;
    assert!(scraper.terminate().await.success());
}
