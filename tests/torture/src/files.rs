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

/// Copies what a directory holds into another one, over those of the same name.
///
/// # Panics
/// When it can't.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory of our own");
    for entry in fs::read_dir(from).expect("it is our own") {
        let path = entry.expect("it is our own").path();
        let place = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, &place).expect("it is our own");
        }
    }
}
