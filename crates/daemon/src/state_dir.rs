//! Where a daemon keeps what must outlive it, and that it is alone there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::settings::{Key, Settings};

/// The directory for state.
pub const STATE_DIR: Key = Key::new("state_dir", "STATE_DIR")
    .flag("state-dir", "DIRECTORY")
    .example("/var/lib/envoy-scrape")
    .help("the directory for what must outlive the process; /var/lib/envoy-scrape as root, else ~/.local/state/envoy-scrape when unset");

/// The chosen directory, else `/var/lib/envoy-scrape` as root, else `envoy-scrape` in the XDG
/// state directory.
pub fn state_dir(settings: &mut Settings) -> Option<PathBuf> {
    if settings.is_set(&STATE_DIR) {
        return settings.optional(&STATE_DIR, str::parse::<PathBuf>);
    }
    let directory = usual(settings)?;
    settings.assume(&STATE_DIR, directory.to_string_lossy());
    Some(directory)
}

/// Takes a file for this process alone, for as long as the answer is held. The file and its directory
/// are made when missing.
///
/// # Errors
/// Another process has it, or there is no such file to be had.
pub fn lock(path: &Path) -> Result<File, TryLockError> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(TryLockError::Error)?;
    }
    let made = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    // Where nothing may be written, it can be locked all the same.
    let file = made.or_else(|error| File::open(path).map_err(|_: io::Error| error));
    let file = file.map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

/// Tries whether files can be made in a directory, or the directory itself where it is not there yet. Nothing of
/// that is left behind, not even by a process that is killed: the file never has a name.
///
/// # Errors
/// No file can be made there.
pub fn try_out(directory: &Path) -> io::Result<()> {
    let mut place = directory;
    loop {
        match fs::metadata(place) {
            Ok(_) => return tempfile::tempfile_in(place).map(drop),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        place = match place.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
    }
}

fn usual(settings: &mut Settings) -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/envoy-scrape"));
    }
    let xdg = settings.variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = settings.variable("HOME").map(PathBuf::from);
    let directory = xdg.or_else(|| Some(home?.join(".local/state")));
    if directory.is_none() {
        settings.reject(
            &STATE_DIR,
            "missing: there is no home directory to take instead; give one with --state-dir",
        );
    }
    Some(directory?.join("envoy-scrape"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_once_until_it_is_let_go() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state").join("lock");
        let held = lock(&path).expect("nobody has it");
        assert!(matches!(lock(&path), Err(TryLockError::WouldBlock)));
        assert!(lock(&directory.path().join("other")).is_ok());
        drop(held);
        assert!(lock(&path).is_ok());
        // A file in the place of the directory.
        let nowhere = lock(&path.join("lock"));
        assert!(matches!(nowhere, Err(TryLockError::Error(_))));
    }

    #[test]
    fn a_directory_is_tried_out_without_a_trace_also_where_it_is_not_there_yet() {
        let directory = tempfile::tempdir().expect("a directory");
        let new = directory.path().join("a").join("b");
        for place in [directory.path(), &new] {
            try_out(place).expect("it is ours");
        }
        let left = fs::read_dir(directory.path()).expect("a directory");
        assert_eq!(left.count(), 0);
        // A file in the place of a directory, also for root.
        let file = directory.path().join("file");
        fs::write(&file, "").expect("a file");
        for place in [&file, &file.join("state")] {
            assert!(try_out(place).is_err(), "{}", place.display());
        }
    }
}
