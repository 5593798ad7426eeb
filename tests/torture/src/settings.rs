//! The programs' settings: as shipped, but for times, and for a sabotage.

use std::path::{Path, PathBuf};
use std::process::Command;

use rig::programs::{self, Start};

/// The scraper's times.
pub(crate) const SCRAPER: &str = "\
    [testing]\nkeep_alive = \"2s\"\nbackoff_cap = \"500ms\"\nannounce_every = \"1s\"\n\
    poll_interval = \"200ms\"\nenvoy_timeout = \"2s\"\njournal_retry = \"1s\"\n";

/// The receiver's times.
pub(crate) const RECEIVER: &str = "\
    [testing]\nkeep_alive = \"2s\"\nbackoff_cap = \"500ms\"\nannounce_every = \"1s\"\n\
    audit_after = \"3s\"\nstore_timeout = \"2s\"\n";

/// A part of the promise that is taken out, to see that its loss is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sabotage {
    /// The receiver saves its marks before the store has accepted.
    MarkEarly,
    /// The scraper begins a new journal at each start.
    SkipJournal,
    /// The receiver never asks for what is missing.
    NoAudit,
    /// The scraper puts nothing back on plain topics.
    NoRepublish,
}

impl Sabotage {
    /// All there are.
    pub const ALL: [Self; 4] = [
        Self::MarkEarly,
        Self::SkipJournal,
        Self::NoAudit,
        Self::NoRepublish,
    ];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MarkEarly => "mark-early",
            Self::SkipJournal => "skip-journal",
            Self::NoAudit => "no-audit",
            Self::NoRepublish => "no-republish",
        }
    }
}

/// Which programs are tortured: the shipped ones, or ones with a switch.
#[derive(Debug, Clone, Default)]
pub struct Switch(Option<(Sabotage, PathBuf)>);

impl Switch {
    /// Programs of which one part is taken out, built into a target directory of their own: what
    /// features of one workspace build would leave behind is no shipped program any more.
    ///
    /// # Panics
    /// When they can't be built.
    #[must_use]
    pub fn sabotaged(sabotage: Sabotage) -> Self {
        Self(Some((sabotage, built())))
    }

    /// The shipped programs.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    pub(crate) fn settings(&self, times: &str) -> String {
        match &self.0 {
            Some((sabotage, _)) => format!("{times}sabotage = \"{}\"\n", sabotage.name()),
            None => times.to_owned(),
        }
    }

    pub(crate) fn applied(&self, start: Start) -> Start {
        match &self.0 {
            Some((_, directory)) => start.from(directory),
            None => start,
        }
    }
}

/// The directory with the programs that have the switches, built once for all of this process.
fn built() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> PathBuf {
    let target = programs::target().join("sabotage");
    let mut cargo = Command::new(env!("CARGO"));
    programs::forget_own_package(&mut cargo);
    let built = cargo
        .args([
            "build",
            "--quiet",
            "--package",
            "scraper",
            "--package",
            "receiver",
            "--bins",
        ])
        .args(["--features", "scraper/sabotage,receiver/sabotage"])
        .current_dir(programs::workspace())
        .env("CARGO_TARGET_DIR", &target)
        .status();
    let built = built.expect("cargo runs");
    assert!(built.success(), "the programs with switches can't be built");
    Path::new(&target).join("debug")
}
