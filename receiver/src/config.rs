//! The receiver's settings.

use daemon::broker::Broker;
use daemon::logs::Logs;
use daemon::settings::{Key, Problems, Secret, Settings, Sources, text};
use daemon::{broker, logs};
use store::{InfluxDb, SettingsError, TokenSource};
use url::Url;
use wire::ReceiverName;

/// Its client id and its topic.
pub const NAME: Key = Key::new("name", "RECEIVER_NAME")
    .flag("name")
    .default("receiver")
    .help(
        "this receiver's name, its own at its broker; it names the session that the broker keeps",
    );

/// Where InfluxDB is.
pub const INFLUX_URL: Key = Key::new("influx.url", "INFLUX_URL")
    .env_alias("ENVOY_INFLUX_URL")
    .flag("influx-url")
    .default("http://localhost:8086")
    .help("InfluxDB's address; it may have a path");

/// What lets us write there.
pub const INFLUX_TOKEN: Key = Key::new("influx.token", "INFLUX_TOKEN")
    .env_alias("ENVOY_INFLUX_TOKEN")
    .secret()
    .help("an InfluxDB token that may write to the bucket");

/// Whose bucket.
pub const INFLUX_ORG: Key = Key::new("influx.org", "INFLUX_ORG")
    .flag("influx-org")
    .help("the InfluxDB organisation");

/// Which bucket.
pub const INFLUX_BUCKET: Key = Key::new("influx.bucket", "INFLUX_BUCKET")
    .flag("influx-bucket")
    .help("the InfluxDB bucket");

const OWN_KEYS: [Key; 5] = [NAME, INFLUX_URL, INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET];

/// Every key of the receiver.
#[must_use]
pub fn keys() -> Vec<Key> {
    [&OWN_KEYS[..], &broker::KEYS[..], &logs::KEYS[..]].concat()
}

/// All that the daemon needs to know but its store.
#[derive(Debug)]
pub struct Config {
    /// The receiver's name.
    pub name: ReceiverName,
    /// The broker.
    pub broker: Broker,
}

/// Where readings are written.
#[derive(Debug)]
pub struct Influx {
    /// InfluxDB's address.
    pub url: Url,
    /// What lets us write there.
    pub token: Secret,
    /// Whose bucket.
    pub org: String,
    /// Which bucket.
    pub bucket: String,
}

impl Influx {
    /// The store itself.
    ///
    /// # Errors
    /// When no client can be made for this address.
    pub fn store(self) -> Result<InfluxDb, SettingsError> {
        InfluxDb::new(store::Settings {
            url: self.url,
            token: match self.token {
                Secret::Value(token) => TokenSource::Value(token),
                Secret::File(path) => TokenSource::File(path),
            },
            org: self.org,
            bucket: self.bucket,
            timeout: store::Settings::DEFAULT_TIMEOUT,
        })
    }
}

/// A receiver that writes to InfluxDB.
pub struct Everything {
    /// The daemon.
    pub config: Config,
    /// Its store.
    pub influx: Influx,
    /// Its logs.
    pub logs: Logs,
}

/// Reads all sections.
///
/// # Errors
/// Every mistake in the settings.
pub fn read(sources: Sources) -> Result<Everything, Problems> {
    let mut settings = Settings::gather(&keys(), sources);
    let name = settings.required(&NAME, str::parse);
    let broker = Broker::read(&mut settings);
    let url = settings.required(&INFLUX_URL, str::parse);
    let token = settings.required_secret(&INFLUX_TOKEN);
    let org = settings.required(&INFLUX_ORG, text);
    let bucket = settings.required(&INFLUX_BUCKET, text);
    let logs = Logs::read(&mut settings);
    let everything = || {
        Some(Everything {
            config: Config {
                name: name?,
                broker: broker?,
            },
            influx: Influx {
                url: url?,
                token: token?,
                org: org?,
                bucket: bucket?,
            },
            logs: logs?,
        })
    };
    settings.finish(everything())
}
