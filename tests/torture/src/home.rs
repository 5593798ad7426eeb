//! One Envoy with all that reads it.

use std::path::PathBuf;

use jiff::civil::time;
use jiff::{Timestamp, ToSpan};
use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::ledger::{Shown, Tail};
use rig::link::Link;
use rig::programs::{Binary, Program, Start};
use tempfile::TempDir;

use crate::files;
use crate::settings::{SCRAPER, Switch};

/// The inverters of each Envoy.
const INVERTERS: usize = 6;

/// How much faster than ours the Envoys' clocks run: an inverter has a report a second.
const SPEED: &str = "300";

/// When their days begin, long after all inverters are awake, and when they had better end.
const MORNING: jiff::civil::Time = time(6, 0, 0, 0);
const EVENING: jiff::civil::Time = time(17, 0, 0, 0);
const FIRST_MORNING: &str = "2025-06-20T06:00:00Z";

/// The address that the second scraper reads the Envoy from, so that answers to it do not count.
const ELSEWHERE: std::net::Ipv4Addr = std::net::Ipv4Addr::new(127, 0, 0, 2);

/// One Envoy, the links to it and from its scraper, and its scraper.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that the simulator has to be told"
)]
pub struct Home {
    /// The Envoy's serial.
    pub serial: String,
    gateway: Option<Gateway>,
    ledger: Tail,
    /// The newest time of a report, in seconds since 1970.
    newest: i64,
    /// From the scraper to the Envoy.
    pub to_envoy: Link,
    /// From the scraper to the broker.
    pub to_broker: Link,
    start: Start,
    scraper: Option<Program>,
    second: Option<Second>,
    state: PathBuf,
    /// The journal as it once was.
    copy: Option<TempDir>,
    /// Whether the simulator does not take orders.
    stopped: bool,
    /// Why nothing new is to be shown: the day is over, or what is shown may not arrive.
    dusk: bool,
    unsure: bool,
    /// Since when all that was shown is known to the scraper.
    known_since: Timestamp,
    /// A scraper has started, and the simulator does not know yet.
    reader_started: bool,
}

/// A scraper that somebody started by mistake.
struct Second {
    _program: Program,
    _link: Link,
    _state: TempDir,
}

impl Home {
    /// Starts an Envoy in the morning, without its scraper.
    pub async fn new(chain: &Chain, serial: &str, firmware: &str, switch: &Switch) -> Self {
        let inverters = INVERTERS.to_string();
        let gateway = Gateway::start(
            &[
                ["--serial", serial],
                ["--firmware", firmware],
                ["--inverters", &inverters],
                ["--start", FIRST_MORNING],
                ["--speed", SPEED],
                ["--hold", "127.0.0.1"],
            ]
            .concat(),
        )
        .await;
        let (_, address) = gateway.url().split_once("://").expect("a URL");
        let to_envoy = Link::to(address).await;
        let broker = &chain.broker;
        let to_broker = Link::to(&format!("{}:{}", broker.host(), broker.port())).await;
        let state = chain.state(serial);
        let start = gateway.reader_at(&url(&gateway, &to_envoy), Binary::Scraper);
        let settings = switch.settings(SCRAPER);
        let start = chain.with_broker(start, chain.scraper_account(serial), &settings);
        let start = switch.applied(start);
        Self {
            serial: serial.to_owned(),
            ledger: gateway.ledger_tail(),
            newest: 0,
            gateway: Some(gateway),
            start: start
                .outliving_full_disks()
                .env("MQTT_URL", format!("mqtt://{}", to_broker.address())),
            to_envoy,
            to_broker,
            scraper: None,
            second: None,
            state,
            copy: None,
            stopped: false,
            dusk: false,
            unsure: false,
            known_since: Timestamp::now(),
            reader_started: false,
        }
    }

    /// The Envoy.
    ///
    /// # Panics
    /// Never: it is away only while a new day begins.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        self.gateway
            .as_ref()
            .expect("it is away only between two days")
    }

    /// What the Envoy has shown since this was asked last.
    pub fn newly_shown(&mut self) -> Vec<Shown> {
        let shown = self.ledger.more();
        let times = shown.iter().map(|shown| shown.report.reported_at);
        self.newest = times.fold(self.newest, i64::max);
        shown
    }

    /// Since when all that was shown is known to the scraper, or to the journal before.
    #[must_use]
    pub fn known_since(&self) -> Timestamp {
        self.known_since
    }

    /// The running scraper.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn scraper(&self) -> &Program {
        self.scraper.as_ref().expect("the scraper runs")
    }

    /// Starts the scraper; `writable` is whether it can write its files.
    pub async fn start_scraper(&mut self, writable: bool) {
        self.reader_started = true;
        self.obey().await;
        let start = if writable {
            self.start.clone()
        } else {
            self.start.clone().on_a_full_disk()
        };
        self.scraper = Some(start.spawn());
    }

    /// Kills the scraper.
    pub fn kill_scraper(&mut self) {
        if let Some(scraper) = self.scraper.take() {
            scraper.kill();
        }
    }

    /// The disk of the scraper's journal fills up, or has room again.
    pub fn fill_disk(&self, full: bool) {
        self.scraper().fill_disk(full);
    }

    /// Whether the scraper keeps its readings in memory, for want of a disk.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        let said = self.scraper().stderr();
        let last = |words: &[&str]| {
            said.iter()
                .rposition(|line| words.iter().any(|words| line.contains(words)))
        };
        let failed = last(&["journal can't be written", "journal can't be used"]);
        failed > last(&["the journal can be written again"])
    }

    /// Takes the directory of the journal from under the running scraper.
    pub fn take_directory(&mut self) {
        files::remove(&self.state);
    }

    /// Removes the journal of a scraper that does not run.
    pub fn remove_journal(&mut self) {
        files::remove(&self.state);
        self.known_since = Timestamp::now();
    }

    /// Keeps a copy of the journal of a scraper that does not run.
    pub fn copy_journal(&mut self) {
        let copy = tempfile::tempdir().expect("a temporary directory");
        files::copy(&self.state, copy.path());
        self.copy = Some(copy);
    }

    /// Gives a scraper that does not run the journal that it once had: in place, or as new files.
    pub fn restore_journal(&mut self, in_place: bool) {
        let copy = self
            .copy
            .as_ref()
            .expect("a copy was made at the beginning");
        if !in_place {
            files::remove(&self.state);
        }
        files::copy(copy.path(), &self.state);
        self.known_since = Timestamp::now();
    }

    /// Somebody starts a second scraper for this Envoy, elsewhere.
    pub async fn start_second(&mut self, chain: &Chain) {
        let (_, address) = self.gateway().url().split_once("://").expect("a URL");
        let link = Link::from(ELSEWHERE, address).await;
        let state = tempfile::tempdir().expect("a temporary directory");
        let start = self.start.clone();
        let program = start
            .env("ENVOY_HOST", url(self.gateway(), &link))
            .env("STATE_DIR", state.path())
            .env("MQTT_URL", chain.broker.url())
            .spawn();
        self.second = Some(Second {
            _program: program,
            _link: link,
            _state: state,
        });
    }

    /// The mistake is noticed.
    pub fn stop_second(&mut self) {
        self.second = None;
    }

    /// The simulator takes no orders any more, or takes them again.
    pub async fn is_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
        self.obey().await;
    }

    /// It gets dark: nothing new is shown.
    pub async fn dusk(&mut self, dusk: bool) {
        self.dusk = dusk;
        self.obey().await;
    }

    /// Whether what is shown arrives is not known: what is on show has to stay, and to be read again.
    pub async fn unsure(&mut self, unsure: bool) {
        self.reader_started |= !unsure;
        self.unsure = unsure;
        self.obey().await;
    }

    /// Tells the simulator how things stand, if it listens.
    async fn obey(&mut self) {
        if self.stopped {
            return;
        }
        if self.reader_started {
            self.gateway().reader_started().await;
            self.reader_started = false;
        }
        self.gateway().freeze(self.dusk || self.unsure).await;
    }

    /// Whether the day is nearly over.
    #[must_use]
    pub fn is_late(&self) -> bool {
        civil(self.newest).time() > EVENING
    }

    /// The next day begins; the Envoy was read to the end.
    ///
    /// # Panics
    /// When the simulator does not start again.
    pub async fn next_morning(&mut self) {
        let today = civil(self.newest).date();
        let morning = today.tomorrow().unwrap_or(today).to_datetime(MORNING);
        let morning = jiff::tz::TimeZone::UTC
            .to_timestamp(morning)
            .expect("a time of UTC");
        let stopped = self.gateway.take().expect("it runs").stop().await;
        self.gateway = Some(stopped.start_again(morning).await);
        self.dusk = false;
    }
}

/// The Envoy's address by way of a link.
fn url(gateway: &Gateway, link: &Link) -> String {
    let (scheme, _) = gateway.url().split_once("://").expect("a URL");
    format!("{scheme}://{}", link.address())
}

fn civil(second: i64) -> jiff::civil::DateTime {
    let begin = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    begin.checked_add(second.seconds()).unwrap_or(begin)
}
