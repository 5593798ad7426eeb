//! Whether an SQLite file can be stored in; nothing of it is changed, and none is made.

use std::fs::OpenOptions;
use std::path::Path;

use daemon::exit::with_causes;
use daemon::state_dir;
use store::{Export, OpenError};

/// What is to be said of it: that it can be used, or why not and what to do.
pub(super) fn check(path: &Path) -> Result<String, String> {
    let name = path.display();
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !directory.is_dir() {
        let directory = directory.display();
        return Err(format!(
            "{directory} is no directory; make it, or change STORE"
        ));
    }
    // SQLite keeps two more files beside it.
    state_dir::try_out(directory).map_err(|error| {
        let directory = directory.display();
        format!("no file can be made in {directory} ({error}); let the receiver's user write there")
    })?;
    if !path.exists() {
        return Ok(format!("{name} is made at the start"));
    }
    let opened = OpenOptions::new().write(true).open(path);
    opened.map_err(|error| {
        format!("{name} can't be written ({error}); give it to the receiver's user")
    })?;
    match Export::open(path) {
        Ok(_) => Ok(format!("{name} can be written")),
        Err(OpenError::Older { .. }) => Ok(format!("{name} is brought up to date at the start")),
        Err(error) => Err(format!("{}; change STORE", with_causes(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_can_be_used_is_told_from_one_that_can_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("readings.sqlite");
        assert!(check(&file).is_ok_and(|said| said.ends_with("is made at the start")));
        assert!(!file.exists());
        drop(store::Sqlite::open(&file).expect("a store"));
        assert!(check(&file).is_ok_and(|said| said.ends_with("can be written")));
        let diary = folder.path().join("diary");
        std::fs::write(&diary, "no database".repeat(100)).expect("written");
        assert!(check(&diary).is_err_and(|said| said.ends_with("; change STORE")));
        let nowhere = folder.path().join("no/where.sqlite");
        assert!(check(&nowhere).is_err_and(|said| said.contains("is no directory; make it")));
    }
}
