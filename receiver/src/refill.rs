//! `refill`: has the receiver fetch everything once more that the journals hold.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::config::Config;

/// The note could not be left.
#[derive(Debug, thiserror::Error)]
#[error("the note for the receiver can't be written to {}; run this as the receiver's user, with its STATE_DIR", path.display())]
pub struct RefillError {
    path: PathBuf,
    source: io::Error,
}

/// Leaves a note in the state directory. A running receiver takes it up within seconds, a stopped one at
/// its start.
///
/// # Errors
/// When it can't be written.
pub fn leave_note(config: &Config) -> Result<(), RefillError> {
    let path = config.refill_note();
    let write = || {
        fs::create_dir_all(&config.state_dir)?;
        fs::write(&path, "")
    };
    write().map_err(|source| RefillError { path, source })
}
