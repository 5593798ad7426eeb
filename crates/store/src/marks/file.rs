//! Marks in a file of their own, beside a store that has no place for them.
//!
//! Its first line has all marks as they once were; each further line is an Envoy's that have changed since, with all that
//! is marked of it then. So a batch costs what its own Envoys take, however many there are. When the lines together
//! are longer than the first one, and than [`FEW`], all of it is written anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Marks;
use crate::write::MarksError;

/// The format that is written. A file of another one is not read, but for the first one: without marks everything
/// that the journals hold is fetched once more, and nothing is lost.
const FORMAT: u32 = 2;

/// The format in which there was only the first line.
const ONE_LINE: u32 = 1;

/// So many bytes of lines behind the first one are let be, however short that is.
const FEW: u64 = 16 * 1024;

/// A file of marks, for one store. Clones know the same of it.
#[derive(Debug, Clone)]
pub struct MarksFile {
    path: PathBuf,
    store: String,
    /// How long the file is, and its first line. None while that is unknown: then it is written anew.
    length: Arc<Mutex<Option<Length>>>,
}

#[derive(Debug, Clone, Copy)]
struct Length {
    first_line: u64,
    in_all: u64,
}

/// What the first line holds, but for the marks.
#[derive(Serialize, Deserialize)]
struct Head<S> {
    format: u32,
    store: S,
}

#[derive(Serialize)]
struct Saved<'a> {
    #[serde(flatten)]
    head: Head<&'a str>,
    marks: &'a Marks,
}

#[derive(Deserialize)]
struct Body {
    marks: Marks,
}

impl MarksFile {
    /// The file at `path`, with the marks of the store that `store` names: its address, organisation
    /// and bucket, and no secret.
    #[must_use]
    pub fn new(path: PathBuf, store: String) -> Self {
        Self {
            path,
            store,
            length: Arc::default(),
        }
    }

    /// The marks that were saved last: none where there is no file. A file that can't be read is set
    /// aside; one of another store stays until the next save takes its place.
    ///
    /// Blocks.
    pub fn load(&self) -> Result<Marks, MarksError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Marks::default()),
            Err(source) => {
                let path = self.path.clone();
                return Err(MarksError::Unreadable { path, source });
            }
        };
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        let first_line = lines.next().unwrap_or_default();
        let head = serde_json::from_slice::<Head<String>>(first_line);
        if let Ok(head) = &head
            && head.store != self.store
        {
            return Err(MarksError::OtherStore {
                path: self.path.clone(),
                store: head.store.clone(),
            });
        }
        if let Ok(head) = &head
            && ![ONE_LINE, FORMAT].contains(&head.format)
        {
            return Err(MarksError::OtherFormat {
                path: self.path.clone(),
                format: head.format,
            });
        }
        let is_appended_to = head.as_ref().is_ok_and(|head| head.format == FORMAT);
        let body = head.and_then(|_| serde_json::from_slice::<Body>(first_line));
        let mut marks = body.map(|body| body.marks).map_err(|source| {
            let aside = self.path.with_extension("damaged");
            let path = self.path.clone();
            // Where it can't be moved the next save takes its place.
            let _ = fs::rename(&self.path, &aside);
            MarksError::Damaged {
                path,
                aside,
                source,
            }
        })?;
        let is_whole = is_appended_to
            && first_line.ends_with(b"\n")
            && lines.all(|line| line.ends_with(b"\n") && marks.read(line).is_ok());
        // Where a line was cut off nothing behind it was ever said to be saved, and nothing may be put behind it.
        self.set_length(is_whole.then_some(Length {
            first_line: first_line.len() as u64,
            in_all: text.len() as u64,
        }));
        Ok(marks)
    }

    /// Replaces what was saved, in one step and durably: after a power cut the file is the old or the
    /// new one.
    ///
    /// Blocks until the disk has it.
    pub fn save(&self, marks: &Marks) -> Result<(), MarksError> {
        self.replace(marks)
            .map_err(|source| self.unwritable(source))
    }

    /// Replaces what was saved of the Envoys of these marks, durably: after a power cut that is the old or the new
    /// of each.
    ///
    /// Blocks until the disk has it.
    pub fn update(&self, changed: &Marks) -> Result<(), MarksError> {
        let saved = match self.append(changed) {
            Ok(true) => Ok(()),
            Ok(false) => {
                // What can't be read is as good as none.
                let mut marks = self.load().unwrap_or_default();
                marks.replace(changed.clone());
                self.replace(&marks)
            }
            Err(error) => {
                // It may end within a line now.
                self.set_length(None);
                Err(error)
            }
        };
        saved.map_err(|source| self.unwritable(source))
    }

    /// Puts them behind what is there. False where all is to be written anew.
    fn append(&self, changed: &Marks) -> io::Result<bool> {
        let Some(length) = self.length() else {
            return Ok(false);
        };
        let mut lines = Vec::new();
        for envoy in changed.written() {
            serde_json::to_writer(&mut lines, &envoy)?;
            lines.push(b'\n');
        }
        let in_all = length.in_all + lines.len() as u64;
        if in_all - length.first_line > length.first_line.max(FEW) {
            return Ok(false);
        }
        let mut file = match OpenOptions::new().append(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() != length.in_all {
            // Somebody put another one in its place.
            return Ok(false);
        }
        file.write_all(&lines)?;
        file.sync_data()?;
        self.set_length(Some(Length { in_all, ..length }));
        Ok(true)
    }

    fn replace(&self, marks: &Marks) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let head = Head {
            format: FORMAT,
            store: self.store.as_str(),
        };
        let new = self.path.with_extension("new");
        // What an earlier attempt left there is of no use.
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        let mut line = serde_json::to_vec(&Saved { head, marks })?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        File::open(directory)?.sync_all()?;
        let first_line = line.len() as u64;
        self.set_length(Some(Length {
            first_line,
            in_all: first_line,
        }));
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn unwritable(&self, source: io::Error) -> MarksError {
        MarksError::Unwritable {
            path: self.path.clone(),
            source,
        }
    }

    fn length(&self) -> Option<Length> {
        *self.length.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_length(&self, length: Option<Length>) {
        *self.length.lock().unwrap_or_else(PoisonError::into_inner) = length;
    }
}
