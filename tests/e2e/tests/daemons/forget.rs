//! `envoy-scraper forget`: an inverter or a battery that was taken down is gone from broker and Home Assistant, whatever
//! starts again, until it reports; of a gateway that was replaced nothing is left. What is announced below another prefix
//! than now goes by itself.

mod battery;
mod gateway;
mod inverter;
mod prefix;

use std::collections::BTreeMap;
use std::process::Output;

use rig::gateway::Gateway;
use rig::programs::{Binary, Start};
use rig::servers::{Account, Client, Mosquitto, Seen};
use rig::wait;
use tempfile::TempDir;

use crate::ARRIVAL;

const ENVOY: &str = "202400000031";
const NOON: &str = "2026-06-20T12:00:00Z";
const IMPATIENT: &str = "[testing]\nbackoff_cap = \"500ms\"\npoll_interval = \"100ms\"\n";

/// A broker, a gateway of three inverters, and a subscriber of all that is said of it.
struct Site {
    broker: Mosquitto,
    account: Account,
    envoy: Gateway,
    subscriber: Client,
    directory: TempDir,
}

impl Site {
    /// The gateway's clock is `speed` times faster than ours: at 1 nothing new is reported while a test lasts.
    async fn start(test: &str, speed: &str) -> Option<Self> {
        Self::start_with(test, &["--speed", speed, "--start", NOON]).await
    }

    async fn start_with(test: &str, equipment: &[&str]) -> Option<Self> {
        let (account, reader) = (Account::scraper(ENVOY), Account::reader("tail"));
        let accounts = [account.clone(), reader.clone()];
        let broker = Mosquitto::start_own(test, &accounts).await?;
        let envoy = Self::gateway(equipment).await;
        // All that it may read; it subscribes again after each connection.
        let subscriber = Client::connect(&broker, &reader, Some("#"))
            .await
            .expect("the reader may log in");
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("settings.toml"), IMPATIENT)
            .expect("a temporary directory can be written");
        Some(Self {
            broker,
            account,
            envoy,
            subscriber,
            directory,
        })
    }

    async fn gateway(equipment: &[&str]) -> Gateway {
        let arguments = ["--serial", ENVOY, "--inverters", "3", "--hold", "127.0.0.1"];
        Gateway::start(&[&arguments[..], equipment].concat()).await
    }

    fn scraper(&self) -> Start {
        self.envoy
            .reader(Binary::Scraper)
            .arg("--config")
            .arg(self.directory.path().join("settings.toml"))
            .env("STATE_DIR", self.directory.path().join("state"))
            .env("MQTT_URL", self.broker.url())
            .env("MQTT_USERNAME", ENVOY)
            .env("MQTT_PASSWORD", self.account.password())
    }

    /// Runs the sub-command to its end.
    fn forget(&self, inverter: &str) -> Output {
        let settings = self.scraper();
        settings.args(["forget", inverter]).to_end()
    }

    /// What the topics hold, as the subscriber has heard it.
    fn held(&self) -> BTreeMap<String, String> {
        let mut held = BTreeMap::new();
        for seen in self.subscriber.seen() {
            if seen.payload.is_empty() {
                held.remove(&seen.topic);
            } else {
                held.insert(seen.topic.clone(), seen.text().to_owned());
            }
        }
        held
    }

    /// The inverters of which something is said on topics that begin and end so.
    fn inverters(&self, beginning: &str, end: &str) -> Vec<String> {
        let held = self.held();
        let serial = |topic: &String| {
            let rest = topic.strip_prefix(beginning)?;
            Some(rest.strip_suffix(end)?.to_owned())
        };
        let serials = held.keys().filter_map(serial);
        let is_one = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        serials.filter(is_one).collect()
    }

    fn readings(&self) -> Vec<String> {
        self.inverters(&format!("envoy/{ENVOY}/inverters/"), "")
    }

    fn devices(&self) -> Vec<String> {
        self.inverters(&format!("homeassistant/device/{ENVOY}/"), "/config")
    }

    fn health_lists(&self, inverter: &str) -> Option<bool> {
        let held = self.held();
        let health = held.get(&format!("envoy/{ENVOY}/health"))?;
        Some(health.contains(inverter))
    }

    async fn all_are_there(&self) -> Vec<String> {
        wait::until("three inverters", ARRIVAL, async || {
            let (readings, devices) = (self.readings(), self.devices());
            (readings.len() == 3 && readings == devices).then_some(readings)
        })
        .await
    }

    /// How often an inverter's announcement to Home Assistant was seen. After a start of the broker the subscriber may
    /// be back later than the scraper, and sees it as retained.
    fn announced(&self, inverter: &str) -> usize {
        let device = format!("homeassistant/device/{ENVOY}/{inverter}/config");
        let seen = self.subscriber.seen();
        seen.iter().filter(|seen| seen.topic == device).count()
    }

    /// Waits until the scraper has said all again that it says on a new connection, where `other` was announced so
    /// often before, and sees that nothing of `gone` was among it.
    async fn said_again_without(&self, gone: &str, other: &str, before: usize) {
        wait::until_true("another announcement", ARRIVAL, async || {
            self.announced(other) > before
        })
        .await;
        wait::until_true("nothing of it", ARRIVAL, async || {
            self.health_lists(gone) == Some(false)
                && !self.readings().iter().any(|reading| reading == gone)
                && !self.devices().iter().any(|device| device == gone)
        })
        .await;
        let readings = format!("envoy/{ENVOY}/inverters/{gone}");
        let of_it =
            |seen: &Seen| seen.topic == readings && !seen.payload.is_empty() && !seen.retain;
        let said = self.subscriber.seen();
        let said = said.iter().filter(|seen| of_it(seen)).count();
        assert!(said <= 1, "its reading was published again");
    }
}

fn says(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Whether the command ended with this code, and has said all of this, and no password.
fn ended(site: &Site, output: &Output, code: i32, parts: &[&str]) {
    let said = says(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
    assert!(!said.contains(site.account.password()), "{said}");
}

#[tokio::test]
async fn forget_says_what_is_wrong_with_its_argument_and_its_settings() {
    let test = "forget says what is wrong with its argument and its settings";
    let Some(site) = Site::start(test, "1").await else {
        return;
    };
    let wrong = |output: &Output, code, parts: &[&str]| ended(&site, output, code, parts);
    wrong(&site.forget("48201/2345"), 64, &["48201/2345", "print"]);
    // No scraper was here yet.
    wrong(
        &site.forget("482012345678"),
        64,
        &["has no journal", "STATE_DIR"],
    );

    let mut scraper = site.scraper().spawn();
    let inverters = site.all_are_there().await;
    wrong(
        &site.forget("482012345678"),
        64,
        &[
            "nothing of an inverter or a battery 482012345678",
            ENVOY,
            &inverters[0],
        ],
    );
    let settings = || site.scraper().args(["forget", &inverters[0]]);
    let stranger = settings().env("MQTT_PASSWORD", "wrong").to_end();
    wrong(&stranger, 1, &["nothing is cleared", "MQTT_PASSWORD"]);
    assert!(scraper.terminate().await.success());
    site.broker.stop().await;
    wrong(&settings().to_end(), 1, &["nothing is cleared", "MQTT_URL"]);
}
