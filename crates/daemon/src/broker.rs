//! The section about the MQTT broker, the same in both daemons.

mod explain;
mod port;
mod tls;

use std::time::Duration;

pub use explain::explain;
use mqtt::{BrokerUrl, Credentials, Message, Tls};
use wire::BaseTopic;

use crate::settings::{Key, Secret, Settings};

/// Where the broker is.
pub const URL: Key = Key::new("mqtt.url", "MQTT_URL")
    .flag("mqtt-url", "URL")
    .default("mqtt://localhost:1883")
    .help("the broker: mqtt://host:port, or mqtts:// for TLS");

/// Who we are to it.
pub const USERNAME: Key = Key::new("mqtt.username", "MQTT_USERNAME")
    .flag("mqtt-username", "NAME")
    .example("122012345678")
    .help("the account's user name; the Envoy's serial, or the receiver's name, when unset");

/// How we prove it.
pub const PASSWORD: Key = Key::new("mqtt.password", "MQTT_PASSWORD")
    .secret()
    .help("the account's password");

/// Whom we trust to sign the broker's certificate.
pub const CA_FILE: Key = Key::new("mqtt.ca_file", "MQTT_CA_FILE")
    .flag("mqtt-ca-file", "FILE")
    .example("/etc/envoy-scrape/ca.pem")
    .help("PEM file with the CA of the broker's certificate, instead of the system's CAs");

/// Who we are to a broker that wants a certificate.
pub const CERT_FILE: Key = Key::new("mqtt.cert_file", "MQTT_CERT_FILE")
    .flag("mqtt-cert-file", "FILE")
    .example("/etc/envoy-scrape/client.pem")
    .help("PEM file with our certificate, for a broker that wants one; with the key file");

/// How we prove that the certificate is ours.
pub const KEY_FILE: Key = Key::new("mqtt.key_file", "MQTT_KEY_FILE")
    .flag("mqtt-key-file", "FILE")
    .example("/etc/envoy-scrape/client.key")
    .help("PEM file with the private key of that certificate");

/// The first part of every topic.
pub const TOPIC: Key = Key::new("mqtt.topic", "MQTT_TOPIC")
    .flag("mqtt-topic", "TOPIC")
    .default("envoy")
    .help("the base topic");

/// How long the connection may be silent; tests shorten it.
pub const TESTING_KEEP_ALIVE: Key = Key::file_only("testing.keep_alive").default("30s");

/// The longest pause between two attempts to connect; tests shorten it.
pub const TESTING_BACKOFF_CAP: Key = Key::file_only("testing.backoff_cap").default("1m");

/// The keys of this section.
pub const KEYS: [Key; 9] = [
    URL,
    USERNAME,
    PASSWORD,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    TOPIC,
    TESTING_KEEP_ALIVE,
    TESTING_BACKOFF_CAP,
];

/// How to reach the broker and which topics to use there.
#[derive(Debug)]
pub struct Broker {
    /// Its address.
    pub url: BrokerUrl,
    /// The account's name, if one is set.
    pub username: Option<String>,
    /// The account's password, if one is set.
    pub password: Option<Secret>,
    /// Whom to trust and who we are in TLS, read and checked; with `mqtts://` only.
    pub tls: Option<Tls>,
    /// The first part of every topic.
    pub topic: BaseTopic,
    /// How long the connection may be silent.
    pub keep_alive: Duration,
    /// The longest pause between two attempts to connect.
    pub backoff_cap: Duration,
}

impl Broker {
    /// Reads the section.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let url = settings.required(&URL, str::parse::<BrokerUrl>);
        if let Some(doubt) = url.as_ref().and_then(port::doubt) {
            settings.remark(&URL, doubt);
        }
        let username = settings.optional(&USERNAME, crate::settings::text);
        let password = settings.secret(&PASSWORD);
        let tls = tls::read(settings, url.as_ref());
        let topic = settings.required(&TOPIC, |text| {
            let example = "write for example envoy or home/envoy";
            text.parse()
                .map_err(|error: wire::InvalidBase| format!("{error}; {example}"))
        });
        let keep_alive = settings.required(&TESTING_KEEP_ALIVE, crate::settings::duration);
        let backoff_cap = settings.required(&TESTING_BACKOFF_CAP, crate::settings::duration);
        Some(Self {
            url: url?,
            username,
            password,
            tls: tls?,
            topic: topic?,
            keep_alive: keep_alive?,
            backoff_cap: backoff_cap?,
        })
    }

    /// A session's configuration for one of our clients.
    ///
    /// # Errors
    /// When the password's file can't be read any more.
    pub fn session(
        &self,
        client_id: String,
        default_username: &str,
        clean_session: bool,
        last_will: Option<Message>,
    ) -> Result<mqtt::Config, String> {
        let password = self.password.as_ref().map(Secret::reveal).transpose()?;
        // Without name and password the broker is asked to take us without an account.
        let credentials = match (&self.username, password) {
            (None, None) => None,
            (username, password) => Some(Credentials {
                username: username.as_deref().unwrap_or(default_username).to_owned(),
                password: password.unwrap_or_default(),
            }),
        };
        Ok(mqtt::Config {
            broker: self.url.clone(),
            client_id,
            credentials,
            tls: self.tls.clone(),
            clean_session,
            keep_alive: self.keep_alive,
            last_will,
            backoff_cap: self.backoff_cap,
        })
    }
}
