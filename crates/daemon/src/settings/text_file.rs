//! Reads a small text file, and says in words what is in the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Its text. The error is the rest of a sentence that begins with the file's path.
pub(super) fn read(path: &Path, longest: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    open(path)?
        .take(longest + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| in_the_way(&error))?;
    if bytes.len() as u64 > longest {
        return Err(format!(
            "is longer than {} KiB, so it is another file; check the path",
            longest / 1024
        ));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text; save it as UTF-8".to_owned())
}

/// Opens a file that is to be read, and is no directory: opening one of those succeeds.
pub(super) fn open(path: &Path) -> Result<File, String> {
    let file = File::open(path).map_err(|error| in_the_way(&error))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(in_the_way(&io::ErrorKind::IsADirectory.into())),
        _ => Ok(file),
    }
}

fn in_the_way(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist; check the path".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "may not be read by this user; change its owner or its mode".to_owned()
        }
        io::ErrorKind::IsADirectory => "is a directory; name the file in it".to_owned(),
        _ => format!("can't be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(content: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), content).expect("it can be written");
        read(file.path(), 8).expect_err("a mistake")
    }

    #[test]
    fn what_is_in_the_way_is_said_with_its_remedy() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |path: &Path| read(path, 8).expect_err("a mistake");
        assert_eq!(at(directory.path()), "is a directory; name the file in it");
        assert_eq!(
            at(&directory.path().join("x")),
            "does not exist; check the path"
        );
        assert_eq!(at(Path::new("/dev/zero")), mistake(b"too much of it"));
        assert_eq!(
            mistake(b"\xff\xfeh\0"),
            "is not UTF-8 text; save it as UTF-8"
        );
        // Asked of the kind itself: root may read everything.
        let denied = in_the_way(&io::ErrorKind::PermissionDenied.into());
        assert!(
            denied.starts_with("may not be read by this user"),
            "{denied}"
        );
    }
}
