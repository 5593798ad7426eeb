//! What a broker retains from before a start of the scraper is never shown as current.

use rig::gateway::Gateway;
use rig::programs::{Binary, Start};
use rig::servers::{Account, Client, Mosquitto, Seen};
use rig::wait;
use serde_json::Value;
use tempfile::TempDir;

use crate::{ARRIVAL, WITH_SUN};

const ENVOY: &str = "202400000041";

struct Site {
    broker: Mosquitto,
    account: Account,
    reader: Account,
    envoy: Gateway,
    directory: TempDir,
}

impl Site {
    async fn start(test: &str) -> Option<Self> {
        let (account, reader) = (Account::scraper(ENVOY), Account::reader("tail"));
        let accounts = [account.clone(), reader.clone()];
        let broker = Mosquitto::start(test, &accounts).await?;
        let arguments = ["--serial", ENVOY, "--inverters", "2"];
        let envoy = Gateway::start(&[&arguments[..], &WITH_SUN].concat()).await;
        Some(Self {
            broker,
            account,
            reader,
            envoy,
            directory: tempfile::tempdir().expect("a temporary directory"),
        })
    }

    fn scraper(&self) -> Start {
        let settings = self.directory.path().join("settings.toml");
        let times = "[testing]\nbackoff_cap = \"500ms\"\npoll_interval = \"500ms\"\n";
        std::fs::write(&settings, times).expect("a temporary directory can be written");
        self.envoy
            .reader(Binary::Scraper)
            .arg("--config")
            .arg(settings)
            .env("STATE_DIR", self.directory.path().join("state"))
            .env("MQTT_URL", self.broker.url())
            .env("MQTT_USERNAME", ENVOY)
            .env("MQTT_PASSWORD", self.account.password())
    }

    /// A subscriber of all that is said, as Home Assistant is one.
    async fn subscriber(&self) -> Client {
        let filter = format!("envoy/{ENVOY}/#");
        Client::connect(&self.broker, &self.reader, Some(&filter))
            .await
            .expect("the reader may log in")
    }
}

/// What was said on a topic of the Envoy.
fn said(seen: &[Seen], path: &str) -> Vec<String> {
    let topic = format!("envoy/{ENVOY}/{path}");
    let seen = seen.iter().filter(|seen| seen.topic == topic);
    seen.map(|seen| seen.text().to_owned()).collect()
}

fn gateways(seen: &[Seen]) -> Vec<Value> {
    let said = said(seen, "gateway");
    let parsed = said.iter().map(|text| serde_json::from_str(text));
    parsed.collect::<Result<_, _>>().expect("JSON")
}

async fn is_online(subscriber: &Client) {
    wait::until_true("the scraper is there", ARRIVAL, async || {
        let said = said(&subscriber.seen(), "status");
        said.last().is_some_and(|status| status == "online")
    })
    .await;
}

#[tokio::test]
async fn an_envoy_that_is_away_at_the_start_is_so_before_the_scraper_is_there() {
    let test = "an Envoy that is away at the start is so before the scraper is there";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let subscriber = site.subscriber().await;
    let mut scraper = site.scraper().spawn();
    is_online(&subscriber).await;
    assert!(scraper.terminate().await.success());
    let before = gateways(&subscriber.seen());
    let before = before.last().expect("the gateway is said to answer");
    assert_eq!(before["reachable"], true, "{before}");

    site.envoy.inject("refuse").await;
    let subscriber = site.subscriber().await;
    let mut scraper = site.scraper().spawn();
    is_online(&subscriber).await;
    // All that is shown as current from now on is so by this.
    let seen = subscriber.seen();
    let at_online = seen.iter().rposition(|seen| seen.text() == "online");
    let now = gateways(&seen[..at_online.expect("it is online")]);
    let now = now.last().expect("the gateway is retained at least");
    assert_eq!(now["reachable"], false, "{now}");
    assert!(now["problem"].is_string(), "{now}");
    // What is known of it is not forgotten for that.
    for key in ["firmware", "address", "last_poll_at", "token_expires_at"] {
        assert_eq!(now[key], before[key], "{key} of {now}");
    }
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn which_values_are_fresh_is_said_before_that_they_may_be_shown() {
    let test = "which values are fresh is said before that they may be shown";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let mut scraper = site.scraper().spawn();
    is_online(&site.subscriber().await).await;
    assert!(scraper.terminate().await.success());
    let subscriber = site.subscriber().await;
    let mut scraper = site.scraper().spawn();
    is_online(&subscriber).await;
    let seen = subscriber.seen();
    let place =
        |what: &dyn Fn(&Seen) -> bool| seen.iter().position(|seen| !seen.retain && what(seen));
    let online = place(&|seen| seen.text() == "online").expect("it is online");
    let health = format!("envoy/{ENVOY}/health");
    let gateway = format!("envoy/{ENVOY}/gateway");
    let health = place(&|seen| seen.topic == health).expect("the health is said");
    let gateway = place(&|seen| seen.topic == gateway).expect("the gateway is said");
    assert!(health < gateway && gateway < online, "{seen:#?}");
    assert_eq!(
        said(&seen[..online], "status").last().map(String::as_str),
        Some("offline")
    );
    assert!(scraper.terminate().await.success());
}
