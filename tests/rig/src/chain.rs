//! The chain as it is deployed: broker with accounts, database, and the programs that connect them.

mod results;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::gateway::Gateway;
use crate::programs::{Binary, Start};
use crate::servers::{Account, Configuration, Influx, Mosquitto};
use crate::tap::WriteTap;

pub use results::newest;

/// The receiver's times, shortened for tests.
const IMPATIENT: &str = "[testing]\nbackoff_cap = \"500ms\"\nannounce_every = \"1s\"\n";

/// How often a scraper polls, unless the test says otherwise.
const POLL_INTERVAL: &str = "100ms";

/// Broker and database, with an account for each program.
pub struct Chain {
    /// The broker.
    pub broker: Mosquitto,
    /// The database.
    pub influx: Influx,
    /// Between receiver and database: what was written, and how often.
    pub tap: WriteTap,
    accounts: Accounts,
    bucket: String,
    directory: TempDir,
}

/// An account for each program.
struct Accounts {
    scrapers: Vec<Account>,
    receiver: Account,
    reader: Account,
}

impl Accounts {
    fn new(envoys: &[&str]) -> Self {
        Self {
            scrapers: envoys
                .iter()
                .map(|serial| Account::scraper(serial))
                .collect(),
            receiver: Account::receiver("e2e"),
            reader: Account::reader("tail"),
        }
    }

    fn all(&self) -> Vec<Account> {
        let others = [self.receiver.clone(), self.reader.clone()];
        [&self.scrapers[..], &others].concat()
    }
}

impl Chain {
    /// Starts the servers for the scrapers of these Envoys. `None` when there are none for this
    /// test.
    ///
    /// # Panics
    /// When servers that are there can't be used, and where a skip is a failure.
    pub async fn start(test: &str, envoys: &[&str]) -> Option<Self> {
        let accounts = Accounts::new(envoys);
        let broker = Mosquitto::start(test, &accounts.all()).await?;
        let influx = Influx::start(test).await?;
        Some(Self::of(broker, influx, accounts).await)
    }

    /// The same with servers that belong to this test alone, which it may stop and kill.
    ///
    /// # Panics
    /// When they do not come up in time, and where a skip is a failure.
    pub async fn start_own(test: &str, envoys: &[&str]) -> Option<Self> {
        Self::start_with(test, envoys, &Configuration::shipped()).await
    }

    /// The same with another configuration of the broker.
    ///
    /// # Panics
    /// As [`start_own`](Self::start_own).
    pub async fn start_with(
        test: &str,
        envoys: &[&str],
        configuration: &Configuration,
    ) -> Option<Self> {
        let accounts = Accounts::new(envoys);
        let broker = Mosquitto::start_with(test, &accounts.all(), configuration).await?;
        let influx = Influx::start_own(test).await?;
        Some(Self::of(broker, influx, accounts).await)
    }

    async fn of(broker: Mosquitto, influx: Influx, accounts: Accounts) -> Self {
        Self {
            tap: WriteTap::in_front_of(influx.url()).await,
            bucket: influx.new_bucket().await,
            directory: tempfile::tempdir().expect("a temporary directory"),
            broker,
            influx,
            accounts,
        }
    }

    /// The scraper of a gateway that has an account.
    ///
    /// # Panics
    /// When there is no account for this Envoy.
    #[must_use]
    pub fn scraper(&self, gateway: &Gateway, envoy: &str) -> Start {
        self.scraper_polling(gateway, envoy, POLL_INTERVAL)
    }

    /// The same, with a poll each `every`.
    ///
    /// # Panics
    /// When there is no account for this Envoy.
    #[must_use]
    pub fn scraper_polling(&self, gateway: &Gateway, envoy: &str, every: &str) -> Start {
        let start = gateway.reader(Binary::Scraper);
        let settings = format!("{IMPATIENT}poll_interval = \"{every}\"\n");
        self.with_broker(start, self.scraper_account(envoy), &settings)
    }

    /// The account of an Envoy's scraper.
    ///
    /// # Panics
    /// When there is none for this Envoy.
    #[must_use]
    pub fn scraper_account(&self, envoy: &str) -> &Account {
        let mut scrapers = self.accounts.scrapers.iter();
        scrapers
            .find(|account| account.user() == envoy)
            .expect("each Envoy has an account")
    }

    /// The account of the receiver.
    #[must_use]
    pub fn receiver_account(&self) -> &Account {
        &self.accounts.receiver
    }

    /// The bucket that the receiver writes to.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// A daemon of this chain, with TLS to the broker.
    ///
    /// # Panics
    /// When the broker has no listener for it.
    #[must_use]
    pub fn over_tls(&self, daemon: Start) -> Start {
        daemon
            .env("MQTT_URL", self.broker.tls_url())
            .env("MQTT_CA_FILE", self.broker.ca_file())
    }

    /// The receiver, which writes through the tap.
    #[must_use]
    pub fn receiver(&self) -> Start {
        self.receiver_with(&format!("{IMPATIENT}audit_after = \"2s\"\n"))
    }

    /// The same with other settings than the tests' usual ones.
    #[must_use]
    pub fn receiver_with(&self, settings: &str) -> Start {
        self.receiver_without_store(settings)
            .env("INFLUX_URL", self.tap.url())
            .env("INFLUX_TOKEN", self.influx.token())
            .env("INFLUX_ORG", self.influx.org())
            .env("INFLUX_BUCKET", &self.bucket)
    }

    /// The receiver, which stores in a file of SQLite.
    #[must_use]
    pub fn receiver_into(&self, file: &Path) -> Start {
        self.receiver_without_store(&format!("{IMPATIENT}audit_after = \"2s\"\n"))
            .env("STORE", format!("sqlite:{}", file.display()))
    }

    fn receiver_without_store(&self, settings: &str) -> Start {
        let start = Start::new(Binary::Receiver);
        self.with_broker(start, &self.accounts.receiver, settings)
            .env("MQTT_USERNAME", self.accounts.receiver.user())
            .env("RECEIVER_NAME", self.accounts.receiver.user())
    }

    /// Where the daemon of this account keeps what must outlive it.
    #[must_use]
    pub fn state(&self, user: &str) -> PathBuf {
        self.directory.path().join(format!("state-{user}"))
    }

    /// A daemon with an account of this broker, a place for its state, and a file of settings.
    ///
    /// # Panics
    /// When the temporary directory can't be written.
    #[must_use]
    pub fn with_broker(&self, start: Start, account: &Account, settings: &str) -> Start {
        let file = self
            .directory
            .path()
            .join(format!("{}.toml", account.user()));
        std::fs::write(&file, settings).expect("a temporary directory can be written");
        start
            .arg("--config")
            .arg(file)
            .env("STATE_DIR", self.state(account.user()))
            .env("MQTT_URL", self.broker.url())
            .env("MQTT_PASSWORD", account.password())
    }
}
