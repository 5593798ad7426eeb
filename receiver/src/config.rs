//! The receiver's settings.

use daemon::broker::Broker;
use daemon::exit::with_causes;
use daemon::logs::Logs;
use daemon::settings::{Key, Problems, Secret, Settings, Sources, text};
use daemon::{broker, logs};
use store::{InfluxDb, TokenSource};
use wire::ReceiverName;

/// Its client id and its topic.
pub const NAME: Key = Key::new("name", "RECEIVER_NAME")
    .flag("name", "NAME")
    .default("receiver")
    .help(
        "this receiver's name, its own at its broker; it names the session that the broker keeps",
    );

/// Where InfluxDB is.
pub const INFLUX_URL: Key = Key::new("influx.url", "INFLUX_URL")
    .env_alias("ENVOY_INFLUX_URL")
    .flag("influx-url", "URL")
    .default("http://localhost:8086")
    .help("InfluxDB's address; it may have a path");

/// What lets us write there.
pub const INFLUX_TOKEN: Key = Key::new("influx.token", "INFLUX_TOKEN")
    .env_alias("ENVOY_INFLUX_TOKEN")
    .secret()
    .help("an InfluxDB token that may write to the bucket");

/// Whose bucket.
pub const INFLUX_ORG: Key = Key::new("influx.org", "INFLUX_ORG")
    .flag("influx-org", "NAME")
    .help("the InfluxDB organisation");

/// Which bucket.
pub const INFLUX_BUCKET: Key = Key::new("influx.bucket", "INFLUX_BUCKET")
    .flag("influx-bucket", "NAME")
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

/// A receiver that writes to InfluxDB.
pub struct Everything {
    /// The daemon.
    pub config: Config,
    /// Its store.
    pub store: InfluxDb,
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
    let store = read_influx(&mut settings);
    let logs = Logs::read(&mut settings);
    let everything = || {
        Some(Everything {
            config: Config {
                name: name?,
                broker: broker?,
            },
            store: store?,
            logs: logs?,
        })
    };
    settings.finish(everything())
}

fn read_influx(settings: &mut Settings) -> Option<InfluxDb> {
    let url = settings.required(&INFLUX_URL, str::parse);
    let token = settings.required_secret(&INFLUX_TOKEN);
    let org = settings.required(&INFLUX_ORG, text);
    let bucket = settings.required(&INFLUX_BUCKET, text);
    let influx = InfluxDb::new(store::Settings {
        url: url?,
        token: match token? {
            Secret::Value(token) => TokenSource::Value(token),
            Secret::File(path) => TokenSource::File(path),
        },
        org: org?,
        bucket: bucket?,
        timeout: store::Settings::DEFAULT_TIMEOUT,
    });
    influx
        .inspect_err(|error| settings.reject(&INFLUX_URL, with_causes(error)))
        .ok()
}
