//! The programs of this workspace, started as their users start them: as processes.
//!
//! They are [built](Binary::path) first, with the profile of the running test, so that none is stale.

mod built;
mod hosts;
mod output;
mod secrets;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

pub use built::{Binary, forget_own_package, target, workspace};
pub use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, kill_process, prlimit};
use tempfile::TempDir;

use crate::leaks::Secrets;
use crate::wait;
use output::{Output, Stream};

/// How long a program may take to say that it is ready, or to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(30);

/// Names the directory for what must outlive a daemon.
const STATE_DIR: &str = "STATE_DIR";

/// How a program is to be started: nothing of the test's own environment reaches it but `PATH`.
#[derive(Debug, Clone)]
pub struct Start {
    binary: Binary,
    /// Where it is, if not with the others.
    path: Option<PathBuf>,
    /// Whether a write beyond the size that its files may have is an error, and not its end.
    outlives_full_disks: bool,
    begins_on_a_full_disk: bool,
    hosts: Option<PathBuf>,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
}

impl Start {
    /// A program without arguments and settings.
    #[must_use]
    pub fn new(binary: Binary) -> Self {
        Self {
            binary,
            path: None,
            outlives_full_disks: false,
            begins_on_a_full_disk: false,
            hosts: None,
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// A program of the same name in another directory.
    #[must_use]
    pub fn from(mut self, directory: &Path) -> Self {
        self.path = Some(directory.join(self.binary.name()));
        self
    }

    /// Has [`Program::fill_disk`] give it errors, as a full disk does, and not a signal.
    #[must_use]
    pub fn outliving_full_disks(mut self) -> Self {
        self.outlives_full_disks = true;
        self
    }

    /// From its start on its files can be read, but not written; see [`Program::fill_disk`].
    #[must_use]
    pub fn on_a_full_disk(mut self) -> Self {
        self.outlives_full_disks = true;
        self.begins_on_a_full_disk = true;
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs the program to its end and gives what it printed.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn to_end(&self) -> std::process::Output {
        self.command().output().expect("the program starts")
    }

    /// Starts the program in the background.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn spawn(&self) -> Program {
        let mut command = self.command();
        let state = self.needs_state().then(|| {
            let directory = tempfile::tempdir().expect("a temporary directory");
            command.env(STATE_DIR, directory.path());
            directory
        });
        let mut child = command.spawn().expect("the program starts");
        let output = Output::of(self.binary.name(), &mut child);
        Program {
            name: self.binary.name(),
            child,
            output,
            secrets: secrets::of(&self.environment),
            _state: state,
        }
    }

    /// Whether a directory for its state was not chosen: then it gets one that ends with it.
    fn needs_state(&self) -> bool {
        let chosen = self.environment.iter().any(|(name, _)| name == STATE_DIR)
            || self
                .arguments
                .iter()
                .any(|argument| argument == "--state-dir");
        self.binary != Binary::Simulator && !chosen
    }

    fn command(&self) -> Command {
        let path = self.path.clone().unwrap_or_else(|| self.binary.path());
        let mut command = if let Some(hosts) = &self.hosts {
            hosts::command(hosts, &path)
        } else if self.outlives_full_disks {
            // Signals that are ignored stay so in what a process becomes.
            let mut shell = Command::new("sh");
            let limit = if self.begins_on_a_full_disk {
                "ulimit -S -f 0; "
            } else {
                ""
            };
            let script = format!(r#"{limit}trap "" XFSZ; exec "$0" "$@""#);
            shell.arg("-c").arg(script).arg(path);
            shell
        } else {
            Command::new(path)
        };
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(workspace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// A program that runs; killed when it is dropped.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    child: std::process::Child,
    output: Output,
    secrets: Secrets,
    _state: Option<TempDir>,
}

impl Program {
    /// Everything it printed so far to standard output.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.output.lines(Stream::Out)
    }

    /// Everything it printed so far to standard error.
    #[must_use]
    pub fn stderr(&self) -> Vec<String> {
        self.output.lines(Stream::Error)
    }

    /// Waits for a line of standard output that contains `part`, and gives it.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn stdout_line(&self, part: &str) -> String {
        self.line(Stream::Out, part).await
    }

    /// Waits for a line of standard error that contains `part`, and gives it.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn stderr_line(&self, part: &str) -> String {
        self.line(Stream::Error, part).await
    }

    async fn line(&self, stream: Stream, part: &str) -> String {
        let what = format!("{} to print {part:?}", self.name);
        wait::until(&what, PATIENCE, async || {
            let lines = self.output.lines(stream);
            lines.into_iter().find(|line| line.contains(part))
        })
        .await
    }

    /// Asks it to end with SIGTERM and waits until it has.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the program still runs");
    }

    /// The most memory that it has had at once since its start, in bytes.
    ///
    /// # Panics
    /// When it has ended already.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the program still runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        1024 * kibibytes.expect("Linux says how much a running program takes")
    }

    /// From now on its files can't be written, as on a disk that is full; or can again.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn fill_disk(&self, full: bool) {
        let limit = Rlimit {
            current: full.then_some(0),
            maximum: None,
        };
        let pid = Pid::from_child(&self.child);
        prlimit(Some(pid), Resource::Fsize, limit).expect("the program still runs");
    }

    /// Waits until it has ended by itself, and all that it printed was read.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        wait::until(&what, PATIENCE, async || {
            let status = self.child.try_wait().expect("a child can be waited for");
            status.filter(|_| self.output.is_complete())
        })
        .await
    }

    /// Kills it with SIGKILL: it has no chance to finish anything.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    /// Whatever a test is about: what its program printed holds none of the secrets it was given.
    fn drop(&mut self) {
        self.end();
        if !std::thread::panicking() {
            let printed = [self.stdout(), self.stderr()].concat();
            let leaks = self.secrets.leaks(&printed);
            assert!(leaks.is_empty(), "{} printed secrets: {leaks:?}", self.name);
        }
    }
}
