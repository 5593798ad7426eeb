//! What a session needs to know, and the check that it can work.

use std::time::Duration;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

use crate::broker::BrokerUrl;
use crate::tls::Tls;

/// The longest text or last will that MQTT can carry: its length is sent in 16 bits
/// (MQTT 3.1.1, 1.5.3).
const LONGEST: usize = u16::MAX as usize;

/// The shortest cap that still keeps attempts apart.
const SHORTEST_BACKOFF_CAP: Duration = Duration::from_millis(10);

/// What a session needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the broker is.
    pub broker: BrokerUrl,
    /// The name of the session at the broker, 1 to 65,535 bytes. A second client with the same name
    /// throws the first one out.
    pub client_id: String,
    /// The account, if the broker wants one.
    pub credentials: Option<Credentials>,
    /// Whom to trust, and who we are, in TLS: with `mqtts://`, and only then.
    pub tls: Option<Tls>,
    /// Whether the broker forgets subscriptions and undelivered messages with each connection.
    pub clean_session: bool,
    /// How long the connection may be silent before a ping; a ping unanswered for as long ends it.
    /// 1 to 65,535 s, rounded down to whole seconds. Below 5 s is for tests only.
    pub keep_alive: Duration,
    /// What the broker publishes for us when the connection ends without a good-bye.
    pub last_will: Option<Message>,
    /// The longest pause between two attempts to connect; at least 10 ms. Pauses begin at one to two
    /// seconds, or with half the cap if that is less.
    pub backoff_cap: Duration,
}

/// An account at the broker.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account's name, 1 to 65,535 bytes.
    pub username: String,
    /// Its password, at most 65,535 bytes; empty for none.
    pub password: SecretString,
}

/// A message to publish; always at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where to. 1 to 65,535 bytes, without `+`, `#` and NUL.
    pub topic: String,
    /// What; with its topic less than [`MAX_PACKET`](crate::MAX_PACKET). A last will has at most
    /// 65,535 bytes.
    pub payload: Bytes,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
}

impl Message {
    pub(crate) fn has_valid_topic(&self) -> bool {
        (1..=LONGEST).contains(&self.topic.len()) && !self.topic.contains(['+', '#', '\0'])
    }
}

/// Why a session can't be started.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The client id is empty or too long.
    #[error("the MQTT client id has {0} bytes; it needs 1 to 65535")]
    ClientId(usize),
    /// The user name is empty, or it or the password too long.
    #[error(
        "the MQTT user name must not be empty, and neither it nor the password longer than 65535 bytes"
    )]
    Credentials,
    /// The keep-alive can't be sent.
    #[error("a keep-alive of {0:?} is not possible; it can be 1 s to 65535 s")]
    KeepAlive(Duration),
    /// The back-off would not keep attempts apart.
    #[error("a back-off of at most {0:?} is too short; at least 10 ms")]
    BackoffCap(Duration),
    /// The last will can't be sent.
    #[error(
        "the last will on '{0}' can't be sent: its topic has a wildcard or is empty, or it is longer than 65535 bytes"
    )]
    LastWill(String),
    /// TLS is set, and the address is without: the connection would not be what was meant.
    #[error("certificates are given, but {0} is not encrypted; write mqtts:// or leave them out")]
    TlsUnused(BrokerUrl),
    /// The address is with TLS, and nothing says whom to trust.
    #[error("{0} is encrypted, but nothing says which CAs to trust")]
    TlsMissing(BrokerUrl),
}

/// A [`Config`] that can work.
#[derive(Debug)]
pub(crate) struct Checked(pub(crate) Config);

impl Checked {
    pub(crate) fn new(config: Config) -> Result<Self, ConfigError> {
        if !(1..=LONGEST).contains(&config.client_id.len()) {
            return Err(ConfigError::ClientId(config.client_id.len()));
        }
        if let Some(credentials) = &config.credentials {
            let password = credentials.password.expose_secret().len();
            if !(1..=LONGEST).contains(&credentials.username.len()) || password > LONGEST {
                return Err(ConfigError::Credentials);
            }
        }
        if !(1..=u64::from(u16::MAX)).contains(&config.keep_alive.as_secs()) {
            return Err(ConfigError::KeepAlive(config.keep_alive));
        }
        if config.backoff_cap < SHORTEST_BACKOFF_CAP {
            return Err(ConfigError::BackoffCap(config.backoff_cap));
        }
        if let Some(will) = &config.last_will
            && (!will.has_valid_topic() || will.payload.len() > LONGEST)
        {
            return Err(ConfigError::LastWill(will.topic.clone()));
        }
        match (&config.tls, config.broker.is_tls()) {
            (Some(_), false) => Err(ConfigError::TlsUnused(config.broker)),
            (None, true) => Err(ConfigError::TlsMissing(config.broker)),
            (Some(_), true) | (None, false) => Ok(Self(config)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            broker: "mqtt://localhost".parse().expect("an address"),
            client_id: "us".into(),
            credentials: None,
            tls: None,
            clean_session: true,
            keep_alive: Duration::from_secs(30),
            last_will: None,
            backoff_cap: Duration::from_mins(1),
        }
    }

    fn mistake(change: impl FnOnce(&mut Config)) -> String {
        let mut config = config();
        change(&mut config);
        Checked::new(config).map_or_else(|error| error.to_string(), |_| "none".into())
    }

    #[test]
    fn a_sound_configuration_is_accepted() {
        assert_eq!(mistake(|_| {}), "none");
    }

    #[test]
    fn what_the_protocol_cannot_carry_is_refused_at_the_start() {
        let will = |topic: &str, length| Message {
            topic: topic.into(),
            payload: vec![0; length].into(),
            retain: true,
        };
        assert!(mistake(|c| c.client_id.clear()).contains("client id has 0 bytes"));
        assert!(mistake(|c| c.keep_alive = Duration::from_millis(900)).contains("keep-alive"));
        assert!(mistake(|c| c.keep_alive = Duration::from_secs(65_536)).contains("keep-alive"));
        assert!(mistake(|c| c.backoff_cap = Duration::ZERO).contains("back-off"));
        assert!(mistake(|c| c.last_will = Some(will("a/+", 1))).contains("last will on 'a/+'"));
        assert!(mistake(|c| c.last_will = Some(will("a", 65_536))).contains("last will"));
        let nobody = Credentials {
            username: String::new(),
            password: "secret".into(),
        };
        assert!(mistake(|c| c.credentials = Some(nobody)).contains("user name"));
    }

    #[test]
    fn tls_and_an_encrypted_address_need_each_other() {
        let missing = mistake(|c| c.broker = "mqtts://localhost".parse().expect("an address"));
        assert!(missing.contains("which CAs to trust"), "{missing}");
    }

    #[test]
    fn no_password_is_printed() {
        let mut config = config();
        config.credentials = Some(Credentials {
            username: "me".into(),
            password: "hunter2".into(),
        });
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
