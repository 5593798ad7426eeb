//! A simulated Envoy: the real simulator, with what a scraper needs to read it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::ledger::{self, Report};
use crate::programs::{Binary, Program, Start};

/// A running simulator.
#[derive(Debug)]
pub struct Gateway {
    program: Program,
    url: String,
    directory: TempDir,
}

impl Gateway {
    /// Starts a simulator with further arguments on a free port.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let program = Start::new(Binary::Simulator)
            .args(["--listen", "127.0.0.1:0", "--token-out"])
            .arg(token(directory.path()))
            .arg("--ledger")
            .arg(ledger(directory.path()))
            .args(arguments)
            .spawn();
        let line = program.stdout_line("listening on ").await;
        let url = line
            .strip_prefix("listening on ")
            .expect("the address is the first line")
            .to_owned();
        Self {
            program,
            url,
            directory,
        }
    }

    /// Where it listens, with its scheme.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A file with a token that it accepts; firmware below 7 has none.
    #[must_use]
    pub fn token_file(&self) -> Option<PathBuf> {
        Some(token(self.directory.path())).filter(|path| path.is_file())
    }

    /// Every report that it has shown so far.
    #[must_use]
    pub fn ledger(&self) -> Vec<Report> {
        ledger::read(&ledger(self.directory.path()))
    }

    /// A program that reads this gateway.
    #[must_use]
    pub fn reader(&self, binary: Binary) -> Start {
        let start = Start::new(binary).env("ENVOY_HOST", self.url());
        match self.token_file() {
            Some(file) => start.env("ENVOY_TOKEN_FILE", file),
            None => start,
        }
    }

    /// Stops it, so that nothing more is shown, and gives every report that it has shown.
    pub async fn stop(self) -> Vec<Report> {
        let Self {
            program, directory, ..
        } = self;
        program.terminate().await;
        ledger::read(&ledger(directory.path()))
    }
}

fn token(directory: &Path) -> PathBuf {
    directory.join("token")
}

fn ledger(directory: &Path) -> PathBuf {
    directory.join("ledger.jsonl")
}
