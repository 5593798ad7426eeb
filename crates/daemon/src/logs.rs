//! Logging: `RUST_LOG` chooses what, `LOG_FORMAT` chooses how; everything goes to standard error.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;

use crate::exit;
use crate::settings::{Key, Problem, Settings, log_filter};

/// What daemons log when nothing is chosen.
pub const FILTER: &str = "info";

/// Which events are logged, by module and level.
pub const RUST_LOG: Key = Key::new("log.filter", "RUST_LOG")
    .default(FILTER)
    .help("what is logged: a level, or a list such as info,mqtt=debug; of rumqttc nothing unless it is named");

/// How an event is written.
pub const LOG_FORMAT: Key = Key::new("log.format", "LOG_FORMAT")
    .default("text")
    .help("text for people, json for machines");

/// Whether this process logs JSON.
static JSON: AtomicBool = AtomicBool::new(false);

/// The keys of this section.
pub const KEYS: [Key; 2] = [RUST_LOG, LOG_FORMAT];

/// The keys of a program or sub-command that logs something else when nothing is chosen.
#[must_use]
pub fn with_filter(keys: Vec<Key>, filter: &'static str) -> Vec<Key> {
    let own = |key: Key| match key {
        RUST_LOG => key.default(filter),
        key => key,
    };
    keys.into_iter().map(own).collect()
}

/// A checked choice of what is logged and how.
pub struct Logs {
    filter: EnvFilter,
    format: Format,
    /// What is doubtful in the settings: said as soon as it can be.
    remarks: Vec<Problem>,
}

/// Whether standard error is for machines, which take nothing but events in JSON. The events at ERROR
/// may be switched off all the same.
pub(crate) fn takes_json_errors() -> bool {
    JSON.load(Ordering::Relaxed) && tracing::enabled!(tracing::Level::ERROR)
}

enum Format {
    Text,
    Json,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("use text or json"),
        }
    }
}

impl Logs {
    /// Reads the section.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        Self::read_or(settings, FILTER)
    }

    /// Reads the section, last of all, for a program that logs something else when nothing is chosen.
    pub fn read_or(settings: &mut Settings, filter: &'static str) -> Option<Self> {
        let filter = settings.required(&RUST_LOG.default(filter), log_filter);
        let format = settings.required(&LOG_FORMAT, Format::from_str);
        Some(Self {
            filter: filter?,
            format: format?,
            remarks: settings.remarks().to_owned(),
        })
    }

    /// The same for a check, which logs nothing unless that is chosen: people are told all the same what is doubtful
    /// in the settings, since it may be what they look for.
    pub fn start_of_check(self) {
        let remarks = self.remarks.clone();
        self.start();
        let is_said = tracing::enabled!(tracing::Level::WARN);
        if !is_said && !JSON.load(Ordering::Relaxed) {
            exit::doubtful(&remarks);
        }
    }

    /// Starts logging for the rest of the process; a second start is ignored.
    pub fn start(self) {
        let builder = tracing_subscriber::fmt()
            .with_env_filter(self.filter)
            // A line that can't be written is gone: whoever read them has ended, and there is nowhere
            // left to say so. Otherwise the next line would panic, and end a daemon that works.
            .log_internal_errors(false)
            .with_writer(std::io::stderr);
        // An error only says that a subscriber is in place already, as in tests.
        let _ = match self.format {
            Format::Text => builder
                .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
                .try_init(),
            Format::Json => {
                JSON.store(true, Ordering::Relaxed);
                builder.json().try_init()
            }
        };
        for remark in self.remarks {
            tracing::warn!("{remark}");
        }
    }
}
