//! The receiver's settings.

mod influx;
mod place;

use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::broker::Broker;
use daemon::exit::with_causes;
use daemon::health::{LISTEN, Listen};
use daemon::logs::Logs;
use daemon::settings::{Key, Problems, Secret, Settings, Sources, duration, readable_file, text};
use daemon::state_dir::{STATE_DIR, state_dir};
use daemon::{broker, logs};
use store::{BesideFile, InfluxDb, MarksFile, SettingsError, TokenSource};
use wire::ReceiverName;

use self::place::Place;
use crate::census;

/// Its client id and its topic.
pub const NAME: Key = Key::new("name", "RECEIVER_NAME")
    .flag("name", "NAME")
    .default("receiver")
    .help(
        "this receiver's name, its own at its broker; it names the session that the broker keeps",
    );

/// Which store it is.
pub const STORE: Key = Key::new("store", "STORE")
    .flag("store", "STORE")
    .default("influxdb")
    .help("where readings are stored: influxdb, or sqlite:FILE for a file on this machine");

/// Where InfluxDB is.
pub const INFLUX_URL: Key = Key::new("influx.url", "INFLUX_URL")
    .env_alias("ENVOY_INFLUX_URL")
    .flag("influx-url", "URL")
    .default("http://localhost:8086")
    .help("InfluxDB's address; it may have a path");

/// Whom we trust to sign InfluxDB's certificate.
pub const INFLUX_CA_FILE: Key = Key::new("influx.ca_file", "INFLUX_CA_FILE")
    .flag("influx-ca-file", "FILE")
    .help("PEM file with the CA of InfluxDB's certificate, instead of the system's CAs");

/// What lets us write there.
pub const INFLUX_TOKEN: Key = Key::new("influx.token", "INFLUX_TOKEN")
    .env_alias("ENVOY_INFLUX_TOKEN")
    .secret()
    .example("development-token")
    .help("an InfluxDB token that may write to the bucket");

/// Whose bucket.
pub const INFLUX_ORG: Key = Key::new("influx.org", "INFLUX_ORG")
    .flag("influx-org", "NAME")
    .example("home")
    .help("the InfluxDB organisation");

/// Which bucket.
pub const INFLUX_BUCKET: Key = Key::new("influx.bucket", "INFLUX_BUCKET")
    .flag("influx-bucket", "NAME")
    .example("envoy")
    .help("the InfluxDB bucket");

/// How many Envoys there is room for.
pub const MAX_ENVOYS: Key = Key::new("max_envoys", "MAX_ENVOYS")
    .flag("max-envoys", "NUMBER")
    .default("1000")
    .help("of how many Envoys readings are stored; of further ones nothing is, which is said at ERROR");

/// The time between two statuses on one connection; tests shorten it.
pub const TESTING_ANNOUNCE_EVERY: Key = Key::file_only("testing.announce_every").default("5m");

/// How long a request to the store may take; tests shorten it.
pub const TESTING_STORE_TIMEOUT: Key = Key::file_only("testing.store_timeout");

/// How long a reading may take from its announcement to the store before it is asked for; tests
/// shorten it.
pub const TESTING_AUDIT_AFTER: Key = Key::file_only("testing.audit_after").default("60s");

const OWN_KEYS: [Key; 13] = [
    NAME,
    STATE_DIR,
    STORE,
    INFLUX_URL,
    INFLUX_CA_FILE,
    INFLUX_TOKEN,
    INFLUX_ORG,
    INFLUX_BUCKET,
    MAX_ENVOYS,
    LISTEN,
    TESTING_ANNOUNCE_EVERY,
    TESTING_AUDIT_AFTER,
    TESTING_STORE_TIMEOUT,
];

/// Every key of the receiver.
#[must_use]
pub fn keys() -> Vec<Key> {
    [
        &OWN_KEYS[..],
        &broker::KEYS[..],
        &logs::KEYS[..],
        #[cfg(feature = "sabotage")]
        &[daemon::sabotage::KEY],
    ]
    .concat()
}

/// All that the daemon needs to know but its store.
#[derive(Debug)]
pub struct Config {
    /// The receiver's name.
    pub name: ReceiverName,
    /// The broker.
    pub broker: Broker,
    /// The time between two statuses on one connection.
    pub announce_every: Duration,
    /// How long a reading may take from its announcement to the store before it is asked for.
    pub audit_after: Duration,
    /// How many Envoys there is room for.
    pub max_envoys: usize,
    /// Where the marks, the dead letters and notes to a running receiver are.
    pub state_dir: PathBuf,
    /// Where health and metrics are served.
    pub listen: Option<Listen>,
}

impl Config {
    /// The file of the marks, where the store has no place for them.
    #[must_use]
    pub fn marks_file(&self) -> PathBuf {
        self.state_dir.join(format!("marks-{}.json", self.name))
    }

    /// The file that one receiver of this name holds at a time.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.state_dir.join(format!("lock-{}", self.name))
    }

    /// The file of the dead letters.
    #[must_use]
    pub fn dead_letters_file(&self) -> PathBuf {
        let name = format!("dead-letters-{}.jsonl", self.name);
        self.state_dir.join(name)
    }

    /// The note that asks for a refill.
    #[must_use]
    pub fn refill_note(&self) -> PathBuf {
        refill_note(&self.state_dir, &self.name)
    }
}

/// The note that asks the receiver `name` for a refill.
pub(crate) fn refill_note(state_dir: &Path, name: &ReceiverName) -> PathBuf {
    state_dir.join(format!("refill-{name}"))
}

/// Where a receiver stores.
pub enum Chosen {
    /// InfluxDB, with the marks in a file.
    Influx(Box<BesideFile<InfluxDb>>),
    /// This SQLite file, which has the marks, too. It is opened, and made, at the start.
    Sqlite(PathBuf),
}

/// A receiver and where it stores.
pub struct Everything {
    /// The daemon.
    pub config: Config,
    /// Its store.
    pub store: Chosen,
    /// Its logs.
    pub logs: Logs,
}

/// Reads all sections.
///
/// # Errors
/// Every mistake in the settings.
pub fn read(sources: Sources) -> Result<Everything, Problems> {
    Settings::read(&keys(), sources, from_settings)
}

/// The same out of settings that were gathered by somebody else, where mistakes are noted.
pub fn from_settings(settings: &mut Settings) -> Option<Everything> {
    logging(settings, logs::FILTER)
}

/// The same for a check, which logs less.
pub fn of_check(settings: &mut Settings) -> Option<Everything> {
    logging(settings, daemon::check::FILTER)
}

fn logging(settings: &mut Settings, filter: &'static str) -> Option<Everything> {
    #[cfg(feature = "sabotage")]
    daemon::sabotage::read(settings);
    let name = read_name(settings);
    let broker = Broker::read(settings);
    let announce_every = settings.required(&TESTING_ANNOUNCE_EVERY, duration);
    let audit_after = settings.required(&TESTING_AUDIT_AFTER, duration);
    let max_envoys = settings.required(&MAX_ENVOYS, max_envoys);
    let state_dir = state_dir(settings);
    let listen = settings.optional(&LISTEN, str::parse);
    let store = read_store(settings);
    let logs = Logs::read_or(settings, filter);
    let config = Config {
        name: name?,
        broker: broker?,
        announce_every: announce_every?,
        audit_after: audit_after?,
        max_envoys: max_envoys?,
        state_dir: state_dir?,
        listen,
    };
    let store = match store? {
        Named::Sqlite(file) => Chosen::Sqlite(file),
        Named::Influx(influx) => {
            let marks = MarksFile::new(config.marks_file(), influx.identity().to_owned());
            Chosen::Influx(Box::new(BesideFile::new(*influx, marks)))
        }
    };
    Some(Everything {
        config,
        store,
        logs: logs?,
    })
}

/// The receiver's name.
pub(crate) fn read_name(settings: &mut Settings) -> Option<ReceiverName> {
    settings.required(&NAME, name)
}

fn name(text: &str) -> Result<ReceiverName, String> {
    let remedy = "it names the broker's session and a topic";
    text.parse()
        .map_err(|error: wire::InvalidName| format!("{error}; {remedy}"))
}

fn max_envoys(text: &str) -> Result<usize, String> {
    let (least, most) = (census::ENVOYS.start(), census::ENVOYS.end());
    let number = text.parse().ok();
    number
        .filter(|number| census::ENVOYS.contains(number))
        .ok_or_else(|| format!("is out of range; write a number from {least} to {most}"))
}

/// The store that the settings name.
enum Named {
    Influx(Box<InfluxDb>),
    Sqlite(PathBuf),
}

fn read_store(settings: &mut Settings) -> Option<Named> {
    let place = match settings.required(&STORE, str::parse)? {
        Place::Influx => return Some(Named::Influx(Box::new(read_influx(settings)?))),
        Place::Sqlite(file) => file,
    };
    for key in [
        INFLUX_URL,
        INFLUX_CA_FILE,
        INFLUX_TOKEN,
        INFLUX_ORG,
        INFLUX_BUCKET,
    ] {
        if settings.is_set(&key) {
            settings.remark(
                &key,
                "set, but STORE names a file, so nothing goes to InfluxDB",
            );
        }
    }
    Some(Named::Sqlite(place))
}

fn read_influx(settings: &mut Settings) -> Option<InfluxDb> {
    let url = settings.required(&INFLUX_URL, influx::address);
    if let Some(doubt) = url.as_ref().and_then(influx::doubt) {
        settings.remark(&INFLUX_URL, doubt);
    }
    let ca_file = settings.optional(&INFLUX_CA_FILE, readable_file);
    let token = settings.required_secret(&INFLUX_TOKEN, influx::token);
    let org = settings.required(&INFLUX_ORG, text);
    let bucket = settings.required(&INFLUX_BUCKET, text);
    let timeout = settings.optional(&TESTING_STORE_TIMEOUT, duration);
    let influx = InfluxDb::new(store::Settings {
        url: url?,
        token: match token? {
            Secret::Value(token) => TokenSource::Value(token),
            Secret::File(path) => TokenSource::File(path),
        },
        org: org?,
        bucket: bucket?,
        timeout: timeout.unwrap_or(store::Settings::DEFAULT_TIMEOUT),
        ca_file,
    });
    for ca in influx.iter().flat_map(InfluxDb::out_of_date) {
        let doubt = format!("{ca} and is not trusted; {}", ca.remedy());
        settings.remark(&INFLUX_CA_FILE, doubt);
    }
    influx
        .inspect_err(|error| {
            let key = match error {
                SettingsError::Token
                | SettingsError::TokenFile { .. }
                | SettingsError::EmptyToken => INFLUX_TOKEN,
                SettingsError::CaFileWithoutTls { .. } | SettingsError::CaFile { .. } => {
                    INFLUX_CA_FILE
                }
                _ => INFLUX_URL,
            };
            settings.reject(&key, with_causes(error));
        })
        .ok()
}

#[cfg(test)]
mod tests;
