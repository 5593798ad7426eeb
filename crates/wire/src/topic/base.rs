//! What all topics begin with, and the filters below it.

use std::fmt;
use std::str::FromStr;

use crate::name::{Serial, quoted};
use crate::subject::Subject;

/// The first level or levels of every topic; `envoy` unless configured.
///
/// One level or several (`home/solar`), none of them empty, without wildcards and control
/// characters, not among the broker's own topics (`$SYS`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseTopic(Box<str>);

/// A base that would make topics that can't be published or subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value} can't begin a topic: {reason}")]
pub struct InvalidBase {
    value: String,
    reason: &'static str,
}

impl BaseTopic {
    /// The longest base, in bytes: leaves ample room within MQTT's 65,535 for any topic.
    pub const MAX_LENGTH: usize = 256;

    /// The base as text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Matches everything that scrapers publish: `envoy/#`.
    #[must_use]
    pub fn everything_filter(&self) -> String {
        format!("{self}/#")
    }

    /// Match each [`Topic::Plain`](super::Topic::Plain), a filter for each kind: `envoy/+/inverters/+`, `envoy/+/site`.
    ///
    /// Not one with `#`, which would bring what is no reading, and kinds of a newer version.
    #[must_use]
    pub fn plain_filters(&self) -> Vec<String> {
        self.filters("+/")
    }

    /// Match the [`Topic::Plain`](super::Topic::Plain)s of one Envoy: `envoy/<serial>/inverters/+`.
    #[must_use]
    pub fn plain_filters_of(&self, envoy: &Serial) -> Vec<String> {
        self.filters(&format!("{envoy}/"))
    }

    /// Match each [`Topic::Backlog`](super::Topic::Backlog), a filter for each kind: `envoy/+/backlog/inverters/+`.
    #[must_use]
    pub fn backlog_filters(&self) -> Vec<String> {
        self.filters("+/backlog/")
    }

    fn filters(&self, between: &str) -> Vec<String> {
        let path = |path| format!("{self}/{between}{path}");
        Subject::PATHS.into_iter().map(path).collect()
    }

    /// Matches the plain topic of each inverter: `envoy/+/inverters/+`.
    #[must_use]
    pub fn inverters_filter(&self) -> String {
        format!("{self}/+/inverters/+")
    }

    /// Matches each [`Topic::Journal`](super::Topic::Journal): `envoy/+/journal`.
    #[must_use]
    pub fn journals_filter(&self) -> String {
        format!("{self}/+/journal")
    }

    /// Matches each [`Topic::Gateway`](super::Topic::Gateway): `envoy/+/gateway`.
    #[must_use]
    pub fn gateways_filter(&self) -> String {
        format!("{self}/+/gateway")
    }

    /// The health of every Envoy's inverters.
    #[must_use]
    pub fn healths_filter(&self) -> String {
        format!("{self}/+/health")
    }

    /// Matches each [`Topic::EnvoyStatus`](super::Topic::EnvoyStatus): `envoy/+/status`.
    #[must_use]
    pub fn envoy_status_filter(&self) -> String {
        format!("{self}/+/status")
    }

    /// Matches each [`Topic::Replay`](super::Topic::Replay) for one Envoy: `envoy-receiver/+/replay/<serial>`.
    #[must_use]
    pub fn replays_of_filter(&self, envoy: &Serial) -> String {
        format!("{self}-receiver/+/replay/{envoy}")
    }

    /// Matches each [`Topic::ReceiverStatus`](super::Topic::ReceiverStatus): `envoy-receiver/+/status`.
    #[must_use]
    pub fn receiver_status_filter(&self) -> String {
        format!("{self}-receiver/+/status")
    }
}

impl Default for BaseTopic {
    fn default() -> Self {
        Self("envoy".into())
    }
}

impl FromStr for BaseTopic {
    type Err = InvalidBase;

    fn from_str(value: &str) -> Result<Self, InvalidBase> {
        let reason = if value.len() > Self::MAX_LENGTH {
            "it is longer than 256 bytes"
        } else if value.contains(['+', '#']) {
            "+ and # are wildcards"
        } else if value.contains(char::is_control) {
            "it has a control character"
        } else if value.starts_with('$') {
            "topics that begin with $ are the broker's own"
        } else if value.split('/').any(str::is_empty) {
            "it is empty or has an empty level (a slash at its begin or end, or two in a row)"
        } else {
            return Ok(Self(value.into()));
        };
        Err(InvalidBase {
            value: quoted(value),
            reason,
        })
    }
}

impl fmt::Display for BaseTopic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}
