//! A simulated Envoy: the real simulator, with what a scraper needs to read it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::ledger::{self, Report, Tail};
use crate::programs::{Binary, Program, Signal, Start};

/// How long the simulator may take to obey.
const ANSWER: Duration = Duration::from_secs(20);

/// A running simulator.
#[derive(Debug)]
pub struct Gateway {
    program: Program,
    place: Place,
}

/// A simulator that was stopped, and may be followed by another one in its place.
#[derive(Debug)]
pub struct Stopped(Place);

/// What outlives a simulator.
#[derive(Debug)]
struct Place {
    url: String,
    directory: TempDir,
    arguments: Vec<String>,
}

impl Gateway {
    /// Starts a simulator with further arguments on a free port.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let arguments = arguments.iter().map(|&each| each.to_owned()).collect();
        let place = Place {
            url: String::new(),
            directory,
            arguments,
        };
        Self::start_in(place, "127.0.0.1:0", &[]).await
    }

    async fn start_in(place: Place, address: &str, further: &[&str]) -> Self {
        let program = Start::new(Binary::Simulator)
            .args(["--listen", address, "--token-out"])
            .arg(token(place.directory.path()))
            .arg("--ledger")
            .arg(ledger(place.directory.path()))
            .arg("--control")
            .arg(control(place.directory.path()))
            .args(&place.arguments)
            .args(further)
            .spawn();
        let line = program.stdout_line("listening on ").await;
        let url = line
            .strip_prefix("listening on ")
            .expect("the address is the first line")
            .to_owned();
        let place = Place { url, ..place };
        Self { program, place }
    }

    /// Where it listens, with its scheme.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.place.url
    }

    /// Its address without a scheme, as people give it: host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        let (_, address) = self.url().split_once("://").expect("a URL has a scheme");
        address.trim_end_matches('/')
    }

    /// A file with a token that it accepts; firmware below 7 has none.
    #[must_use]
    pub fn token_file(&self) -> Option<PathBuf> {
        Some(token(self.place.directory.path())).filter(|path| path.is_file())
    }

    /// Every report that it has shown so far.
    #[must_use]
    pub fn ledger(&self) -> Vec<Report> {
        ledger::read(&ledger(self.place.directory.path()))
    }

    /// The same, to be read while it grows.
    #[must_use]
    pub fn ledger_tail(&self) -> Tail {
        Tail::of(&ledger(self.place.directory.path()))
    }

    /// Switches a fault on, as `--fault` writes it; it is on when this returns.
    ///
    /// # Panics
    /// When there is no such fault.
    pub async fn inject(&self, fault: &str) {
        self.control(fault).await;
    }

    /// Gives it a new certificate, as it makes itself with updates and once a year; connections end.
    ///
    /// # Panics
    /// Below firmware 7, which has none.
    pub async fn renew_certificate(&self) {
        self.control("certificate").await;
    }

    /// Where Enphase's cloud is simulated, with `--cloud`.
    pub async fn cloud(&self) -> String {
        let line = self.program.stdout_line("cloud on ").await;
        let url = line.strip_prefix("cloud on ");
        url.expect("the address ends the line").to_owned()
    }

    /// A reader has started: with `--hold`, complete answers until now count no more.
    ///
    /// # Panics
    /// Without `--hold`, as the two that follow.
    pub async fn reader_started(&self) {
        self.control("reader-started").await;
    }

    /// Nothing new is shown, until it is again.
    pub async fn freeze(&self, frozen: bool) {
        self.control(if frozen { "freeze" } else { "thaw" }).await;
    }

    /// Sets the gateway's clock back by an hour.
    pub async fn set_back_an_hour(&self) {
        self.control("set-back 1h").await;
    }

    /// Ends all faults.
    ///
    /// # Panics
    /// When the simulator does not run any more.
    pub async fn heal(&self) {
        self.control("heal").await;
    }

    /// Has it updated to another firmware, at once.
    ///
    /// # Panics
    /// When there is none of this version.
    pub async fn update(&self, firmware: &str) {
        self.control(&format!("firmware {firmware}")).await;
    }

    /// Has it reboot: `DOWN+WAKING`, as the simulator writes it.
    ///
    /// # Panics
    /// When these are no times.
    pub async fn reboot(&self, times: &str) {
        self.control(&format!("reboot {times}")).await;
    }

    async fn control(&self, line: &str) {
        let socket = control(self.place.directory.path());
        let mut control = BufReader::new(UnixStream::connect(socket).await.expect("it runs"));
        let said = control.write_all(format!("{line}\n").as_bytes()).await;
        said.expect("it listens");
        let mut answer = String::new();
        let read = timeout(ANSWER, control.read_line(&mut answer)).await;
        read.unwrap_or_else(|_| panic!("no answer to {line}"))
            .expect("it answers");
        assert_eq!(answer, "ok\n", "{line}");
    }

    /// A program that reads this gateway.
    #[must_use]
    pub fn reader(&self, binary: Binary) -> Start {
        self.reader_at(self.url(), binary)
    }

    /// A program that reads this gateway by another address than its own.
    #[must_use]
    pub fn reader_at(&self, url: &str, binary: Binary) -> Start {
        let start = Start::new(binary).env("ENVOY_HOST", url);
        match self.token_file() {
            Some(file) => start.env("ENVOY_TOKEN_FILE", file),
            None => start,
        }
    }

    /// Sends the simulator a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// Stops it, so that nothing more is shown.
    pub async fn stop(mut self) -> Stopped {
        self.program.terminate().await;
        Stopped(self.place)
    }
}

impl Stopped {
    /// Every report that it has shown, and those before it in its place.
    #[must_use]
    pub fn ledger(&self) -> Vec<Report> {
        ledger::read(&ledger(self.0.directory.path()))
    }

    /// Starts another one at the same address, with the same ledger and another beginning.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(self, beginning: jiff::Timestamp) -> Gateway {
        let (_, address) = self.0.url.split_once("://").expect("a URL has a scheme");
        let address = address.trim_end_matches('/').to_owned();
        self.start_at(&address, beginning).await
    }

    /// Starts an Envoy with another serial at the same address, with the same ledger.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn replaced_by(mut self, serial: &str, beginning: jiff::Timestamp) -> Gateway {
        let arguments = &mut self.0.arguments;
        if let Some(at) = arguments.iter().position(|each| each == "--serial") {
            arguments.drain(at..at + 2);
        }
        arguments.extend(["--serial".to_owned(), serial.to_owned()]);
        self.start_again(beginning).await
    }

    /// The same at another address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_at(self, address: &str, beginning: jiff::Timestamp) -> Gateway {
        let mut place = self.0;
        if let Some(at) = place.arguments.iter().position(|each| each == "--start") {
            place.arguments.drain(at..at + 2);
        }
        Gateway::start_in(place, address, &["--start", &beginning.to_string()]).await
    }
}

fn token(directory: &Path) -> PathBuf {
    directory.join("token")
}

fn ledger(directory: &Path) -> PathBuf {
    directory.join("ledger.jsonl")
}

fn control(directory: &Path) -> PathBuf {
    directory.join("control")
}
