//! One fault, one gateway, one scraper.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rig::gateway::Gateway;
use rig::ledger::{Report, sorted};
use rig::programs::{Binary, Program};
use rig::servers::{Account, Client, Mosquitto, Seen};
use rig::wait;

/// For everything that is waited for: the machine may be building, and all cases run at once.
const DEADLINE: Duration = Duration::from_mins(2);

/// What a busy Envoy asks for, but for a moment between its answer and our look at the clock.
const BUSY: Duration = Duration::from_secs(28);

const INVERTERS: usize = 6;
const BEGAN: &str = "the Envoy's readings can't be had";
const ENDED: &str = "the Envoy's readings are there again";

/// Short times. What an answer may take is still more than a machine under load needs for it.
const IMPATIENT: &str =
    "[testing]\nbackoff_cap = \"500ms\"\npoll_interval = \"250ms\"\nenvoy_timeout = \"5s\"\n";

/// A fault that a gateway has for a while.
pub(super) struct Case {
    firmware: &'static str,
    fault: &'static str,
    effect: Effect,
    faulty_at_first: bool,
}

/// What the fault does.
pub(super) enum Effect {
    /// Polls fail, and what is logged contains this.
    Outage(&'static str),
    /// The same, and the Envoy is not asked again for a while.
    LeftAlone(&'static str),
    /// Polls succeed, and show nothing.
    NothingShown,
    /// Nothing that anybody notices.
    None,
}

impl Case {
    pub(super) const fn new(firmware: &'static str, fault: &'static str, effect: Effect) -> Self {
        Self {
            firmware,
            fault,
            effect,
            faulty_at_first: false,
        }
    }

    /// The gateway is so before the scraper knows it.
    pub(super) const fn faulty_at_first(mut self) -> Self {
        self.faulty_at_first = true;
        self
    }

    /// Before, during and after the fault.
    pub(super) async fn run(&self, number: usize, broker: &Mosquitto, accounts: &[Account; 2]) {
        let name = format!("{} of firmware {}", self.fault, self.firmware);
        let running = Running::start(self, name, number, broker, accounts).await;
        if !self.faulty_at_first {
            running.shows_more().await;
            running.broker_knows_it_all().await;
            running.gateway.inject(self.fault).await;
        }
        let outages = match self.effect {
            Effect::Outage(reason) | Effect::LeftAlone(reason) => {
                running.outage(reason).await;
                let began = Instant::now();
                if let Effect::LeftAlone(_) = self.effect {
                    running.gateway.heal().await;
                    running.says(ENDED, 1).await;
                    assert!(began.elapsed() >= BUSY, "{}: asked too soon", running.name);
                } else {
                    // A further failed poll is worth a line to programmers only.
                    running.says(BEGAN, 2).await;
                    running.gateway.heal().await;
                    running.says(ENDED, 1).await;
                }
                1
            }
            Effect::NothingShown => {
                running.says("listed=0", 2).await;
                running.gateway.heal().await;
                0
            }
            Effect::None => {
                running.shows_more().await;
                running.gateway.heal().await;
                0
            }
        };
        running.shows_more().await;
        running.ends(outages, broker, &accounts[1]).await;
    }
}

/// A case under way.
struct Running {
    name: String,
    gateway: Gateway,
    scraper: Program,
    subscriber: Client,
    filter: String,
    _settings: tempfile::TempDir,
}

impl Running {
    async fn start(
        case: &Case,
        name: String,
        number: usize,
        broker: &Mosquitto,
        [account, reader]: &[Account; 2],
    ) -> Self {
        let serial = format!("2024{number:08}");
        let gateway = Gateway::start(&[
            "--serial",
            &serial,
            "--firmware",
            case.firmware,
            "--inverters",
            &INVERTERS.to_string(),
            "--start",
            "2026-06-20T08:00:00Z",
            // An inverter reports each two and a half seconds, and is asked four times a second.
            "--speed",
            "120",
        ])
        .await;
        if case.faulty_at_first {
            gateway.inject(case.fault).await;
        }
        let settings = tempfile::tempdir().expect("a temporary directory");
        let file = settings.path().join("scraper.toml");
        std::fs::write(&file, IMPATIENT).expect("it can be written");
        let base = format!("envoy/{}", account.user());
        let filter = format!("{base}/{serial}/#");
        let subscriber = Client::connect(broker, reader, Some(&filter)).await;
        let scraper = gateway
            .reader(Binary::Scraper)
            .arg("--config")
            .arg(file)
            .env(
                "MQTT_URL",
                format!("mqtt://{}:{}", broker.host(), broker.port()),
            )
            .env("MQTT_USERNAME", account.user())
            .env("MQTT_PASSWORD", account.password())
            .env("MQTT_TOPIC", base)
            .env("RUST_LOG", "info,scraper=debug,daemon=debug")
            .spawn();
        Self {
            name,
            gateway,
            scraper,
            subscriber: subscriber.expect("the reader has an account"),
            filter,
            _settings: settings,
        }
    }

    /// Waits for two further reports of each inverter, or as many.
    async fn shows_more(&self) {
        let before = self.gateway.ledger().len();
        let what = format!("{}: further reports", self.name);
        wait::until_true(&what, DEADLINE, async || {
            self.gateway.ledger().len() >= before + 2 * INVERTERS
        })
        .await;
    }

    async fn broker_knows_it_all(&self) {
        let shown = self.gateway.ledger();
        let what = format!("{}: what was shown at the broker", self.name);
        self.subscriber
            .wait_for(&what, DEADLINE, |seen| {
                let published = published(seen);
                shown.iter().all(|report| published.contains(report))
            })
            .await;
    }

    /// Waits until the outage is said, for this reason.
    async fn outage(&self, reason: &str) {
        let line = self.scraper.stderr_line(BEGAN).await;
        assert!(line.contains(reason), "{}: {line}", self.name);
    }

    /// Waits until the scraper has printed this so often.
    async fn says(&self, part: &str, times: usize) {
        let what = format!("{}: {part:?}, {times} times", self.name);
        wait::until_true(&what, DEADLINE, async || {
            let lines = self.scraper.stderr();
            lines.iter().filter(|line| line.contains(part)).count() >= times
        })
        .await;
    }

    /// Ends both, and compares all that was shown with all that was published.
    async fn ends(mut self, outages: usize, broker: &Mosquitto, reader: &Account) {
        self.assert_said(outages);
        // Nothing more is shown, so that all of it can arrive before the scraper ends.
        self.gateway.inject("refuse").await;
        let what = format!("{}: all that was shown at the broker", self.name);
        let seen = self
            .subscriber
            .wait_for(&what, DEADLINE, |seen| {
                published(seen).len() >= self.gateway.ledger().len()
            })
            .await;
        let status = self.scraper.terminate().await;
        assert!(status.success(), "{}: {status}", self.name);
        let shown = sorted(self.gateway.stop().await.ledger());
        assert_eq!(sorted(published(&seen)), shown, "{}", self.name);
        assert_forward(&self.name, &seen);

        let late = Client::connect(broker, reader, Some(&self.filter)).await;
        let late = late.expect("the reader has an account");
        let what = format!("{}: what is retained", self.name);
        let retained = late
            .wait_for(&what, DEADLINE, |seen| published(seen).len() >= INVERTERS)
            .await;
        let newest: Vec<Report> = rig::chain::newest(&shown).into_values().collect();
        assert_eq!(sorted(published(&retained)), newest, "{}", self.name);
    }

    /// Each outage has its two lines.
    fn assert_said(&self, outages: usize) {
        let said = |part: &str| {
            let lines = self.scraper.stderr();
            let said = lines.into_iter().filter(|line| !line.contains("DEBUG"));
            said.filter(|line| line.contains(part)).collect::<Vec<_>>()
        };
        let (began, ended) = (said(BEGAN), said(ENDED));
        assert_eq!(ended.len(), outages, "{}: {ended:#?}", self.name);
        // Two at most: the list and `/info` can fail in different ways.
        let lines = outages..=2 * outages;
        assert!(lines.contains(&began.len()), "{}: {began:#?}", self.name);
    }
}

/// The readings among the messages, each as often as it came.
fn published(seen: &[Seen]) -> Vec<Report> {
    let readings = seen
        .iter()
        .filter(|message| message.topic.contains("/inverters/"));
    readings
        .map(|message| Report::published(message.text()))
        .collect()
}

/// A plain topic never steps back: what comes late goes to the backlog topic.
fn assert_forward(name: &str, seen: &[Seen]) {
    let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
    for message in seen {
        if message.topic.contains("/inverters/") && !message.topic.contains("/backlog/") {
            let at = Report::published(message.text()).reported_at;
            let before = newest.insert(&message.topic, at);
            assert!(
                before.is_none_or(|before| before < at),
                "{name}: {message:?}"
            );
        }
    }
}
