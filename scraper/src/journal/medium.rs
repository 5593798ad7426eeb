//! Where a journal's file lies, and how it is put aside.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use redb::StorageBackend;
use redb::backends::FileBackend;
use rustix::fs::{Advice, fadvise};
use wire::Serial;

/// Unusable files that are kept for whoever wants to look into them.
const KEPT_ASIDE: u32 = 3;

/// A place for one journal. Tests have others than a directory.
pub(super) trait Medium: std::fmt::Debug + Send + Sync {
    /// The journal's file, made when there is none.
    fn open(&self) -> io::Result<Box<dyn Opened>>;

    /// The journal's file as far as it can be read; an error when there is none.
    fn open_to_read(&self) -> io::Result<Box<dyn Opened>>;

    /// Makes the entry of a new file durable.
    fn sync_entry(&self) -> io::Result<()>;

    /// Gives the file another name, so that a new one can be made. Returns that name.
    fn set_aside(&self) -> io::Result<PathBuf>;

    /// Whether the file that was opened last is not in its place any more: it was removed, or another
    /// one lies there. It can still be read and written by whoever has it open, and ends with that.
    fn is_gone(&self) -> bool {
        false
    }

    /// When the file was made, where the file system knows it: a copy of it was made at another time.
    fn birth(&self) -> Option<String> {
        None
    }

    /// The file, for messages.
    fn path(&self) -> &Path;
}

/// A file of which nothing was read yet.
pub(super) trait Opened {
    /// Writes to the disk what the system has in memory of it.
    fn sync(&self) -> io::Result<()>;

    /// Has the system forget what it has in memory of it and takes for written.
    fn forget(&self);

    /// Its content.
    fn storage(self: Box<Self>) -> io::Result<Box<dyn StorageBackend>>;
}

/// The journal's storage, made when there is none. What can be read there is on the disk.
pub(super) fn open(medium: &dyn Medium) -> io::Result<Box<dyn StorageBackend>> {
    let file = medium.open()?;
    settle(file.as_ref())?;
    file.storage()
}

/// The journal's storage as far as it can be read, and whether that is on the disk; an error when
/// there is none.
pub(super) fn open_to_read(medium: &dyn Medium) -> io::Result<(Box<dyn StorageBackend>, bool)> {
    let file = medium.open_to_read()?;
    let is_on_disk = settle(file.as_ref()).is_ok();
    Ok((file.storage()?, is_on_disk))
}

/// Sees to it that what can be read of a file is what the disk has. A process that was killed, or whose
/// disk failed, leaves behind what the system would forget with the next power failure: numbers must
/// not be taken from it.
fn settle(file: &dyn Opened) -> io::Result<()> {
    file.sync()?;
    // After a sync that failed, Linux takes what it could not write for written, until it reads it again.
    file.forget();
    Ok(())
}

/// A file in a directory.
#[derive(Debug)]
pub(super) struct InDirectory {
    directory: PathBuf,
    serial: Serial,
    path: PathBuf,
    /// The file that was opened last, by its device and its number there: no other one has both while
    /// it is open.
    opened: Mutex<Option<(u64, u64)>>,
}

impl InDirectory {
    /// The file for this Envoy's journal.
    pub(super) fn new(directory: &Path, serial: &Serial) -> Self {
        Self {
            path: file_of(directory, serial),
            directory: directory.to_owned(),
            serial: serial.clone(),
            opened: Mutex::default(),
        }
    }

    fn note_opened(&self, file: &File) -> io::Result<()> {
        let metadata = file.metadata()?;
        let opened = (metadata.dev(), metadata.ino());
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        Ok(())
    }
}

impl Medium for InDirectory {
    fn open(&self) -> io::Result<Box<dyn Opened>> {
        fs::create_dir_all(&self.directory)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        self.note_opened(&file)?;
        Ok(Box::new(OnDisk(file)))
    }

    fn open_to_read(&self) -> io::Result<Box<dyn Opened>> {
        let file = File::open(&self.path)?;
        self.note_opened(&file)?;
        Ok(Box::new(OnDisk(file)))
    }

    fn sync_entry(&self) -> io::Result<()> {
        // A directory can be opened and synced like a file on every system that this runs on.
        File::open(&self.directory)?.sync_all()
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        let place = |number: u32| {
            let name = format!("journal-{}.corrupt-{number}.redb", self.serial);
            self.directory.join(name)
        };
        // The last of them is the newest: one after the other they move down, and the oldest goes.
        let free = (1..=KEPT_ASIDE).find(|number| fs::symlink_metadata(place(*number)).is_err());
        if free.is_none() {
            for number in 1..KEPT_ASIDE {
                fs::rename(place(number + 1), place(number))?;
            }
        }
        let aside = place(free.unwrap_or(KEPT_ASIDE));
        fs::rename(&self.path, &aside)?;
        self.sync_entry()?;
        Ok(aside)
    }

    fn is_gone(&self) -> bool {
        let opened = *self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(opened) = opened else { return false };
        match fs::metadata(&self.path) {
            Ok(found) => (found.dev(), found.ino()) != opened,
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ),
        }
    }

    fn birth(&self) -> Option<String> {
        let made = fs::metadata(&self.path).and_then(|file| file.created());
        let since = made.ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_nanos().to_string())
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// A file of the system.
struct OnDisk(File);

impl Opened for OnDisk {
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn forget(&self) {
        // File systems that don't know this have no such memory.
        let _ = fadvise(&self.0, 0, None, Advice::DontNeed);
    }

    fn storage(self: Box<Self>) -> io::Result<Box<dyn StorageBackend>> {
        // A directory can be opened for reading, and would seem to be a file of another program.
        if !self.0.metadata()?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let backend = FileBackend::new(self.0).map_err(io::Error::other)?;
        Ok(Box::new(backend))
    }
}

/// The file of an Envoy's journal.
pub(crate) fn file_of(directory: &Path, serial: &Serial) -> PathBuf {
    directory.join(format!("journal-{serial}.redb"))
}

/// The serial of the Envoy whose journal was written last in a directory; none when there is no
/// journal, or the directory can't be read.
#[must_use]
pub fn remembered_serial(directory: &Path) -> Option<Serial> {
    fs::read_dir(directory)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let serial = name.to_str()?.strip_prefix("journal-")?;
            // What was set aside has a dot more, which no serial has.
            let serial: Serial = serial.strip_suffix(".redb")?.parse().ok()?;
            let metadata = entry.metadata().ok()?;
            let written = metadata.modified().ok()?;
            metadata.is_file().then_some((written, serial))
        })
        .max()
        .map(|(_, serial)| serial)
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;
    use std::time::Duration;

    use super::*;

    fn serial(text: &str) -> Serial {
        text.parse().expect("a serial")
    }

    #[test]
    fn the_serial_of_the_journal_that_was_written_last_is_remembered() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(remembered_serial(directory.path()), None);
        for (name, seconds) in [
            ("journal-122.redb", 20),
            ("journal-123.redb", 30),
            ("journal-124.corrupt-1.redb", 40),
            ("journal-125.txt", 50),
            ("journal-..redb", 60),
        ] {
            let file = File::create(directory.path().join(name)).expect("a file");
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            file.set_times(FileTimes::new().set_modified(time))
                .expect("a time");
        }
        assert_eq!(remembered_serial(directory.path()), Some(serial("123")));
        assert_eq!(remembered_serial(&directory.path().join("none")), None);
    }

    #[test]
    fn the_three_files_set_aside_last_are_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let medium = InDirectory::new(directory.path(), &serial("122"));
        for content in ["a", "b", "c", "d", "e"] {
            fs::write(medium.path(), content).expect("a file");
            medium.set_aside().expect("another name");
        }
        let kept = |number: u32| {
            let name = format!("journal-122.corrupt-{number}.redb");
            fs::read_to_string(directory.path().join(name)).expect("a file")
        };
        assert_eq!([kept(1), kept(2), kept(3)], ["c", "d", "e"]);
        let entries = fs::read_dir(directory.path()).expect("the directory");
        assert_eq!(entries.count(), 3);
    }
}
