//! `refill`: has the receiver fetch everything once more that the journals hold. A note in the state
//! directory says so: a running receiver takes it up within seconds, a stopped one at its start.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use daemon::settings::Settings;
use daemon::state_dir::state_dir;
use wire::ReceiverName;

use crate::config::{read_name, refill_note};

/// Which receiver is meant: all that `refill` needs to know.
#[derive(Debug)]
pub struct StateOf {
    /// The receiver's name.
    pub name: ReceiverName,
    /// Where its state is.
    pub state_dir: PathBuf,
}

impl StateOf {
    /// Reads it out of settings that may have no store and no broker.
    pub fn from_settings(settings: &mut Settings) -> Option<Self> {
        let name = read_name(settings);
        let state_dir = state_dir(settings);
        Some(Self {
            name: name?,
            state_dir: state_dir?,
        })
    }
}

/// The note could not be left.
#[derive(Debug, thiserror::Error)]
pub enum RefillError {
    /// There is no such directory, so no receiver has its state there.
    #[error(
        "{} does not exist, so no receiver has run with it; give the receiver's own STATE_DIR",
        .0.display()
    )]
    NoDirectory(PathBuf),
    /// The note can't be written.
    #[error(
        "the note for the receiver can't be written to {}; run this as the receiver's user",
        path.display()
    )]
    Unwritable {
        /// The note.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Leaves a note for this receiver.
///
/// # Errors
/// When it can't be written.
pub fn leave_note(receiver: &StateOf) -> Result<(), RefillError> {
    let path = refill_note(&receiver.state_dir, &receiver.name);
    let written = File::create(&path).and_then(|file| file.sync_all());
    written.map_err(|source| match source.kind() {
        ErrorKind::NotFound => RefillError::NoDirectory(receiver.state_dir.clone()),
        _ => RefillError::Unwritable { path, source },
    })
}

/// The note as the running receiver sees it.
#[derive(Debug)]
pub(crate) struct Note {
    path: PathBuf,
    /// It was taken up and is still there.
    is_done: bool,
}

impl Note {
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            is_done: false,
        }
    }

    /// Whether there is a note that was not taken up.
    pub(crate) fn is_there(&mut self) -> bool {
        let exists = self.path.exists();
        self.is_done &= exists;
        exists && !self.is_done
    }

    /// It was taken up, durably.
    pub(crate) fn taken_up(&mut self) {
        tracing::info!("refilling: everything that the journals hold is fetched once more");
        self.is_done = true;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => tracing::warn!(
                path = %self.path.display(),
                %error,
                "the note that asks for a refill can't be removed, and would be taken up again after a \
                 restart; remove it"
            ),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(state_dir: &Path) -> StateOf {
        StateOf {
            name: "r".parse().expect("a name"),
            state_dir: state_dir.to_owned(),
        }
    }

    #[test]
    fn a_note_is_taken_up_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut note = Note::at(&refill_note(folder.path(), &"r".parse().expect("a name")));
        assert!(!note.is_there());
        for _ in 0..2 {
            leave_note(&receiver(folder.path())).expect("a folder that can be written");
            assert!(note.is_there());
            note.taken_up();
            assert!(!note.is_there());
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_note_that_can_not_be_removed_is_taken_up_once_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("note");
        // A directory is nothing that `remove_file` removes.
        fs::create_dir(&path).expect("a folder");
        let mut note = Note::at(&path);
        assert!(note.is_there());
        note.taken_up();
        assert!(!note.is_there());
        fs::remove_dir(&path).expect("it is empty");
        assert!(!note.is_there());
        fs::write(&path, "").expect("a folder that can be written");
        assert!(note.is_there());
    }

    #[test]
    fn a_directory_that_no_receiver_has_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = folder.path().join("elsewhere");
        let error = leave_note(&receiver(&elsewhere)).expect_err("there is none");
        assert!(
            error.to_string().contains("elsewhere does not exist"),
            "{error}"
        );
        assert!(!elsewhere.exists());
    }
}
