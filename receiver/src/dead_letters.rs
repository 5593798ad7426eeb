//! Messages that can never be stored, kept for a person to look at.
//!
//! They are lines of JSON in a file of the state directory: when, the topic, the payload (cut), and why.
//! A full file takes the place of the one before it, so a flood of them fills no disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// How much of a payload is kept, in bytes: some four readings.
pub const KEPT_PAYLOAD: usize = 1024;

/// The size at which a file is full, in bytes: some 1,500 letters. There are two of them at most.
pub const FULL: u64 = 1024 * 1024;

/// Letters that go to the log, in one process, because the file can't be written.
const LOGGED: usize = 100;

/// A message that can never be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// When it was received, by our own clock: RFC 3339, UTC. It is of no reading.
    received_at: String,
    topic: String,
    /// The first [`KEPT_PAYLOAD`] bytes; what is not printable ASCII is escaped.
    payload: String,
    /// Its whole length, in bytes.
    payload_bytes: usize,
    reason: String,
}

impl DeadLetter {
    /// A message on `topic`, and why it can't be stored.
    #[must_use]
    pub fn new(topic: &str, payload: &[u8], reason: String) -> Self {
        Self {
            received_at: Timestamp::now().strftime("%FT%TZ").to_string(),
            topic: topic.to_owned(),
            payload: shown(payload),
            payload_bytes: payload.len(),
            reason,
        }
    }
}

/// The beginning of a payload, as it may be printed.
pub(crate) fn shown(payload: &[u8]) -> String {
    let kept = payload.len().min(KEPT_PAYLOAD);
    payload[..kept].escape_ascii().to_string()
}

/// The file of a receiver's dead letters. Clones share it.
#[derive(Debug, Clone)]
pub struct DeadLetters(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    path: PathBuf,
    full: u64,
    /// Since when the file can't be written, as said.
    failed: bool,
    /// Letters that went to the log.
    logged: usize,
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
        })))
    }

    /// Appends letters, durably; where that fails they go to the log, as far as it has room for them.
    ///
    /// Blocks until the disk has them.
    pub fn append(&self, letters: &[DeadLetter]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.append(letters) {
            Ok(()) => state.failed = false,
            Err(error) => state.log(letters, &error),
        }
    }
}

impl State {
    fn append(&self, letters: &[DeadLetter]) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut file = self.open()?;
        let mut length = file.metadata()?.len();
        for letter in letters {
            let mut line = serde_json::to_vec(letter)?;
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
            .open(&self.path)
    }

    fn log(&mut self, letters: &[DeadLetter], error: &io::Error) {
        if !std::mem::replace(&mut self.failed, true) {
            tracing::error!(
                path = %self.path.display(),
                %error,
                "dead letters can't be written to their file; they go to the log"
            );
        }
        let room = LOGGED.saturating_sub(self.logged);
        for letter in letters.iter().take(room) {
            let DeadLetter {
                topic,
                payload,
                reason,
                ..
            } = letter;
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
mod tests {
    use super::*;

    fn letter(number: usize) -> DeadLetter {
        let payload = format!("{{\"number\":{number}}}");
        DeadLetter::new("envoy/e/inverters/i", payload.as_bytes(), "no".to_owned())
    }

    fn lines(path: &Path) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(path).expect("a file that was written");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    #[test]
    fn a_letter_is_a_line_with_what_a_person_needs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("below/letters.jsonl");
        let payload = [b"\x00\"", &[b'x'; 2000][..]].concat();
        let letter = DeadLetter::new("a/topic", &payload, "a reason".to_owned());
        DeadLetters::new(path.clone(), FULL).append(&[letter]);
        let [line] = &lines(&path)[..] else {
            panic!("not one line");
        };
        assert_eq!(line["topic"], "a/topic");
        assert_eq!(line["reason"], "a reason");
        assert_eq!(line["payload_bytes"], 2002);
        let kept = line["payload"].as_str().expect("text");
        assert!(kept.starts_with(r#"\x00\"xxx"#), "{kept}");
        assert!(kept.len() <= 4 * KEPT_PAYLOAD);
    }

    #[test]
    fn a_flood_leaves_two_files_that_are_not_larger_than_full() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("letters.jsonl");
        let letters = DeadLetters::new(path.clone(), 4_000);
        for batch in 0..50 {
            let flood: Vec<DeadLetter> = (0..20).map(|place| letter(20 * batch + place)).collect();
            letters.append(&flood);
        }
        let files: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(files.len(), 2);
        for file in files {
            let length = file.and_then(|file| file.metadata()).expect("a file").len();
            assert!(length <= 4_000, "{length}");
        }
        let newest = lines(&path).pop().expect("a line");
        assert_eq!(newest["payload"], r#"{\"number\":999}"#);
    }

    #[test]
    fn letters_that_can_not_be_written_go_to_the_log_and_not_without_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let blocked = folder.path().join("a file");
        fs::write(&blocked, "").expect("a folder that can be written");
        let letters = DeadLetters::new(blocked.join("letters.jsonl"), FULL);
        for _ in 0..5 {
            let flood: Vec<DeadLetter> = (0..90).map(letter).collect();
            letters.append(&flood);
        }
        let state = letters.0.lock().expect("nothing panics");
        assert!(state.failed);
        assert_eq!(state.logged, LOGGED);
    }
}
