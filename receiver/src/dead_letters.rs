//! Messages that can never be stored, kept for a person to look at.
//!
//! They are lines of JSON in a file of the state directory: when, the topic, the payload (cut), and why.
//! A full file takes the place of the one before it, so a flood of them fills no disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use wire::{JournalId, MAX_PAYLOAD, MAX_SEQ, Serial};

/// How much of a payload is kept, in bytes: some four readings.
pub const KEPT_PAYLOAD: usize = 1024;

/// The size at which a file is full, in bytes: some 1,500 letters. There are two of them at most.
pub const FULL: u64 = 1024 * 1024;

/// Letters that go to the log, in one process, because the file can't be written.
const LOGGED: usize = 100;

/// How often it is said how many letters there were.
const COUNT_SAID_EVERY: Duration = Duration::from_hours(24);

/// The Envoy, the journal and the number of a reading.
pub type Place = (Serial, JournalId, u64);

/// A message that can never be stored. Thousands of them may wait for the store, so that it is kept as it came, and
/// escaped, which makes four bytes of one, where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// When it was received, by our own clock: RFC 3339, UTC. It is of no reading.
    received_at: String,
    /// The first [`KEPT_PAYLOAD`] bytes, like those of the payload; what is not printable ASCII is escaped.
    #[serde(serialize_with = "escaped")]
    topic: Box<[u8]>,
    #[serde(serialize_with = "escaped")]
    payload: Box<[u8]>,
    /// Its whole length, in bytes.
    payload_bytes: usize,
    reason: String,
    /// Which reading it says to be.
    #[serde(skip)]
    place: Option<Place>,
}

impl DeadLetter {
    /// A message on `topic`, and why it can't be stored.
    #[must_use]
    pub fn new(topic: &str, payload: &[u8], reason: String) -> Self {
        Self {
            received_at: Timestamp::now().strftime("%FT%TZ").to_string(),
            topic: beginning(topic.as_bytes()).into(),
            payload: beginning(payload).into(),
            payload_bytes: payload.len(),
            reason,
            place: None,
        }
    }

    /// The same, of a message that came where readings of `envoy` come. If it names a place in a
    /// journal, nobody need ask for that again.
    #[must_use]
    pub fn of_envoy(self, envoy: &Serial, payload: &[u8]) -> Self {
        /// The part of a reading that may be sound where the rest is not.
        #[derive(Deserialize)]
        struct Named {
            journal: JournalId,
            seq: u64,
        }
        let named = serde_json::from_slice::<Named>(&payload[..payload.len().min(MAX_PAYLOAD)]);
        let place = named
            .ok()
            .filter(|named| (1..=MAX_SEQ).contains(&named.seq));
        Self {
            place: place.map(|named| (envoy.clone(), named.journal, named.seq)),
            ..self
        }
    }

    /// It is as if it named no reading.
    pub(crate) fn forget_place(&mut self) {
        self.place = None;
    }

    /// Which reading it says to be, where it does.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

/// The beginning of a payload or a topic, as it may be printed.
pub(crate) fn shown(payload: &[u8]) -> String {
    beginning(payload).escape_ascii().to_string()
}

fn beginning(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().min(KEPT_PAYLOAD)]
}

fn escaped<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&bytes.escape_ascii())
}

/// The file of a receiver's dead letters. Clones share it.
#[derive(Debug, Clone)]
pub struct DeadLetters(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    path: PathBuf,
    full: u64,
    /// Whether the file can't be written, as said.
    failed: bool,
    /// Letters that went to the log.
    logged: usize,
    /// All letters of this process, and when their number was said.
    count: usize,
    count_said: Option<Instant>,
}

impl DeadLetters {
    /// The file at `path`, which is made with the first letter. At `full` bytes ([`FULL`]) it is renamed:
    /// `.1` is added, and takes the place of the one before it.
    #[must_use]
    pub fn new(path: PathBuf, full: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            path,
            full,
            failed: false,
            logged: 0,
            count: 0,
            count_said: None,
        })))
    }

    /// Appends letters, durably; where that fails they go to the log, as far as it has room for them.
    ///
    /// Blocks until the disk has them.
    pub fn append(&self, letters: &[Arc<DeadLetter>]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.append(letters) {
            Ok(()) => state.succeeded(),
            Err(error) => state.log(letters, &error),
        }
        state.say_count(letters.len());
    }
}

impl State {
    fn append(&self, letters: &[Arc<DeadLetter>]) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut file = self.open()?;
        let mut length = file.metadata()?.len();
        for letter in letters {
            let mut line = serde_json::to_vec(letter.as_ref())?;
            line.push(b'\n');
            let bytes = line.len() as u64;
            if length > 0 && length + bytes > self.full {
                let mut before = self.path.clone().into_os_string();
                before.push(".1");
                fs::rename(&self.path, before)?;
                file = self.open()?;
                length = 0;
            }
            file.write_all(&line)?;
            length += bytes;
        }
        file.sync_data()
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.path)
    }

    fn succeeded(&mut self) {
        if std::mem::take(&mut self.failed) {
            tracing::info!(path = %self.path.display(), "dead letters are written to their file again");
        }
    }

    fn say_count(&mut self, more: usize) {
        self.count += more;
        let is_due = |said: Instant| said.elapsed() >= COUNT_SAID_EVERY;
        if self.count_said.is_none_or(is_due) {
            self.count_said = Some(Instant::now());
            tracing::info!(
                path = %self.path.display(),
                messages = self.count,
                "messages that can never be stored, since the start"
            );
        }
    }

    fn log(&mut self, letters: &[Arc<DeadLetter>], error: &io::Error) {
        if !std::mem::replace(&mut self.failed, true) {
            tracing::error!(
                path = %self.path.display(),
                %error,
                "dead letters can't be written to their file; they go to the log"
            );
        }
        let room = LOGGED.saturating_sub(self.logged);
        for letter in letters.iter().take(room) {
            let (topic, payload) = (shown(&letter.topic), shown(&letter.payload));
            let reason = &letter.reason;
            tracing::error!(topic, payload, reason, "a dead letter");
        }
        self.logged += letters.len().min(room);
        if letters.len() >= room && room > 0 {
            tracing::error!(
                letters = LOGGED,
                "no further dead letters are logged; see to it that their file can be written"
            );
        }
    }
}

#[cfg(test)]
mod tests;
