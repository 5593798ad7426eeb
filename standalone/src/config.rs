//! The settings of the single process: the scraper's about the Envoy, and where to keep things.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use daemon::health::{LISTEN, Listen};
use daemon::logs::{self, Logs};
use daemon::settings::{Key, Problems, Settings, Sources, duration, number};
use daemon::state_dir::{self, state_dir};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use scraper::config::{Access, Presentation};
use simulator::SiteOptions;

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

/// Where the simulated Envoy's true reports are written down: for tests.
pub const TESTING_LEDGER: Key = Key::file_only("testing.ledger");

/// How much faster than ours the simulated Envoy's clock runs: for tests.
pub const TESTING_SPEED: Key = Key::file_only("testing.speed").default("1");

/// How many inverters the simulated Envoy has: for tests.
pub const TESTING_INVERTERS: Key = Key::file_only("testing.inverters").default("12");

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
            PAGE,
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
    /// Where the broker listens, if that was chosen.
    pub broker_listen: Option<SocketAddr>,
    /// Where the page is served, if that was chosen.
    pub page: Option<SocketAddr>,
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
        let broker_listen = settings.optional(&BROKER_LISTEN, loopback);
        let page = settings.optional(&PAGE, loopback_page);
        let listen = settings.optional(&LISTEN, str::parse);
        let presentation = Presentation::read(settings);
        let logs = Logs::read_or(settings, QUIET_BROKER);
        let config = Self {
            source: source?,
            state_dir: state_dir?,
            journal_size: journal_size?,
            broker_listen,
            page,
            listen,
            presentation: presentation?,
        };
        Some((config, logs?))
    }
}

/// An address on the loopback interface: the embedded broker has no accounts.
fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "is not an address and a port; write 127.0.0.1:1883")?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(
            "this broker has no accounts, so it listens on the loopback interface only; write 127.0.0.1:1883",
        )
    }
}

/// An address on the loopback interface: whoever reaches the page sees when somebody is at home.
fn loopback_page(text: &str) -> Result<SocketAddr, &'static str> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "is not an address and a port; write 127.0.0.1:8340")?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(
            "the page has no accounts, so it is served on the loopback interface only; write 127.0.0.1:8340",
        )
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
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment
            .iter()
            .chain([&("STATE_DIR", "/nowhere")])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let read = Config::read(Sources {
            environment,
            ..Sources::default()
        });
        read.map(|(config, _)| config)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn without_an_envoy_one_is_simulated_with_the_sun_up() {
        let config = read(&[]).expect("nothing has to be set");
        assert!(matches!(config.source, Source::Simulated { .. }));
    }

    #[test]
    fn settings_of_an_envoy_without_its_address_are_a_mistake() {
        let mistake = read(&[("ENVOY_TOKEN", "eyJsecret")]).expect_err("there is no address");
        assert!(
            mistake.contains("ENVOY_TOKEN: set, but the Envoy's address is not"),
            "{mistake}"
        );
        assert!(!mistake.contains("eyJsecret"), "{mistake}");
    }

    #[test]
    fn a_broker_without_accounts_listens_on_the_loopback_interface_only() {
        assert!(read(&[("BROKER_LISTEN", "127.0.0.1:0")]).is_ok());
        let mistake = read(&[("BROKER_LISTEN", "0.0.0.0:1883")]).expect_err("for everyone");
        assert!(mistake.contains("BROKER_LISTEN"), "{mistake}");
    }
}
