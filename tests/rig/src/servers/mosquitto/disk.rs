//! What the broker has on its disk: emptied, kept, put back; and its settings.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use tempfile::TempDir;

use super::{CONFIGURATION, Configuration, Mosquitto, STARTUP, saved_state};
use crate::wait;

/// The broker's disk as it once was.
#[derive(Debug)]
pub struct Snapshot(TempDir);

impl Mosquitto {
    /// Empties the disk of the broker while it does not run.
    ///
    /// # Panics
    /// For a broker that was given by the environment, as all that follow.
    pub fn empty_disk(&self) {
        for entry in fs::read_dir(self.parts().disk.path()).expect("it is our own") {
            let path = entry.expect("it is our own").path();
            fs::remove_file(&path).expect("the broker writes files only");
        }
    }

    /// Gives the broker, which does not run, other settings. A running one takes only some of them.
    ///
    /// # Panics
    /// When the file can't be written.
    pub fn configure(&self, configuration: &Configuration) {
        let file = self.parts().folder.path().join(CONFIGURATION);
        // In place: what was mounted into the container is this file and no other of its name.
        fs::write(file, configuration.text()).expect("it is our own");
    }

    /// Has the running broker write its state to its disk, and keeps a copy of that.
    pub async fn snapshot(&self) -> Snapshot {
        self.save().await;
        let disk = self.parts().disk.path();
        let copy = tempfile::tempdir().expect("a temporary folder can be made");
        for entry in fs::read_dir(disk).expect("it is our own") {
            let entry = entry.expect("it is our own");
            fs::copy(entry.path(), copy.path().join(entry.file_name()))
                .expect("it is our own to read");
        }
        Snapshot(copy)
    }

    /// When the session of a client that has left ends, in Unix seconds, as the broker notes it in its
    /// state; 0 for never, none where it has no such session.
    ///
    /// # Panics
    /// When the broker writes its state in another way.
    pub async fn session_ends(&self, client_id: &str) -> Option<i64> {
        self.save().await;
        let state = self.own().read("/mosquitto/data/mosquitto.db").await;
        saved_state::session_ends(&state, client_id)
    }

    /// Has the running broker write its state to its disk. It does so some time after the signal, and a
    /// state from before would tell of clients that have left since.
    async fn save(&self) {
        let state = self.parts().disk.path().join("mosquitto.db");
        // It writes another file, and gives that one the name.
        let written = || {
            fs::metadata(&state)
                .map(|file| (file.ino(), file.mtime_nsec()))
                .ok()
        };
        let before = written();
        self.own().signal("SIGUSR1").await;
        wait::until_true("the broker to write its state", STARTUP, async || {
            written().is_some_and(|now| Some(now) != before)
        })
        .await;
    }

    /// Gives the broker, which does not run, the disk that it once had.
    pub fn put_back(&self, snapshot: &Snapshot) {
        self.empty_disk();
        for entry in fs::read_dir(snapshot.0.path()).expect("it is our own") {
            let entry = entry.expect("it is our own");
            let place = self.parts().disk.path().join(entry.file_name());
            fs::copy(entry.path(), &place).expect("it is our own to write");
            // Mosquitto has given up root's rights when it reads it.
            fs::set_permissions(&place, fs::Permissions::from_mode(0o666)).expect("it is our own");
        }
    }
}
