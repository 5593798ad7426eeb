//! Two Envoys and all that carries their readings to the database.

use jiff::Timestamp;
use rig::chain::Chain;
use rig::link::Link;
use rig::programs::{Program, Start};
use rig::servers::Snapshot;
use rig::tap::{Answers, WriteTap};
use tempfile::TempDir;

use crate::accounts::{Accounts, Key};
use crate::home::Home;
use crate::settings::{RECEIVER, Switch};
use crate::watch::Watch;

mod strikes;

/// An Envoy of the oldest kind that many have, and one of the newest.
const ENVOYS: [(&str, &str); 2] = [("121500000071", "5.0.62"), ("202400000072", "8.3.5169")];

/// All that is tortured.
pub struct Site {
    chain: Chain,
    homes: Vec<Home>,
    receiver: Option<Program>,
    start_receiver: Start,
    receiver_to_broker: Link,
    receiver_to_store: Link,
    second_receiver: Option<Second>,
    snapshot: Option<Snapshot>,
    watch: Watch,
    accounts: Accounts,
    broker_forgets: bool,
    /// How much of what the tap saw is in the accounts.
    written: usize,
}

/// A receiver that somebody started by mistake, under the same name.
struct Second {
    program: Program,
    tap: WriteTap,
    _state: TempDir,
}

impl Site {
    /// Starts everything. `None` where there are no servers.
    ///
    /// # Panics
    /// When something does not start, and where a skip is a failure.
    pub async fn start(name: &str, switch: &Switch) -> Option<Self> {
        let serials = ENVOYS.map(|(serial, _)| serial);
        let chain = Chain::start_own(name, &serials).await?;
        let broker = format!("{}:{}", chain.broker.host(), chain.broker.port());
        let receiver_to_broker = Link::to(&broker).await;
        let tap = chain.tap.url();
        let (_, tap) = tap.split_once("://").expect("a URL");
        let receiver_to_store = Link::to(tap).await;
        let start_receiver = chain
            .receiver_with(&switch.settings(RECEIVER))
            .env(
                "MQTT_URL",
                format!("mqtt://{}", receiver_to_broker.address()),
            )
            .env(
                "INFLUX_URL",
                format!("http://{}", receiver_to_store.address()),
            );
        let start_receiver = switch.applied(start_receiver);
        let mut homes = Vec::new();
        for (serial, firmware) in ENVOYS {
            homes.push(Home::new(&chain, serial, firmware, switch).await);
        }
        let mut site = Self {
            watch: Watch::new(chain.subscriber("envoy/+/inverters/+").await),
            chain,
            homes,
            receiver: Some(start_receiver.spawn()),
            start_receiver,
            receiver_to_broker,
            receiver_to_store,
            second_receiver: None,
            snapshot: None,
            accounts: Accounts::default(),
            broker_forgets: false,
            written: 0,
        };
        let name = site.chain.receiver_account().user();
        site.chain
            .online(&format!("envoy-receiver/{name}/status"))
            .await;
        for home in &mut site.homes {
            home.start_scraper(true).await;
        }
        Some(site)
    }

    /// The Envoys and their scrapers.
    #[must_use]
    pub fn homes(&self) -> &[Home] {
        &self.homes
    }

    /// Who had what when.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What a subscriber sees.
    pub fn watch(&mut self) -> &mut Watch {
        &mut self.watch
    }

    /// Enters what was shown and written into the accounts.
    pub fn account(&mut self) {
        for home in &mut self.homes {
            self.accounts.shown(home.newly_shown());
        }
        let written = self.chain.tap.written_since(self.written);
        self.written += written.len();
        self.accounts.written(written, true);
    }

    /// Keeps a copy of the broker's disk, for a time when that is put back.
    pub async fn take_snapshot(&mut self) {
        self.snapshot = Some(self.chain.broker.snapshot().await);
    }

    /// The day is over at both Envoys, or goes on.
    pub async fn dusk(&mut self, dusk: bool) {
        for home in &mut self.homes {
            home.dusk(dusk).await;
        }
    }

    /// Whether at one of the Envoys the day is nearly over.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.homes.iter().any(Home::is_late)
    }

    /// The next day begins at both.
    pub async fn next_morning(&mut self) {
        for home in &mut self.homes {
            home.next_morning().await;
        }
    }

    /// How many inverters there are whose plain topic does not show what it has to.
    pub async fn stale(&self) -> usize {
        let shown = self.chain.shown_now().await;
        let mut stale = 0;
        for home in &self.homes {
            let least = self
                .accounts
                .least_on_plain_topics(&home.serial, home.known_since());
            let is_stale = |(topic, least): &(String, i64)| {
                shown
                    .get(topic)
                    .is_none_or(|report| report.reported_at < *least)
            };
            stale += least.into_iter().filter(is_stale).count();
        }
        stale
    }

    /// What the database holds.
    pub async fn stored(&self) -> Vec<rig::ledger::Report> {
        self.chain.stored().await
    }

    /// What the journal of this home alone had is gone.
    fn journal_is_gone(&mut self, home: usize) {
        self.account();
        let serial = self.homes[home].serial.clone();
        let seen = self.watch.seen(&serial);
        let known = |key: &Key| !self.broker_forgets && seen.contains(&(key.1.clone(), key.2));
        self.accounts
            .journal_is_gone(&serial, Timestamp::now(), known);
    }

    /// Whether the broker forgets in this round what it had acknowledged.
    pub fn broker_forgets(&mut self, forgets: bool) {
        self.broker_forgets = forgets;
    }

    /// Keeps a copy of each journal, for a time when that is put back.
    pub async fn copy_journals(&mut self) {
        for home in &mut self.homes {
            home.kill_scraper();
            home.copy_journal();
            home.start_scraper(true).await;
        }
    }

    /// Whether a scraper keeps its readings in memory.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        self.homes.iter().any(Home::is_in_memory)
    }

    fn start_receiver(&mut self) {
        self.receiver = Some(self.start_receiver.spawn());
    }

    fn kill_receiver(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            receiver.kill();
        }
    }

    fn remove_receiver_state(&mut self) {
        let name = self.chain.receiver_account().user();
        crate::files::remove(&self.chain.state(name));
        self.accounts.state_was_removed(Timestamp::now());
    }

    async fn start_second_receiver(&mut self) {
        let tap = WriteTap::in_front_of(self.chain.influx.url()).await;
        let state = tempfile::tempdir().expect("a temporary directory");
        let start = self.start_receiver.clone();
        let program = start
            .env("INFLUX_URL", tap.url())
            .env("STATE_DIR", state.path())
            .spawn();
        self.second_receiver = Some(Second {
            program,
            tap,
            _state: state,
        });
    }

    fn stop_second_receiver(&mut self) {
        if let Some(second) = self.second_receiver.take() {
            second.program.kill();
            self.account();
            self.accounts.written(second.tap.written_since(0), false);
        }
    }

    fn answers(&self, answers: Answers) {
        self.chain.tap.answers(answers);
    }
}
