//! Topics, built from and parsed into validated types, and the filters that match them.

mod base;

use crate::name::{InvalidName, ReceiverName, Serial, quoted};
use crate::subject::Subject;

pub use base::{BaseTopic, InvalidBase};

/// The filter that matches all that scrapers publish under the default base.
pub const EVERYTHING: &str = "envoy/#";

/// A topic of the contract; the crate's page has the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The newest reading of a subject, retained.
    Plain {
        /// The gateway's serial number.
        envoy: Serial,
        /// What it is of.
        subject: Subject,
    },
    /// A reading that is delivered late, not retained.
    Backlog {
        /// The gateway's serial number.
        envoy: Serial,
        /// What it is of.
        subject: Subject,
    },
    /// What the scraper's journals hold, retained.
    Journal {
        /// The gateway's serial number.
        envoy: Serial,
    },
    /// What is known of the gateway itself, retained.
    Gateway {
        /// The gateway's serial number.
        envoy: Serial,
    },
    /// How the inverters do, retained.
    Health {
        /// The gateway's serial number.
        envoy: Serial,
    },
    /// Whether the scraper of that Envoy is connected, retained.
    EnvoyStatus {
        /// The gateway's serial number.
        envoy: Serial,
    },
    /// A word that a scraper's `check` publishes to hear it again, not retained.
    EnvoyCheck {
        /// The gateway's serial number.
        envoy: Serial,
    },
    /// Whether a receiver is connected, retained.
    ReceiverStatus {
        /// The receiver's name.
        name: ReceiverName,
    },
    /// A receiver's request to an Envoy's scraper, not retained.
    Replay {
        /// The receiver's name.
        receiver: ReceiverName,
        /// The gateway's serial number.
        envoy: Serial,
    },
    /// A word that a receiver's `check` publishes to hear it again, not retained.
    ReceiverCheck {
        /// The receiver's name.
        name: ReceiverName,
    },
}

/// A topic that is none of the contract's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Not below the base: not meant for us.
    #[error("the topic {topic} is not below {base}")]
    Outside {
        /// The topic, quoted and cut.
        topic: String,
        /// The base in force.
        base: String,
    },
    /// Below the base but of no kind known here: perhaps of a newer version, to be ignored.
    #[error("the topic {0} is of no known kind")]
    Unknown(String),
    /// Of a known kind, with a level that can't be a name.
    #[error("the topic {topic} names nothing that can exist")]
    Name {
        /// The topic, quoted and cut.
        topic: String,
        /// The level at fault.
        source: InvalidName,
    },
}

impl Topic {
    /// The topic as text, below `base`.
    #[must_use]
    pub fn render(&self, base: &BaseTopic) -> String {
        match self {
            Self::Plain { envoy, subject } => format!("{base}/{envoy}/{subject}"),
            Self::Backlog { envoy, subject } => format!("{base}/{envoy}/backlog/{subject}"),
            Self::Journal { envoy } => format!("{base}/{envoy}/journal"),
            Self::Gateway { envoy } => format!("{base}/{envoy}/gateway"),
            Self::Health { envoy } => format!("{base}/{envoy}/health"),
            Self::EnvoyStatus { envoy } => format!("{base}/{envoy}/status"),
            Self::EnvoyCheck { envoy } => format!("{base}/{envoy}/check"),
            Self::ReceiverStatus { name } => format!("{base}-receiver/{name}/status"),
            Self::Replay { receiver, envoy } => {
                format!("{base}-receiver/{receiver}/replay/{envoy}")
            }
            Self::ReceiverCheck { name } => format!("{base}-receiver/{name}/check"),
        }
    }

    /// The topic that `text` is, the reverse of [`render`](Self::render).
    pub fn parse(base: &BaseTopic, text: &str) -> Result<Self, TopicError> {
        let name_error = |source| TopicError::Name {
            topic: quoted(text),
            source,
        };
        let unknown = || TopicError::Unknown(quoted(text));
        let serial = |level: &str| level.parse::<Serial>().map_err(name_error);
        let subject = |levels: &[&str]| {
            let subject = Subject::from_levels(levels).ok_or_else(unknown)?;
            subject.map_err(name_error)
        };
        let (tree, levels) = levels_below(base, text)?;
        match (tree, levels.as_slice()) {
            (Tree::Envoys, [envoy, "journal"]) => Ok(Self::Journal {
                envoy: serial(envoy)?,
            }),
            (Tree::Envoys, [envoy, "gateway"]) => Ok(Self::Gateway {
                envoy: serial(envoy)?,
            }),
            (Tree::Envoys, [envoy, "health"]) => Ok(Self::Health {
                envoy: serial(envoy)?,
            }),
            (Tree::Envoys, [envoy, "status"]) => Ok(Self::EnvoyStatus {
                envoy: serial(envoy)?,
            }),
            (Tree::Envoys, [envoy, "check"]) => Ok(Self::EnvoyCheck {
                envoy: serial(envoy)?,
            }),
            (Tree::Receivers, [name, "status"]) => Ok(Self::ReceiverStatus {
                name: name.parse().map_err(name_error)?,
            }),
            (Tree::Receivers, [name, "replay", envoy]) => Ok(Self::Replay {
                receiver: name.parse().map_err(name_error)?,
                envoy: serial(envoy)?,
            }),
            (Tree::Receivers, [name, "check"]) => Ok(Self::ReceiverCheck {
                name: name.parse().map_err(name_error)?,
            }),
            (Tree::Envoys, [envoy, "backlog", levels @ ..]) => Ok(Self::Backlog {
                subject: subject(levels)?,
                envoy: serial(envoy)?,
            }),
            (Tree::Envoys, [envoy, levels @ ..]) => Ok(Self::Plain {
                subject: subject(levels)?,
                envoy: serial(envoy)?,
            }),
            _ => Err(unknown()),
        }
    }
}

/// The two trees that a base begins.
enum Tree {
    Envoys,
    Receivers,
}

fn levels_below<'a>(base: &BaseTopic, text: &'a str) -> Result<(Tree, Vec<&'a str>), TopicError> {
    let below = text.strip_prefix(base.as_str());
    let (tree, rest) = if let Some(rest) = below.and_then(|rest| rest.strip_prefix('/')) {
        (Tree::Envoys, rest)
    } else if let Some(rest) = below.and_then(|rest| rest.strip_prefix("-receiver/")) {
        (Tree::Receivers, rest)
    } else {
        return Err(TopicError::Outside {
            topic: quoted(text),
            base: base.to_string(),
        });
    };
    // One level more than any topic has is enough to see that it is too deep.
    Ok((tree, rest.splitn(5, '/').collect()))
}
