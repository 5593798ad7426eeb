//! How the inverters are shown to others.

use std::path::PathBuf;

use daemon::exit::with_causes;
use daemon::settings::{Key, Settings, switch};
use wire::BaseTopic;

use crate::home_assistant;
use crate::names::NamesFile;

/// Whether metrics have each inverter.
pub const METRICS_INVERTERS: Key = Key::new("metrics.inverters", "METRICS_INVERTERS")
    .default("false")
    .help("whether /metrics has the power and the state of each inverter: true or false");

/// What the inverters are called.
pub const NAMES_FILE: Key = Key::new("names_file", "NAMES_FILE")
    .flag("names-file", "FILE")
    .example("/etc/envoy-scrape/names.toml")
    .help("a TOML file with names and arrays of inverters; read again when it changes");

/// Whether devices are announced to Home Assistant.
pub const HOME_ASSISTANT: Key = Key::new("home_assistant.discovery", "HOME_ASSISTANT")
    .default("true")
    .help("whether Home Assistant is told of the Envoy and its inverters: true or false");

/// Where Home Assistant listens.
pub const HOME_ASSISTANT_PREFIX: Key = Key::new("home_assistant.prefix", "HOME_ASSISTANT_PREFIX")
    .default(home_assistant::PREFIX)
    .help("the topic below which Home Assistant looks for devices");

/// The keys of this section.
pub const PRESENTATION_KEYS: [Key; 4] = [
    METRICS_INVERTERS,
    NAMES_FILE,
    HOME_ASSISTANT,
    HOME_ASSISTANT_PREFIX,
];

/// How the inverters are shown to others.
#[derive(Debug, Clone, Default)]
pub struct Presentation {
    /// Whether metrics have each inverter.
    pub metrics_inverters: bool,
    /// What they are called.
    pub names: Option<NamesFile>,
    /// Below which topic Home Assistant is told of them; not at all where there is none.
    pub home_assistant: Option<BaseTopic>,
}

impl Presentation {
    /// Reads the section. Mistakes are noted.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let metrics_inverters = settings.required(&METRICS_INVERTERS, switch);
        let is_named = settings.is_set(&NAMES_FILE);
        let names = settings.optional(&NAMES_FILE, |path| {
            NamesFile::open(PathBuf::from(path)).map_err(|error| with_causes(&error))
        });
        let announces = settings.required(&HOME_ASSISTANT, switch);
        let prefix = settings.required(&HOME_ASSISTANT_PREFIX, str::parse::<BaseTopic>);
        if is_named && names.is_none() {
            return None;
        }
        let (announces, prefix) = (announces?, prefix?);
        Some(Self {
            metrics_inverters: metrics_inverters?,
            names,
            home_assistant: announces.then_some(prefix),
        })
    }
}
