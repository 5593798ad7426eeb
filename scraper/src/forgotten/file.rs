//! The file that says which inverters and batteries of an Envoy are forgotten: `forgotten-<serial>.json` in the state
//! directory, each with the time of its last report. An inverter stands there by its serial number, a battery as
//! `batteries/<serial>`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, mem};

use daemon::exit::with_causes;
use daemon::outage::Outage;
use envoy::replace_file;
use wire::{ReportTime, Serial, Subject};

use super::Since;

/// The file, as it was at the last look.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    /// When it was changed, and its size, at the last look.
    seen: Option<(SystemTime, u64)>,
    since: Since,
    unusable: Outage,
}

impl File {
    /// The file of an Envoy in a directory. Nothing is read before the first look.
    pub(crate) fn inside(directory: &Path, envoy: &Serial) -> Self {
        Self {
            path: directory.join(format!("forgotten-{envoy}.json")),
            seen: None,
            since: Since::new(),
            unusable: Outage::new("the list of what is forgotten can't be used"),
        }
    }

    /// What is forgotten.
    pub(crate) fn since(&self) -> &Since {
        &self.since
    }

    /// Reads the file again if it has changed. Returns what is new in it. A file that can't be read leaves
    /// everything as it was.
    pub(crate) fn look(&mut self) -> Vec<Subject> {
        let seen = stamp(&self.path);
        if seen == self.seen {
            return Vec::new();
        }
        match self.read() {
            Ok(since) => {
                self.unusable.over();
                self.seen = seen;
                let before = mem::replace(&mut self.since, since);
                let new = self.since.keys().filter(|key| !before.contains_key(*key));
                new.cloned().collect()
            }
            Err(error) => {
                let reason = format!("{} {}", self.path.display(), with_causes(&error));
                self.unusable.failed(&reason, true);
                Vec::new()
            }
        }
    }

    /// What the file says. One that is not there says that nothing is forgotten.
    pub(crate) fn read(&self) -> io::Result<Since> {
        match fs::read(&self.path) {
            Ok(text) => {
                let named: BTreeMap<String, Option<ReportTime>> = serde_json::from_slice(&text)?;
                let known = named.into_iter();
                known
                    .map(|(name, last)| Ok((subject(&name)?, last)))
                    .collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Since::new()),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file in one step. Others may read it: `forget` may be run by another user than the scraper.
    pub(crate) fn write(&self, since: &Since) -> io::Result<()> {
        let named: BTreeMap<String, _> = since
            .iter()
            .map(|(subject, last)| (name(subject), last))
            .collect();
        replace_file(&self.path, &serde_json::to_string(&named)?, 0o644)
    }

    /// This one is not forgotten any more. Where that can't be written it holds until the next start.
    pub(super) fn remove(&mut self, subject: &Subject) {
        // Somebody may have been added meanwhile; the next look finds that out.
        let written = self.read().and_then(|mut since| {
            since.remove(subject);
            self.write(&since)
        });
        self.since.remove(subject);
        if let Err(error) = written {
            let file = self.path.display();
            tracing::warn!(%file, %error, "the list of what is forgotten can't be written");
        }
    }
}

/// What it is called in the file.
fn name(subject: &Subject) -> String {
    match subject {
        Subject::Inverter(serial) => serial.to_string(),
        other => other.to_string(),
    }
}

/// What is called so in the file.
fn subject(name: &str) -> io::Result<Subject> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    match Subject::from_path(name) {
        Some(battery @ Subject::Battery(_)) => Ok(battery),
        _ => name.parse().map(Subject::Inverter).map_err(invalid),
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
