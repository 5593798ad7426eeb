//! Reads the Envoy once and shows what it said: the first thing to try, no broker needed.

mod look;
mod page;

use std::io::Write as _;
use std::path::PathBuf;

use daemon::random;
use envoy::{Firmware, Gateway, StateFiles};
use wire::{JournalId, Measured, Serial};

use crate::config::Access;
use crate::explain::login_of_look;
use crate::journal::remembered_serial;
use crate::memory;
use crate::names::{Names, NamesFile};
use crate::reach::{Reach, Unreached};
use crate::watch;
use look::Look;
use page::Times;

/// What it takes to read the Envoy once.
#[derive(Debug, Clone)]
pub struct Once {
    /// Which Envoy, and how to log in to it.
    pub access: Access,
    /// Where a daemon that reads it all the time keeps what it knows.
    pub state_dir: PathBuf,
    /// What the inverters are called.
    pub names: Option<NamesFile>,
}

/// How the inverters are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// One reading a line, as it would be published.
    Json,
}

/// Why nothing could be printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The Envoy's settings can't be used.
    #[error("the Envoy's settings can't be used: {0}")]
    Settings(String),
    /// The Envoy does not say who it is.
    #[error("the Envoy's readings can't be had: {0}")]
    Envoy(String),
    /// It does, and did not give its readings.
    #[error("the readings of the Envoy {serial}, firmware {firmware}, can't be had: {reason}")]
    Readings {
        /// Its serial number.
        serial: String,
        /// Its firmware.
        firmware: Firmware,
        /// Why not.
        reason: String,
    },
    /// The Envoy's serial can't be part of a topic.
    #[error("the Envoy's serial can't be used")]
    Serial(#[from] wire::InvalidName),
    /// Standard output is closed.
    #[error("standard output can't be written")]
    Output(#[from] std::io::Error),
}

/// Reads the Envoy and prints its inverters to standard output. In the state directory, which belongs to a
/// daemon, nothing is changed.
///
/// # Errors
/// When the Envoy can't be read, or standard output can't be written.
pub async fn print(once: &Once, format: Format) -> Result<(), PrintError> {
    let Once {
        access,
        state_dir,
        names,
    } = once;
    let files = StateFiles::as_found_in(state_dir);
    let known = remembered_serial(state_dir);
    let reach = Reach::new(access, files.clone(), known.as_ref(), state_dir);
    let mut reach = reach.map_err(PrintError::Settings)?;
    let info = reach.info().await.map_err(refused)?;
    let poll = reach.poll().await;
    let failed = poll.is_err();
    let said = reach
        .gateway()
        .and_then(|gateway| login_of_look(gateway, failed));
    if let Some(said) = said {
        tracing::warn!("{said}");
    }
    let poll = poll.map_err(|error| PrintError::Readings {
        serial: info.serial.clone(),
        firmware: info.firmware.clone(),
        reason: error.explain(),
    })?;
    let now = reach.gateway().and_then(Gateway::time);
    let envoy: Serial = info.serial.parse()?;
    let learned = memory::kept(&files, &envoy);
    let look = Look::new(info, poll, now, &learned);
    let text = match format {
        Format::Table => {
            let names = names.as_ref().map(named).cloned().unwrap_or_default();
            page::of(&look, &names, &Times::here(now))
        }
        Format::Json => {
            for reason in look.judged.refused {
                tracing::warn!(%reason, "a value that could not be used");
            }
            lines(&envoy, look.judged.new)
        }
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// The names of a file, whose mistakes are said.
fn named(file: &NamesFile) -> &Names {
    if let Some(reason) = watch::mistakes(file) {
        tracing::warn!(
            reason,
            "lines of the file of names can't be used; the others are"
        );
    }
    file.names()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` takes"
)]
fn refused(error: Unreached) -> PrintError {
    PrintError::Envoy(error.explain())
}

fn lines(envoy: &Serial, new: Vec<Measured>) -> String {
    // Nothing keeps them: their journal is that of this one look.
    let journal: JournalId = random::id();
    let lines = (1..).zip(new).map(|(seq, measured)| {
        let reading = measured.numbered(envoy.clone(), journal.clone(), seq);
        reading.encode() + "\n"
    });
    lines.collect()
}
