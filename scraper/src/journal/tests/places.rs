//! Files that can only be read, and files that are copies of others.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::journal::medium::Opened;

use super::damage::Place;
use super::simulated::Simulated;
use super::*;

#[test]
fn a_journal_that_can_only_be_read_is_announced_beside_the_one_in_memory() {
    for was_killed in [false, true] {
        let disk = Simulated::default();
        let open = || {
            let medium = Arc::new(disk.clone());
            Journals::open_on(medium, &envoy(), MIB, Instant::now()).expect("a journal")
        };
        let journals = open();
        let on_disk = journals.append(reports(3, 0));
        if was_killed {
            disk.kill();
        }
        drop(journals);
        disk.turn_read_only();
        let journals = open();
        let in_memory = journals.append(reports(2, 900));
        let spans = journals.spans();
        assert_eq!(*spans[0].id(), in_memory[0].journal);
        assert_eq!(*spans[1].id(), on_disk[0].journal);
        let held = journals.readings(&on_disk[0].journal, 1..=9, 9);
        assert_eq!(held, on_disk);
        assert_eq!(journals.newest().len(), 3);
        assert_eq!(journals.last_reports().len(), 3);
    }
}

/// A file that may be read, and not written.
#[derive(Debug)]
struct OnlyToRead(InDirectory);

impl Medium for OnlyToRead {
    fn open(&self) -> io::Result<Box<dyn Opened>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn open_to_read(&self) -> io::Result<Box<dyn Opened>> {
        self.0.open_to_read()
    }

    fn sync_entry(&self) -> io::Result<()> {
        self.0.sync_entry()
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[test]
fn a_real_file_that_can_only_be_read_is_read_and_left_as_it_is() {
    let place = Place::new();
    let held = place.fill();
    let content = fs::read(place.file()).expect("the file");
    let medium = Arc::new(OnlyToRead(InDirectory::new(
        place.directory.path(),
        &envoy(),
    )));
    let journals = Journals::open_on(medium, &envoy(), MIB, Instant::now()).expect("two journals");
    assert_eq!(journals.append(reports(1, 99_999))[0].seq, 1);
    assert_eq!(*journals.spans()[1].id(), held[0].journal);
    assert!(journals.readings(&held[0].journal, 1..=u64::MAX, usize::MAX) == held);
    drop(journals);
    assert!(fs::read(place.file()).expect("the file") == content);
}

#[test]
fn a_copy_of_a_journal_goes_on_under_another_id_and_the_file_itself_does_not() {
    let place = Place::new();
    let held = place.fill();
    let again = place.open();
    assert_eq!(again.id(), held[0].journal, "the file itself");
    drop(again);

    let copy = place.directory.path().join("copy");
    fs::copy(place.file(), &copy).expect("a copy");
    fs::rename(&copy, place.file()).expect("put back");
    let restored = place.open();
    assert_ne!(restored.id(), held[0].journal);
    let id = restored.id();
    let next = restored.append(reports(1, 99_999));
    assert_eq!(
        (&next[0].journal, next[0].seq),
        (&id, held.len() as u64 + 1)
    );
    drop(restored);
    assert_eq!(place.open().id(), id, "once it is written it stays");
}
