//! The scraper's settings.

mod access;
mod account;
mod presentation;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use daemon::broker::Broker;
use daemon::health::{LISTEN, Listen};
use daemon::logs::Logs;
use daemon::settings::{Key, Problems, Settings, Sources, duration};
use daemon::state_dir::{STATE_DIR, state_dir};
use daemon::{broker, logs};
use discovery::Browser;

use crate::forget::Forgetting;
use crate::print::Once;
use crate::token::Request;

pub(crate) use access::doubt_of_serial;
pub use access::{
    Access, CERTIFICATE, ENVOY_KEYS, HOST, PASSWORD, SERIAL, TESTING_ENVOY_TIMEOUT,
    TESTING_MDNS_PORT, TOKEN, USERNAME,
};
pub use account::{
    ACCOUNT_KEYS, AccountSettings, ENLIGHTEN_PASSWORD, ENLIGHTEN_URL, ENLIGHTEN_USERNAME,
    ENTREZ_URL,
};

pub use presentation::{
    HOME_ASSISTANT, HOME_ASSISTANT_PREFIX, METRICS_INVERTERS, NAMES_FILE, PRESENTATION_KEYS,
    Presentation,
};

/// How large the journal may grow.
pub const JOURNAL_SIZE: Key = Key::new("journal.size", "JOURNAL_SIZE")
    .flag("journal-size", "SIZE")
    .default("32MiB")
    .help("how large the journal file may grow, 1MiB to 2GiB");

/// How often the Envoy is asked.
pub const POLL_INTERVAL: Key = Key::new("envoy.poll_interval", "POLL_INTERVAL")
    .flag("poll-interval", "TIME")
    .default("60s")
    .help("the time between two polls, 60s to 1h");

/// A poll interval without the lower limit: for tests against the simulator.
pub const TESTING_POLL_INTERVAL: Key = Key::file_only("testing.poll_interval");

/// The longest time between two announcements; tests shorten it.
pub const TESTING_ANNOUNCE_EVERY: Key = Key::file_only("testing.announce_every").default("5m");

/// How long a journal's disk that failed is left alone; tests shorten it.
pub const TESTING_JOURNAL_RETRY: Key = Key::file_only("testing.journal_retry").default("60s");

/// The shortest poll interval: gateways that are asked more often become slow and stop answering.
const SHORTEST_POLL_INTERVAL: Duration = Duration::from_mins(1);

/// The longest one: some inverters report each five minutes, and none less often than each hour.
const LONGEST_POLL_INTERVAL: Duration = Duration::from_hours(1);

/// How large a journal may be: with less it holds no day, and no disk of a small machine has more to
/// give.
const JOURNAL_SIZES: RangeInclusive<ByteSize> = ByteSize::mib(1)..=ByteSize::gib(2);

/// What reading the Envoy once logs: its result is on standard output.
pub const PRINT_FILTER: &str = "warn";

const OWN_KEYS: [Key; 7] = [
    POLL_INTERVAL,
    STATE_DIR,
    JOURNAL_SIZE,
    LISTEN,
    TESTING_POLL_INTERVAL,
    TESTING_ANNOUNCE_EVERY,
    TESTING_JOURNAL_RETRY,
];

/// Every key of the scraper.
#[must_use]
pub fn keys() -> Vec<Key> {
    [
        &ENVOY_KEYS[..],
        &OWN_KEYS[..],
        &PRESENTATION_KEYS[..],
        &broker::KEYS[..],
        &logs::KEYS[..],
        #[cfg(feature = "sabotage")]
        &[daemon::sabotage::KEY],
    ]
    .concat()
}

/// The same keys for a sub-command that logs something else when nothing is chosen.
#[must_use]
pub fn keys_of(filter: &'static str) -> Vec<Key> {
    logs::with_filter(keys(), filter)
}

/// All that the daemon needs to know.
#[derive(Debug)]
pub struct Config {
    /// The Envoy.
    pub access: Access,
    /// The time between two polls.
    pub poll_interval: Duration,
    /// The longest time between two announcements.
    pub announce_every: Duration,
    /// Where the journal is.
    pub state_dir: PathBuf,
    /// How large it may grow, in bytes.
    pub journal_size: u64,
    /// How long its disk is left alone after a failure.
    pub journal_retry: Duration,
    /// The broker.
    pub broker: Broker,
    /// Where health and metrics are served.
    pub listen: Option<Listen>,
    /// How the inverters are shown to others.
    pub presentation: Presentation,
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
        Self::logging(settings, logs::FILTER)
    }

    /// The same for a check, which logs less.
    pub fn of_check(settings: &mut Settings) -> Option<(Self, Logs)> {
        Self::logging(settings, daemon::check::FILTER)
    }

    fn logging(settings: &mut Settings, filter: &'static str) -> Option<(Self, Logs)> {
        #[cfg(feature = "sabotage")]
        daemon::sabotage::read(settings);
        let access = Access::read(settings);
        let poll_interval = read_poll_interval(settings);
        let announce_every = settings.required(&TESTING_ANNOUNCE_EVERY, duration);
        let state_dir = state_dir(settings);
        let journal_size = read_journal_size(settings);
        let journal_retry = settings.required(&TESTING_JOURNAL_RETRY, duration);
        let broker = Broker::read(settings);
        let listen = settings.optional(&LISTEN, str::parse);
        let presentation = Presentation::read(settings);
        let logs = Logs::read_or(settings, filter);
        let config = Self {
            access: access?,
            poll_interval: poll_interval?,
            announce_every: announce_every?,
            state_dir: state_dir?,
            journal_size: journal_size?,
            journal_retry: journal_retry?,
            broker: broker?,
            listen,
            presentation: presentation?,
        };
        Some((config, logs?))
    }
}

/// Reads what is needed to read the Envoy once: how to do that, where a daemon that does so all the time keeps what it
/// knows, and what the inverters are called. The other keys may be set, and are not looked at. Mistakes are noted.
pub fn read_once(settings: &mut Settings) -> Option<(Once, Logs)> {
    let access = Access::read(settings);
    let state_dir = state_dir(settings);
    let names = presentation::names(settings);
    let logs = Logs::read_or(settings, PRINT_FILTER);
    let once = Once {
        access: access?,
        state_dir: state_dir?,
        names,
    };
    Some((once, logs?))
}

/// Reads what is needed to look for Envoys. Mistakes are noted.
pub fn read_browser(settings: &mut Settings) -> Option<(Browser, Logs)> {
    let browser = access::browser(settings);
    let logs = Logs::read_or(settings, PRINT_FILTER);
    Some((browser, logs?))
}

/// Reads what is needed to fetch a token: an account, and the Envoy's serial or address. Mistakes are
/// noted.
pub fn read_token_request(settings: &mut Settings) -> Option<(Request, Logs)> {
    let account = AccountSettings::read(settings);
    let serial = access::serial(settings);
    let host = settings.optional(&HOST, str::parse);
    let logs = Logs::read_or(settings, PRINT_FILTER);
    let request = Request {
        account,
        serial,
        host,
    };
    Some((request, logs?))
}

/// Reads what is needed to forget something: the broker, and where the scraper of which Envoy keeps its state.
/// Mistakes are noted.
pub fn read_forgetting(settings: &mut Settings) -> Option<(Forgetting, Logs)> {
    let envoy = access::serial(settings);
    let state_dir = state_dir(settings);
    let broker = Broker::read(settings);
    let (announces, prefix) = presentation::announcing(settings);
    let logs = Logs::read_or(settings, PRINT_FILTER);
    let forgetting = Forgetting {
        envoy,
        state_dir: state_dir?,
        broker: broker?,
        prefix: prefix?,
        announces: announces?,
    };
    Some((forgetting, logs?))
}

/// Reads the time between two polls.
pub fn read_poll_interval(settings: &mut Settings) -> Option<Duration> {
    let interval = settings.required(&POLL_INTERVAL, |text| {
        let interval = duration(text)?;
        if interval < SHORTEST_POLL_INTERVAL {
            return Err(
                "is too short: gateways that are asked more often stop answering; write 60s or more"
                    .to_owned(),
            );
        }
        if interval > LONGEST_POLL_INTERVAL {
            return Err(
                "is too long: the Envoy keeps only the newest report of an inverter; write 1h or less"
                    .to_owned(),
            );
        }
        Ok(interval)
    });
    settings
        .optional(&TESTING_POLL_INTERVAL, duration)
        .or(interval)
}

/// Reads how large the journal may grow, in bytes.
pub fn read_journal_size(settings: &mut Settings) -> Option<u64> {
    settings.required(&JOURNAL_SIZE, |text| {
        let size: ByteSize = text
            .parse()
            .map_err(|_| "is no size; write a number and a unit, such as 32MiB".to_owned())?;
        if !JOURNAL_SIZES.contains(&size) {
            let (least, most) = (JOURNAL_SIZES.start(), JOURNAL_SIZES.end());
            return Err(format!("is out of range; write {least} to {most}"));
        }
        Ok(size.as_u64())
    })
}

#[cfg(test)]
mod tests;
