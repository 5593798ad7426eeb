//! Two scrapers for one Envoy: the announcement of the other one tells it.

use std::time::Duration;

use rig::programs::Binary;
use rig::servers::{Account, Client, Mosquitto, Seen};

use crate::gateway;

const ENVOY: &str = "202400000006";
const COMPLAINT: &str = "a second scraper publishes for this Envoy";

const DEADLINE: Duration = Duration::from_mins(1);

const IMPATIENT: &str = "[testing]\nbackoff_cap = \"500ms\"\npoll_interval = \"100ms\"\n";

fn announcement(instance: &str) -> String {
    format!(
        r#"{{"instance":"{instance}","journals":[{{"id":"foreign1","first":1,"last":7}}],"waiting":0}}"#
    )
}

#[tokio::test]
async fn a_second_scraper_is_named_once_and_an_announcement_from_before_is_none() {
    let test = "a second scraper is named once and an announcement from before is none";
    let account = Account::scraper(ENVOY);
    let accounts = [account.clone()];
    let Some(broker) = Mosquitto::start_own(test, &accounts).await else {
        return;
    };
    let envoy = gateway(ENVOY, "8.3.5169").await;
    let journal = format!("envoy/{ENVOY}/journal");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let settings = directory.path().join("settings.toml");
    std::fs::write(&settings, IMPATIENT).expect("a temporary directory can be written");
    let scraper = || {
        let address = format!("mqtt://{}:{}", broker.host(), broker.port());
        envoy
            .reader(Binary::Scraper)
            .arg("--config")
            .arg(&settings)
            .env("MQTT_URL", address)
            .env("MQTT_PASSWORD", account.password())
            .spawn()
    };
    // Its announcement stays retained, as that of another instance.
    let mut before = scraper();
    publishes(&broker, &account).await;
    assert!(before.terminate().await.success());

    let mut scraper = scraper();
    publishes(&broker, &account).await;
    broker.stop().await;
    broker.start_again().await;
    publishes(&broker, &account).await;

    let mut other = Client::connect(&broker, &account, None)
        .await
        .expect("the account may log in");
    other.publish(&journal, announcement("first"), true).await;
    scraper.stderr_line(COMPLAINT).await;
    other.publish(&journal, announcement("first"), false).await;
    other.publish(&journal, announcement("second"), false).await;
    scraper.stderr_line("instance=second").await;

    assert!(scraper.terminate().await.success());
    let errors = scraper.stderr();
    let unproven = errors.iter().any(|line| line.contains("not allowed"));
    assert!(!unproven, "its own echo came: {errors:?}");
    let complaints: Vec<_> = errors.iter().filter(|l| l.contains(COMPLAINT)).collect();
    assert_eq!(complaints.len(), 2, "{errors:?}");
    assert!(complaints[0].contains("instance=first"), "{errors:?}");
    assert!(complaints[1].contains("instance=second"), "{errors:?}");
}

/// Waits for a live reading: the scraper has heard its own echo on this connection.
async fn publishes(broker: &Mosquitto, account: &Account) {
    let readings = format!("envoy/{ENVOY}/inverters/+");
    let subscriber = Client::connect(broker, account, Some(&readings))
        .await
        .expect("the account may log in");
    let live = |message: &Seen| !message.retain;
    subscriber
        .wait_for("a live reading", DEADLINE, |seen| seen.iter().any(live))
        .await;
}
