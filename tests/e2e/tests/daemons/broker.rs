//! The broker goes away, changes its certificate, its accounts, its rights: the daemons name it and
//! go on by themselves, and every reading arrives in the end.

mod away;
mod certificate;
mod login;
mod ports;
mod restart;
mod rights;

use std::time::Duration;

use rig::gateway::Gateway;
use rig::ledger::{Report, sorted};
use rig::programs::{Binary, Program, Start};
use rig::servers::{Account, Client, Login, Mosquitto};
use rig::wait;
use tempfile::TempDir;

const ENVOY: &str = "202400000012";
const INVERTERS: usize = 10;
const DAWN: &str = "2026-06-20T03:00:00Z";

/// Until what has just happened is seen, on a machine that builds beside the test.
const ARRIVAL: Duration = Duration::from_mins(1);

const IMPATIENT: &str = "[testing]\nbackoff_cap = \"500ms\"\nannounce_every = \"1s\"\n";
const IMPATIENT_POLLING: &str = "[testing]\nbackoff_cap = \"500ms\"\npoll_interval = \"100ms\"\n";

/// A broker and the two daemons. A subscriber stands for the database, which the receiver does not
/// reach: what arrives there, arrives at a receiver.
struct Site {
    broker: Mosquitto,
    scraper: Account,
    receiver: Account,
    reader: Account,
    directory: TempDir,
}

impl Site {
    fn accounts() -> [Account; 3] {
        [
            Account::scraper(ENVOY),
            Account::receiver("main"),
            Account::reader("tail"),
        ]
    }

    fn of(broker: Mosquitto, [scraper, receiver, reader]: [Account; 3]) -> Self {
        Self {
            broker,
            scraper,
            receiver,
            reader,
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    async fn start(test: &str) -> Option<Self> {
        let accounts = Self::accounts();
        let broker = Mosquitto::start(test, &accounts).await?;
        Some(Self::of(broker, accounts))
    }

    fn scraper(&self, start: Start) -> Start {
        self.daemon(start, &self.scraper, IMPATIENT_POLLING)
            .env("ENVOY_SERIAL", ENVOY)
    }

    fn receiver(&self) -> Start {
        self.daemon(Start::new(Binary::Receiver), &self.receiver, IMPATIENT)
            .env("RECEIVER_NAME", self.receiver.user())
            .env("INFLUX_URL", "http://127.0.0.1:9")
            .env("INFLUX_TOKEN", "none")
            .env("INFLUX_ORG", "none")
            .env("INFLUX_BUCKET", "none")
    }

    fn daemon(&self, start: Start, account: &Account, settings: &str) -> Start {
        let file = self.directory.path().join(account.user());
        std::fs::write(&file, settings).expect("a temporary directory can be written");
        start
            .arg("--config")
            .arg(file)
            .env("MQTT_URL", self.broker.url())
            .env("MQTT_PASSWORD", account.password())
    }

    /// Somebody whom the broker keeps for what he misses.
    async fn subscriber(&self) -> Client {
        Login::new(&self.broker, &self.reader)
            .id("tail")
            .persistent()
            .subscribed("envoy/#")
            .connect()
            .await
            .expect("the reader has an account")
    }
}

async fn gateway() -> Gateway {
    let inverters = INVERTERS.to_string();
    Gateway::start(
        &[
            ["--serial", ENVOY],
            ["--firmware", "8.3.5169"],
            ["--report-interval", "900"],
            ["--inverters", &inverters],
            ["--start", DAWN],
            ["--speed", "2880"],
        ]
        .concat(),
    )
    .await
}

/// Waits until there are reports that were not shown before, of which most are of another time.
async fn more_was_shown(envoy: &Gateway) {
    let before = envoy.ledger().len();
    wait::until_true("further reports", ARRIVAL, async || {
        envoy.ledger().len() >= before + 2 * INVERTERS
    })
    .await;
}

/// Waits until the subscriber has seen all of these, on whatever topics.
async fn arrived(subscriber: &Client, shown: &[Report]) {
    let shown = sorted(shown.to_vec());
    wait::until_true(
        "all that was shown at the subscriber",
        ARRIVAL,
        async || {
            let seen = subscriber.seen();
            let readings = seen
                .iter()
                .filter(|seen| seen.topic.contains("/inverters/"));
            let mut seen: Vec<_> = readings
                .map(|seen| Report::published(seen.text()))
                .collect();
            seen.sort();
            shown
                .iter()
                .all(|report| seen.binary_search(report).is_ok())
        },
    )
    .await;
}

/// How many lines a daemon has printed that contain `part`.
fn count(daemon: &Program, part: &str) -> usize {
    let lines = daemon.stderr();
    lines.iter().filter(|line| line.contains(part)).count()
}
