//! What becomes of the files of a program that does not run.

use std::fs;
use std::path::Path;

/// Removes a directory with all that it holds, if it is there.
///
/// # Panics
/// When it can't.
pub(crate) fn remove(directory: &Path) {
    if directory.exists() {
        fs::remove_dir_all(directory).expect("it is our own");
    }
}

/// Copies the files of a directory into another one, over those of the same name.
///
/// # Panics
/// When it can't.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory of our own");
    for entry in fs::read_dir(from).expect("it is our own") {
        let entry = entry.expect("it is our own");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("it is our own");
    }
}
