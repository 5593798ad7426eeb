//! The receiver's settings.

use std::time::Duration;

use daemon::broker::Broker;
use daemon::exit::with_causes;
use daemon::logs::Logs;
use daemon::settings::{Key, Problems, Secret, Settings, Sources, duration, text};
use daemon::{broker, logs};
use store::{InfluxDb, SettingsError, TokenSource};
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

/// The time between two statuses on one connection; tests shorten it.
pub const TESTING_ANNOUNCE_EVERY: Key = Key::file_only("testing.announce_every").default("5m");

const OWN_KEYS: [Key; 6] = [
    NAME,
    INFLUX_URL,
    INFLUX_TOKEN,
    INFLUX_ORG,
    INFLUX_BUCKET,
    TESTING_ANNOUNCE_EVERY,
];

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
    /// The time between two statuses on one connection.
    pub announce_every: Duration,
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
    let announce_every = settings.required(&TESTING_ANNOUNCE_EVERY, duration);
    let store = read_influx(&mut settings);
    let logs = Logs::read(&mut settings);
    let everything = || {
        Some(Everything {
            config: Config {
                name: name?,
                broker: broker?,
                announce_every: announce_every?,
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
        .inspect_err(|error| {
            let key = match error {
                SettingsError::Token
                | SettingsError::TokenFile { .. }
                | SettingsError::EmptyToken => INFLUX_TOKEN,
                _ => INFLUX_URL,
            };
            settings.reject(&key, with_causes(error));
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(environment: &[(&str, &str)]) -> String {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let read = read(Sources {
            environment,
            ..Sources::default()
        });
        read.err()
            .map(|problems| problems.to_string())
            .unwrap_or_default()
    }

    const COMPLETE: [(&str, &str); 3] = [
        ("INFLUX_TOKEN", "t0ken"),
        ("INFLUX_ORG", "home"),
        ("INFLUX_BUCKET", "envoy"),
    ];

    #[test]
    fn a_token_an_organisation_and_a_bucket_are_enough() {
        daemon::install_crypto_provider();
        assert_eq!(mistakes(&COMPLETE), "");
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let mistakes = mistakes(&[]);
        for name in ["INFLUX_TOKEN", "INFLUX_ORG", "INFLUX_BUCKET"] {
            assert!(mistakes.contains(&format!("{name}: missing")), "{mistakes}");
        }
    }

    #[test]
    fn a_token_that_can_not_be_one_is_named_and_not_shown() {
        let mistakes = mistakes(&[&[("INFLUX_TOKEN", "t0k\nen")], &COMPLETE[1..]].concat());
        assert!(
            mistakes.contains("INFLUX_TOKEN: the token has"),
            "{mistakes}"
        );
        assert!(!mistakes.contains("t0k"), "{mistakes}");
    }

    #[test]
    fn a_ca_for_a_connection_without_tls_is_a_mistake() {
        let mistakes = mistakes(&[&[("MQTT_CA_FILE", "/dev/null")], &COMPLETE[..]].concat());
        assert!(
            mistakes.contains("MQTT_CA_FILE: mqtt://localhost:1883 is not encrypted"),
            "{mistakes}"
        );
    }
}
