//! The settings of the single process: the scraper's about the Envoy, and where to keep things.

use std::path::PathBuf;
use std::time::Duration;

use daemon::health::{LISTEN, Listen};
use daemon::logs::{self, Logs};
use daemon::settings::{Key, Problems, Settings, Sources, duration, number};
use daemon::state_dir::{self, state_dir};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use scraper::config::{Access, Presentation};
use simulator::{Meters, SiteOptions};

use crate::account::{self, Place};

/// Where the Envoy is; without it one is simulated.
pub const HOST: Key = scraper::config::HOST.help(
    "the Envoy: a host, host:port or URL in the home network; without one a gateway is simulated",
);

/// Where the embedded broker listens.
pub const BROKER_LISTEN: Key = Key::new("broker.listen", "BROKER_LISTEN")
    .flag("broker-listen", "ADDRESS:PORT")
    .example("127.0.0.1:1883")
    .help("where the embedded MQTT broker listens; 127.0.0.1:1883 when unset, or a free port if that one is taken");

/// Where the page is served.
pub const PAGE: Key = Key::new("page.listen", "PAGE")
    .flag("page", "ADDRESS:PORT")
    .example("127.0.0.1:8340")
    .help("where the page with the live readings is served; 127.0.0.1:8340 when unset, or a free port if that one is taken");

/// The account that the embedded broker asks for.
pub const BROKER_USERNAME: Key = Key::new("broker.username", "BROKER_USERNAME")
    .flag("broker-username", "NAME")
    .example("house")
    .help("the user name that the embedded broker asks for; nobody needs one when unset");

/// Its secret.
pub const BROKER_PASSWORD: Key = Key::new("broker.password", "BROKER_PASSWORD")
    .secret()
    .help("the password that the embedded broker asks for; it travels unencrypted");

/// The account that the page asks for.
pub const PAGE_USERNAME: Key = Key::new("page.username", "PAGE_USERNAME")
    .flag("page-username", "NAME")
    .example("house")
    .help("the user name that the page asks for; nobody needs one when unset");

/// Its secret.
pub const PAGE_PASSWORD: Key = Key::new("page.password", "PAGE_PASSWORD")
    .secret()
    .help("the password that the page asks for; it travels unencrypted");

/// Where the simulated Envoy's true reports are written down: for tests.
pub const TESTING_LEDGER: Key = Key::file_only("testing.ledger");

/// How much faster than ours the simulated Envoy's clock runs: for tests.
pub const TESTING_SPEED: Key = Key::file_only("testing.speed").default("1");

/// How many inverters the simulated Envoy has: for tests.
pub const TESTING_INVERTERS: Key = Key::file_only("testing.inverters").default("12");

const OF_BROKER: account::Keys = account::Keys {
    listen: BROKER_LISTEN,
    username: BROKER_USERNAME,
    password: BROKER_PASSWORD,
    customary: "127.0.0.1:1883",
};

const OF_PAGE: account::Keys = account::Keys {
    listen: PAGE,
    username: PAGE_USERNAME,
    password: PAGE_PASSWORD,
    customary: "127.0.0.1:8340",
};

/// The embedded broker says each connection at `info`, and each port that it could not have at `warn`.
const QUIET_BROKER: &str = "info,mqtt5=error";

/// What means nothing to a simulated Envoy.
const FOR_A_REAL_ENVOY: [Key; 12] = [
    scraper::config::SERIAL,
    scraper::config::USERNAME,
    scraper::config::PASSWORD,
    scraper::config::TOKEN,
    scraper::config::ENLIGHTEN_USERNAME,
    scraper::config::ENLIGHTEN_PASSWORD,
    scraper::config::ENLIGHTEN_URL,
    scraper::config::ENTREZ_URL,
    scraper::config::CERTIFICATE,
    scraper::config::POLL_INTERVAL,
    scraper::config::TESTING_ENVOY_TIMEOUT,
    scraper::config::TESTING_MDNS_PORT,
];

/// Every key of the single process.
#[must_use]
pub fn keys() -> Vec<Key> {
    [
        &[
            HOST,
            scraper::config::TESTING_POLL_INTERVAL,
            state_dir::STATE_DIR,
            scraper::config::JOURNAL_SIZE,
            BROKER_LISTEN,
            BROKER_USERNAME,
            BROKER_PASSWORD,
            PAGE,
            PAGE_USERNAME,
            PAGE_PASSWORD,
            LISTEN,
            TESTING_LEDGER,
            TESTING_SPEED,
            TESTING_INVERTERS,
        ][..],
        &scraper::config::PRESENTATION_KEYS[..],
        &FOR_A_REAL_ENVOY[..],
        &[logs::RUST_LOG.default(QUIET_BROKER), logs::LOG_FORMAT][..],
    ]
    .concat()
}

/// All that the process needs to know.
#[derive(Debug)]
pub struct Config {
    /// Which Envoy is read.
    pub source: Source,
    /// Where readings and the broker's state are kept.
    pub state_dir: PathBuf,
    /// How large the journal may grow, in bytes.
    pub journal_size: u64,
    /// Where the broker listens, and for whom.
    pub broker: Place,
    /// Where the page is served, and for whom.
    pub page: Place,
    /// Where health and metrics are served.
    pub listen: Option<Listen>,
    /// How the inverters are shown to others.
    pub presentation: Presentation,
}

/// The Envoy that is read.
#[derive(Debug)]
pub enum Source {
    /// A real one.
    Real {
        /// Where it is and how to log in.
        access: Box<Access>,
        /// The time between two polls.
        poll_interval: Duration,
    },
    /// A simulated one.
    Simulated {
        /// What it is like.
        site: SiteOptions,
        /// Where its true reports are written down.
        ledger: Option<PathBuf>,
        /// The time between two polls, when it was chosen.
        poll_interval: Option<Duration>,
    },
}

impl Config {
    /// Reads all sections.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn read(sources: Sources) -> Result<(Self, Logs), Problems> {
        Settings::read(&keys(), sources, Self::from_settings)
    }

    /// The same out of settings that were gathered by somebody else, where mistakes are noted.
    pub fn from_settings(settings: &mut Settings) -> Option<(Self, Logs)> {
        let source = if settings.is_set(&HOST) {
            let access = Access::read(settings);
            let poll_interval = scraper::config::read_poll_interval(settings);
            access
                .zip(poll_interval)
                .map(|(access, poll_interval)| Source::Real {
                    access: Box::new(access),
                    poll_interval,
                })
        } else {
            read_simulated(settings)
        };
        let state_dir = state_dir(settings);
        let journal_size = scraper::config::read_journal_size(settings);
        let broker = Place::read(settings, &OF_BROKER);
        let page = Place::read(settings, &OF_PAGE);
        let listen = settings.optional(&LISTEN, str::parse);
        let presentation = Presentation::read(settings);
        let logs = Logs::read_or(settings, QUIET_BROKER);
        let config = Self {
            source: source?,
            state_dir: state_dir?,
            journal_size: journal_size?,
            broker: broker?,
            page: page?,
            listen,
            presentation: presentation?,
        };
        Some((config, logs?))
    }
}

fn read_simulated(settings: &mut Settings) -> Option<Source> {
    for key in FOR_A_REAL_ENVOY
        .iter()
        .filter(|key| settings.is_set(key))
        .collect::<Vec<_>>()
    {
        settings.reject(
            key,
            "set, but the Envoy's address is not: give it with --envoy",
        );
    }
    let speed = settings.required(&TESTING_SPEED, number);
    let inverters = settings.required(&TESTING_INVERTERS, number::<u16>);
    let ledger = settings.optional(&TESTING_LEDGER, str::parse);
    let poll_interval = settings.optional(&scraper::config::TESTING_POLL_INTERVAL, duration);
    let site = SiteOptions {
        speed: speed?,
        inverters: inverters?.into(),
        noon: noon_soon(Timestamp::now()),
        // All that a gateway can have is to be seen.
        meters: Meters::Connected,
        batteries: 2,
        ..SiteOptions::default()
    };
    Some(Source::Simulated {
        site,
        ledger,
        poll_interval,
    })
}

/// Solar noon such that the sun is up now and for some hours: a first look at night should show
/// more than a sleeping roof.
fn noon_soon(now: Timestamp) -> civil::Time {
    now.to_zoned_datetime(TimeZone::UTC)
        .time()
        .wrapping_add(SignedDuration::from_hours(1))
}

#[cfg(test)]
mod tests;
