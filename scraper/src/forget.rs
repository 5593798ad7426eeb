//! `forget`: clears what is retained of an inverter or a battery that was replaced or taken down, or of a whole gateway.
//!
//! The broker loses its newest reading, and Home Assistant its device. That it is forgotten is written down
//! first; a scraper that runs sees that, and does the rest (see `forgotten`), so that nothing is cleared twice. Of a
//! gateway that was replaced all topics go at once ([`forget_gateway`]): nobody reads it any more.

mod gateway;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use daemon::broker::Broker;
use wire::{BaseTopic, Health, Reading, ReportTime, Serial, Status, Subject, Topic};

use crate::forgotten::{File, reading_topic};
use crate::home_assistant::Topics;
use crate::journal;

pub use gateway::forget_gateway;
use visit::{ANSWER, Retained, Visit};

/// Serials that a message lists.
const LISTED: usize = 20;

/// Of which Envoy, and where.
#[derive(Debug)]
pub struct Forgetting {
    /// The Envoy, if it is given.
    pub envoy: Option<Serial>,
    /// Where its scraper keeps its state.
    pub state_dir: PathBuf,
    /// The broker.
    pub broker: Broker,
    /// Below which topic Home Assistant listens.
    pub prefix: BaseTopic,
    /// Whether it is told of devices.
    pub announces: bool,
}

/// Why nothing is forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// The settings are not those of a scraper that was here.
    #[error(
        "{} has no journal of {}: run this as the scraper's user and with its settings, or the scraper shows it \
         again (settings: STATE_DIR, ENVOY_SERIAL)",
        state_dir.display(),
        envoy.as_ref().map_or_else(|| "an Envoy".to_owned(), |envoy| format!("the Envoy {envoy}"))
    )]
    OtherScraper {
        /// Where one was looked for.
        state_dir: PathBuf,
        /// Of which Envoy.
        envoy: Option<Serial>,
    },
    /// There is no such inverter or battery.
    #[error(
        "the broker has nothing of an inverter or a battery {serial} of the Envoy {envoy}; {}; a gateway that was \
         replaced is forgotten with `--gateway {serial}`",
        something_of(.known)
    )]
    Unknown {
        /// The serial that was given.
        serial: Serial,
        /// The Envoy.
        envoy: Serial,
        /// The inverters and batteries that the broker has something of.
        known: BTreeSet<Serial>,
    },
    /// There is no such gateway.
    #[error(
        "the broker retains nothing of an Envoy {0} that this account may read (settings: MQTT_USERNAME, MQTT_TOPIC)"
    )]
    UnknownGateway(Serial),
    /// A gateway that is to be forgotten is read.
    #[error(
        "nothing is cleared: a scraper of the Envoy {envoy} is connected, and would show it again; stop it first \
         ({status} says that it is there)"
    )]
    Alive {
        /// The Envoy.
        envoy: Serial,
        /// The topic that says so.
        status: String,
    },
    /// The account may not do that.
    #[error(
        "not allowed: what was published on {0} has no effect. It takes the account of that Envoy's scraper, or one \
         that may write all its topics (settings: MQTT_USERNAME, MQTT_PASSWORD; HOME_ASSISTANT=false where there is no \
         Home Assistant); `envoy-scraper check` says more"
    )]
    Rights(String),
    /// The broker is not to be had.
    #[error("nothing is cleared: {0}")]
    Broker(String),
    /// What is to be forgotten can't be written down.
    #[error("nothing is cleared: {} can't be written", .0.display())]
    State(PathBuf, #[source] io::Error),
    /// The broker does not confirm it.
    #[error("the broker does not confirm within {} s that it was cleared; try again", ANSWER.as_secs())]
    Unconfirmed,
    /// Standard output is closed.
    #[error("standard output can't be written")]
    Output(#[from] io::Error),
}

impl ForgetError {
    /// Whether another argument or other settings would help.
    #[must_use]
    pub fn is_misuse(&self) -> bool {
        matches!(
            self,
            Self::OtherScraper { .. }
                | Self::Unknown { .. }
                | Self::UnknownGateway(_)
                | Self::Alive { .. }
        )
    }
}

fn something_of(serials: &BTreeSet<Serial>) -> String {
    let mut listed: Vec<&str> = serials.iter().take(LISTED).map(AsRef::as_ref).collect();
    if listed.is_empty() {
        return "it has nothing of any of this Envoy".to_owned();
    }
    if serials.len() > LISTED {
        listed.push("…");
    }
    format!("it has something of {}", listed.join(", "))
}

/// Forgets an inverter or a battery until it reports again, and says so on standard output.
///
/// # Errors
/// It is not forgotten; but where the broker does not confirm, it may be.
pub async fn forget(settings: &Forgetting, serial: &Serial) -> Result<(), ForgetError> {
    let state_dir = &settings.state_dir;
    let envoy = settings.envoy.clone();
    let envoy = envoy.or_else(|| journal::remembered_serial(state_dir));
    let has_journal = envoy
        .as_ref()
        .is_some_and(|envoy| journal::file_of(state_dir, envoy).exists());
    let (Some(envoy), true) = (&envoy, has_journal) else {
        return Err(ForgetError::OtherScraper {
            state_dir: state_dir.clone(),
            envoy,
        });
    };
    let broker = &settings.broker;
    let mut visit = Visit::begin(broker, envoy).await?;
    let topics = Topics::new(broker.topic.clone(), envoy.clone(), settings.prefix.clone());
    let known = Known::of(look(&mut visit, &topics).await?, broker);
    let file = File::inside(state_dir, envoy);
    let unwritten = |error| ForgetError::State(state_dir.clone(), error);
    let mut since = file.read().map_err(unwritten)?;
    // An AC battery may be listed as both.
    let both = [
        Subject::Inverter(serial.clone()),
        Subject::Battery(serial.clone()),
    ];
    let gone: Vec<Subject> = both
        .into_iter()
        .filter(|subject| known.reported.contains_key(subject) || since.contains_key(subject))
        .collect();
    if gone.is_empty() {
        return Err(ForgetError::Unknown {
            serial: serial.clone(),
            envoy: envoy.clone(),
            known: known.serials(),
        });
    }
    for subject in &gone {
        let before = since.get(subject).copied().flatten();
        let last = known.reported.get(subject).copied().flatten();
        since.insert(subject.clone(), last.or(before));
    }
    file.write(&since).map_err(unwritten)?;
    let kind = match gone.first() {
        Some(Subject::Battery(_)) => "battery",
        _ => "inverter",
    };
    let what =
        format!("The {kind} {serial} of the Envoy {envoy} is forgotten until it reports again");
    if known.scraper == Some(Status::Online) {
        visit.end().await;
        return say(&format!(
            "{what}: the scraper, which runs, clears its newest reading and its device in Home Assistant with its next \
             poll. What is stored of it stays."
        ));
    }
    // The device first: without it nobody misses the value.
    let devices = gone.iter().filter_map(|subject| topics.config_of(subject));
    let readings = gone
        .iter()
        .map(|subject| reading_topic(&broker.topic, envoy, subject));
    visit.clear(devices.chain(readings)).await?;
    visit.end().await;
    say(&format!(
        "{what}: its newest reading and its device in Home Assistant are cleared. What is stored of it stays."
    ))
}

/// The inverters of an Envoy that are forgotten, by the state directory of its scraper.
///
/// # Errors
/// When the file that says so can't be read.
pub fn forgotten(state_dir: &Path, envoy: &Serial) -> io::Result<BTreeSet<Serial>> {
    let since = File::inside(state_dir, envoy).read()?;
    let inverters = since.keys().filter_map(Subject::inverter);
    Ok(inverters.cloned().collect())
}

fn say(sentence: &str) -> Result<(), ForgetError> {
    Ok(writeln!(io::stdout(), "{sentence}")?)
}

/// What the broker says of an Envoy's inverters and batteries.
#[derive(Debug, Default)]
struct Known {
    /// Each of them, with the time of its last report where that is retained.
    reported: BTreeMap<Subject, Option<ReportTime>>,
    /// Whether the scraper is there.
    scraper: Option<Status>,
}

impl Known {
    fn of(retained: Retained, broker: &Broker) -> Self {
        let mut known = Self::default();
        for (topic, payload) in retained {
            let Ok(topic) = Topic::parse(&broker.topic, &topic) else {
                continue;
            };
            if matches!(topic, Topic::EnvoyStatus { .. }) {
                known.scraper = Status::decode(&payload).ok();
            } else if let Ok(reading) = Reading::decode(&topic, &payload) {
                known.reported.insert(reading.subject(), Some(reading.at()));
            } else if let Ok(health) = Health::decode(&topic, &payload) {
                for serial in health.inverters.into_keys() {
                    known.reported.entry(Subject::Inverter(serial)).or_default();
                }
            }
        }
        known
    }

    fn serials(self) -> BTreeSet<Serial> {
        let subjects = self.reported.into_keys();
        let serial = |subject| match subject {
            Subject::Inverter(serial) | Subject::Battery(serial) => Some(serial),
            _ => None,
        };
        subjects.filter_map(serial).collect()
    }
}

/// Asks the broker what it retains of an Envoy's inverters and batteries.
async fn look(visit: &mut Visit, topics: &Topics) -> Result<Retained, ForgetError> {
    let filters = ["inverters/+", "batteries/+", "health", "status"].map(|path| topics.of(path));
    visit.retained(&filters, &[topics.of("check")]).await
}
