//! What outlives the process: small files in a directory, one of each kind for each Envoy.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::certificate::Fingerprint;

/// What a file is about; also the beginning of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The fingerprint of the pinned certificate.
    Certificate,
    /// The token that was fetched.
    Token,
    /// How often in vain, and when again.
    Attempts,
    /// What whoever reads the Envoy has learned of it.
    Learned,
}

/// How the name of a file with a pinned certificate begins.
const CERTIFICATE: &str = "certificate-";

/// The pinned certificate of an Envoy other than the one that is asked.
#[derive(Debug)]
pub(crate) struct OtherPin {
    pub(crate) serial: String,
    /// Its file; none where it could not be written.
    pub(crate) path: Option<PathBuf>,
}

/// Where certificates and fetched tokens are remembered. Only the owner may read the files.
///
/// All clones share what could not be written, so that the clients which a process has one after the
/// other know it from each other.
#[derive(Clone, Debug, Default)]
pub struct StateFiles {
    directory: Option<PathBuf>,
    read_only: bool,
    in_memory: Arc<Mutex<BTreeMap<String, Fingerprint>>>,
}

impl StateFiles {
    /// Nowhere: what is remembered holds for this process alone.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::default()
    }

    /// In this directory, which is made when there is something to remember.
    #[must_use]
    pub fn inside(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            ..Self::default()
        }
    }

    /// In this directory, where nothing is changed: for a look beside a process that goes on.
    #[must_use]
    pub fn as_found_in(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            read_only: true,
            ..Self::default()
        }
    }

    /// Whether this is only a look.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The file of an Envoy.
    pub(crate) fn path(&self, kind: Kind, serial: &str) -> Option<PathBuf> {
        let directory = self.directory.as_deref()?;
        // A serial comes from outside. Others than these have no place in a topic, either.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let plain = (1..=32).contains(&serial.len()) && serial.bytes().all(plain);
        let name = match kind {
            Kind::Certificate => CERTIFICATE,
            Kind::Token => "token-",
            Kind::Attempts => "token-attempts-",
            Kind::Learned => "learned-",
        };
        plain.then(|| directory.join(format!("{name}{serial}")))
    }

    /// The file with what was learned of an Envoy; none where there is no place for it.
    #[must_use]
    pub fn learned_path(&self, serial: &str) -> Option<PathBuf> {
        self.path(Kind::Learned, serial)
    }

    /// What was [learned](Self::keep_learned) of an Envoy. Waits for the disk.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn learned(&self, serial: &str) -> io::Result<Option<String>> {
        self.read(Kind::Learned, serial)
    }

    /// Keeps what was learned of an Envoy, in place of what was there, in one step. Waits for the disk. Whether it
    /// is on disk now; where nothing is to be written it is not.
    ///
    /// # Errors
    /// When it can't be written. What was there is there still.
    pub fn keep_learned(&self, serial: &str, text: &str) -> io::Result<bool> {
        self.write(Kind::Learned, serial, text)
    }

    /// Where the files are.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// An Envoy with another serial of which a certificate is pinned.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub(crate) fn other_pinned(&self, serial: &str) -> io::Result<Option<OtherPin>> {
        if let Some(other) = self.memory().keys().find(|other| *other != serial) {
            return Ok(Some(OtherPin {
                serial: other.clone(),
                path: None,
            }));
        }
        let Some(directory) = &self.directory else {
            return Ok(None);
        };
        let entries = match fs::read_dir(directory) {
            Err(error) if is_certainly_absent(&error) => return Ok(None),
            entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        }?;
        let mut pinned: Vec<String> = entries
            .iter()
            .filter_map(|entry| {
                let name = entry.file_name();
                Some(name.to_str()?.strip_prefix(CERTIFICATE)?.to_owned())
            })
            // None but those that are ours: not what a power cut left half written, for one.
            .filter(|other| other != serial && self.path(Kind::Certificate, other).is_some())
            .collect();
        pinned.sort_unstable();
        let first = pinned.into_iter().next();
        Ok(first.map(|serial| OtherPin {
            path: self.path(Kind::Certificate, &serial),
            serial,
        }))
    }

    /// Which certificate of an Envoy is pinned in this process alone.
    pub(crate) fn pinned_in_memory(&self, serial: &str) -> Option<Fingerprint> {
        self.memory().get(serial).copied()
    }

    /// Pins it in this process alone, or not any more.
    pub(crate) fn pin_in_memory(&self, serial: &str, fingerprint: Option<Fingerprint>) {
        match fingerprint {
            Some(fingerprint) => self.memory().insert(serial.to_owned(), fingerprint),
            None => self.memory().remove(serial),
        };
    }

    fn memory(&self) -> MutexGuard<'_, BTreeMap<String, Fingerprint>> {
        self.in_memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of an Envoy.
    pub(crate) fn read(&self, kind: Kind, serial: &str) -> io::Result<Option<String>> {
        let Some(path) = self.path(kind, serial) else {
            return Ok(None);
        };
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if is_certainly_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces it. Whether it is on disk now; where nothing is to be written it is not.
    pub(crate) fn write(&self, kind: Kind, serial: &str, text: &str) -> io::Result<bool> {
        let Some(path) = self.path(kind, serial).filter(|_| !self.read_only) else {
            return Ok(false);
        };
        replace_file(&path, text, 0o600)?;
        Ok(true)
    }
}

/// Replaces a file in one step, so that nobody reads half of it: after a power cut it is the old or the new one. It gets
/// this text with a line end, and `mode` as its permissions, of which the process's umask takes some. Its directory is
/// made where there is none. Waits for the disk.
///
/// # Errors
/// When it can't be written. What was there is there still.
pub fn replace_file(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let new = path.with_extension("new");
    // What an earlier attempt left there is of no use, and might be readable for others.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(directory)?.sync_all()
}

fn is_certainly_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SERIAL: &str = "122012345678";

    #[test]
    fn what_is_remembered_is_read_by_the_next_process_and_by_the_owner_alone() {
        let state = tempfile::tempdir().expect("a directory");
        let directory = state.path().join("not there yet");
        let files = StateFiles::inside(&directory);
        assert_eq!(files.read(Kind::Token, SERIAL).expect("no file"), None);
        for text in ["first", "second"] {
            assert!(files.write(Kind::Token, SERIAL, text).expect("written"));
            let read = StateFiles::as_found_in(&directory).read(Kind::Token, SERIAL);
            assert_eq!(
                read.expect("a file").as_deref(),
                Some(&*format!("{text}\n"))
            );
        }
        // What was left there by somebody else does not matter.
        let left = directory.join("token-122012345678.new");
        fs::write(&left, "").expect("a file");
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644)).expect("it is our own");
        assert!(files.write(Kind::Token, SERIAL, "third").expect("written"));
        let file = fs::metadata(directory.join("token-122012345678")).expect("a file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&directory).expect("a directory").count(), 1);
    }

    #[test]
    fn nothing_is_written_by_who_only_looks_nor_where_there_is_no_place_for_it() {
        let state = tempfile::tempdir().expect("a directory");
        for files in [StateFiles::nowhere(), StateFiles::as_found_in(state.path())] {
            assert!(
                !files
                    .write(Kind::Certificate, SERIAL, "x")
                    .expect("nothing to do")
            );
        }
        assert_eq!(fs::read_dir(state.path()).expect("a directory").count(), 0);
    }

    #[test]
    fn each_envoy_has_files_of_its_own_and_a_serial_never_leads_out_of_the_directory() {
        let files = StateFiles::inside("/state");
        let path = |serial| files.path(Kind::Certificate, serial);
        assert_ne!(path(SERIAL), path("122012345679"));
        assert_ne!(path(SERIAL), files.path(Kind::Token, SERIAL));
        // As the contract has them.
        assert!(path("A_b-1").is_some());
        let long = "1".repeat(33);
        for serial in ["", "../passwd", "a/b", "x y", ".", &long] {
            assert_eq!(path(serial), None);
        }
    }
}
