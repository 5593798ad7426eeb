//! The house: an Envoy, its owner's account, a broker, and the scraper.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daemon::service::Service;
use daemon::settings::Sources;
use discovery::{Browser, Found};
use scraper::config::Config;
use scraper::metrics::Metrics;
use simulator::{CloudOptions, Options, OurTime, Simulator, SiteOptions, Source};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::time::Time;
use crate::timetable::{Event, FIRMWARE};

/// Its serial, as on the label.
pub const SERIAL: &str = "122012345678";

/// Inverters on its roof.
const INVERTERS: usize = 4;

/// The account's password at the broker.
pub const BROKER_PASSWORD: &str = "the-broker-knows-it";

/// Everything, as it runs.
#[derive(Debug)]
pub struct Home {
    /// The Envoy.
    pub simulator: Simulator,
    /// The broker.
    pub broker: Broker,
    time: Time,
    /// Where the Envoy announces itself.
    announced: Arc<Mutex<String>>,
    scraper: JoinHandle<Result<(), String>>,
    stop: CancellationToken,
    directory: TempDir,
}

impl Home {
    /// Everything starts.
    ///
    /// # Panics
    /// When something does not.
    pub async fn start(time: &Time) -> Self {
        let site = SiteOptions {
            inverters: INVERTERS,
            firmware: FIRMWARE.parse().expect("a firmware"),
            ..SiteOptions::default()
        };
        Self::with(time, site).await
    }

    /// Everything starts, with this roof.
    ///
    /// # Panics
    /// When something does not.
    pub async fn with(time: &Time, site: SiteOptions) -> Self {
        let directory = directory();
        let ours = time.clone();
        let simulator = Simulator::start(Options {
            source: Source::Site(SiteOptions {
                serial: SERIAL.parse().expect("a serial"),
                ..site
            }),
            ledger: Some(ledger(directory.path())),
            cloud: Some(CloudOptions::default()),
            note_requests: true,
            next_listen: Some("127.0.0.1:0".parse().expect("an address")),
            our_time: OurTime::new(move || ours.now()),
            ..Options::default()
        });
        let simulator = simulator.await.expect("a simulator");
        let broker = Broker::start().await;
        let announced = Arc::new(Mutex::new(address(&simulator)));
        let stop = CancellationToken::new();
        let config = config(&simulator, &broker, directory.path());
        let scraper = scrape(config, time, &announced, &stop);
        Self {
            simulator,
            broker,
            time: time.clone(),
            announced,
            scraper,
            stop,
            directory,
        }
    }

    /// What was shown is in this file.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        ledger(self.directory.path())
    }

    /// Whether the scraper still runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.scraper.is_finished()
    }

    /// Something happens; if it is an inverter that is replaced, this one.
    ///
    /// # Panics
    /// When it can't.
    pub fn meet(&self, event: Event, inverter: &str) {
        let simulator = &self.simulator;
        match event {
            Event::Update(firmware) => {
                let firmware = firmware.parse().expect("a firmware");
                simulator.update(firmware).expect("an update");
            }
            Event::Certificate => simulator.renew_certificate().expect("a certificate"),
            Event::Reboot => simulator.reboot(Duration::from_mins(2), Duration::from_mins(3)),
            Event::Move => {
                simulator.move_on();
                *self.announced.lock().expect("no panic") = address(simulator);
            }
            Event::Replace => {
                simulator.replace(inverter).expect("one in use");
            }
            Event::Fault(plan) => simulator.inject(plan.parse().expect(plan)),
            Event::Cloud(switch) => {
                let switch = switch.parse().expect(switch);
                simulator.switch_cloud(switch).expect("a cloud");
            }
            Event::BrokerAway => self.broker.be_away(true),
            Event::BrokerBack => self.broker.be_away(false),
        }
    }

    /// The scraper is asked to stop, and does.
    ///
    /// # Panics
    /// When it ends with an error.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// The scraper starts again where it was stopped, with what it has kept.
    ///
    /// # Panics
    /// When it had ended with an error.
    pub async fn start_again(&mut self) {
        self.stop = CancellationToken::new();
        let config = config(&self.simulator, &self.broker, self.directory.path());
        let again = scrape(config, &self.time, &self.announced, &self.stop);
        let ended = std::mem::replace(&mut self.scraper, again).await;
        assert_eq!(ended.expect("no panic"), Ok(()));
    }

    /// How the scraper has ended.
    ///
    /// # Panics
    /// When it panicked.
    pub async fn ended(self) -> Result<(), String> {
        let ended = self.scraper.await.expect("no panic");
        self.simulator.stop().await;
        ended
    }
}

/// Runs the scraper until `stop`, by this time, with the Envoy where it is announced.
fn scrape(
    mut config: Config,
    time: &Time,
    announced: &Arc<Mutex<String>>,
    stop: &CancellationToken,
) -> JoinHandle<Result<(), String>> {
    let (clock, heard) = (time.clone(), Arc::clone(announced));
    config.access.clock = envoy::Clock::new(move || clock.now());
    config.access.browser = Browser::told(move || vec![found(&heard)]);
    let stopped = stop.clone().cancelled_owned();
    tokio::spawn(async move {
        let ended = scraper::run(config, Metrics::default(), &Service::none(), stopped).await;
        ended.map_err(|error| daemon::exit::with_causes(&error))
    })
}

/// In memory where there is such a place: the journal waits for the disk at each report.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let in_memory = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok());
    in_memory
        .flatten()
        .unwrap_or_else(|| tempfile::tempdir().expect("a directory"))
}

fn ledger(directory: &Path) -> PathBuf {
    directory.join("ledger")
}

/// Where the Envoy is, without a scheme, so that both are tried.
fn address(simulator: &Simulator) -> String {
    let url = simulator.url();
    let (_, address) = url.split_once("://").expect("a URL");
    address.to_owned()
}

fn found(announced: &Mutex<String>) -> Found {
    Found {
        serial: SERIAL.to_owned(),
        firmware: None,
        addresses: vec![announced.lock().expect("no panic").clone()],
    }
}

/// The settings as a user has them; without the Envoy's address, which is found.
fn config(simulator: &Simulator, broker: &Broker, directory: &Path) -> Config {
    let cloud = simulator.cloud_url().expect("a cloud");
    let state = directory.join("state");
    let environment = [
        ("ENLIGHTEN_USERNAME", CloudOptions::USERNAME.to_owned()),
        ("ENLIGHTEN_PASSWORD", CloudOptions::PASSWORD.to_owned()),
        ("ENLIGHTEN_URL", cloud.to_owned()),
        ("ENTREZ_URL", cloud.to_owned()),
        ("MQTT_URL", broker.url().to_owned()),
        // So that what the journal has of its file in memory is all of it within some days.
        ("JOURNAL_SIZE", "1MiB".to_owned()),
        ("MQTT_PASSWORD", BROKER_PASSWORD.to_owned()),
        ("STATE_DIR", state.to_str().expect("ASCII").to_owned()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let sources = Sources {
        environment: BTreeMap::from(environment),
        ..Sources::default()
    };
    let read = Config::read(sources);
    let (config, _) = read.unwrap_or_else(|problems| panic!("{problems}"));
    config
}
