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
#[derive(Debug, Clone)]
pub struct Presentation {
    /// Whether metrics have each inverter.
    pub metrics_inverters: bool,
    /// What they are called.
    pub names: Option<NamesFile>,
    /// Whether Home Assistant is told of them.
    pub announces: bool,
    /// Below which topic it is, or was before that was switched off.
    pub prefix: BaseTopic,
}

/// Reads whether Home Assistant is told of devices, and below which topic it is, or was before that was switched off.
pub(super) fn announcing(settings: &mut Settings) -> (Option<bool>, Option<BaseTopic>) {
    (
        settings.required(&HOME_ASSISTANT, switch),
        settings.required(&HOME_ASSISTANT_PREFIX, str::parse::<BaseTopic>),
    )
}

/// Reads what the inverters are called. A file that can't be read is noted as a mistake.
pub(super) fn names(settings: &mut Settings) -> Option<NamesFile> {
    settings.optional(&NAMES_FILE, |path| {
        NamesFile::open(PathBuf::from(path)).map_err(|error| with_causes(&error))
    })
}

impl Presentation {
    /// Reads the section. Mistakes are noted.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let metrics_inverters = settings.required(&METRICS_INVERTERS, switch);
        let is_named = settings.is_set(&NAMES_FILE);
        let names = names(settings);
        let (announces, prefix) = announcing(settings);
        if is_named && names.is_none() {
            return None;
        }
        let (announces, prefix) = (announces?, prefix?);
        Some(Self {
            metrics_inverters: metrics_inverters?,
            names,
            announces,
            prefix,
        })
    }
}
