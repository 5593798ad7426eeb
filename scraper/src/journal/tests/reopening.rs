//! A file that is opened again after a failure.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redb::StorageBackend;

use super::simulated::{Fault, Simulated};
use super::*;
use crate::delivery::{self, Unreadable};
use crate::journal::medium::Opened;

fn open(disk: &Simulated, now: Instant) -> Journals {
    Journals::open_on(Arc::new(disk.clone()), &envoy(), MIB, now).expect("a journal")
}

#[test]
fn the_disk_is_tried_again_also_while_there_is_nothing_to_write() {
    let disk = Simulated::default();
    let mut now = Instant::now();
    let journals = open(&disk, now);
    let id = journals.append_at(reports(3, 0), now)[0].journal.clone();
    disk.fail(0, Fault::Undone, u32::MAX);
    journals.append_at(reports(3, 900), now);
    now += Duration::from_mins(1);
    assert!(journals.append_at(Vec::<Report>::new(), now).is_empty());
    assert_ne!(journals.id(), id, "it is full");
    disk.mend();
    now += Duration::from_secs(59);
    journals.append_at(Vec::<Report>::new(), now);
    assert_ne!(journals.id(), id, "not yet");
    now += Duration::from_secs(1);
    journals.append_at(Vec::<Report>::new(), now);
    assert_eq!(journals.id(), id);
    assert_eq!(journals.spans().len(), 2);
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_write() {
    let disk = Simulated::default();
    let journals = open(&disk, Instant::now());
    journals.append(reports(3, 0));
    // Were it to write, it would lose the disk.
    disk.fail(0, Fault::Undone, u32::MAX);
    journals.append(Vec::<Report>::new());
    assert!(journals.is_on_disk());
}

#[test]
fn a_file_that_is_being_opened_again_can_not_be_read_for_now_and_has_lost_nothing() {
    let journals = open(&Simulated::default(), Instant::now());
    let reading = |seq| delivery::Journal::reading(&journals, &journals.id(), seq);
    journals.append(reports(3, 0));
    let newest = journals.append(reports(3, 900));
    assert!(reading(1).is_ok_and(|found| found.is_some()));
    let other = "other".parse().expect("an id");
    let found = delivery::Journal::reading(&journals, &other, 1);
    assert_eq!(found, Err(Unreadable), "it may come back");

    journals.writer().disk.as_ref().expect("one").close();
    assert_eq!(reading(1), Err(Unreadable));
    assert_eq!(reading(4), Ok(newest.first().cloned()));
    assert_eq!(reading(7), Ok(None));
}

/// What redb meets in a file of which it can't make sense.
#[derive(Debug, Clone, Copy)]
enum Nonsense {
    Panic,
    Error,
}

/// A disk whose file, opened to be written, is nonsense so many times.
#[derive(Debug, Clone)]
struct Confusing {
    disk: Simulated,
    nonsense: Nonsense,
    times: Arc<AtomicU32>,
}

impl Medium for Confusing {
    fn open(&self) -> io::Result<Box<dyn Opened>> {
        let file = self.disk.open()?;
        let less = |times: u32| times.checked_sub(1);
        let again = self
            .times
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        Ok(match again {
            Ok(_) => Box::new(ConfusedFile(file, self.nonsense)),
            Err(_) => file,
        })
    }

    fn open_to_read(&self) -> io::Result<Box<dyn Opened>> {
        self.disk.open_to_read()
    }

    fn sync_entry(&self) -> io::Result<()> {
        self.disk.sync_entry()
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        Medium::set_aside(&self.disk)
    }

    fn path(&self) -> &Path {
        self.disk.path()
    }
}

struct ConfusedFile(Box<dyn Opened>, Nonsense);

impl Opened for ConfusedFile {
    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn forget(&self) {
        self.0.forget();
    }

    fn storage(self: Box<Self>) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(Confused(self.0.storage()?, self.1)))
    }
}

#[derive(Debug)]
struct Confused(Box<dyn StorageBackend>, Nonsense);

impl StorageBackend for Confused {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, _offset: u64, _out: &mut [u8]) -> io::Result<()> {
        match self.1 {
            Nonsense::Panic => panic!("nonsense"),
            Nonsense::Error => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn a_file_that_made_no_sense_once_and_can_be_read_is_not_set_aside() {
    for (nonsense, at_start) in [
        (Nonsense::Panic, true),
        (Nonsense::Error, true),
        (Nonsense::Panic, false),
        (Nonsense::Error, false),
    ] {
        let disk = Simulated::default();
        let mut now = Instant::now();
        let on_disk = open(&disk, now).append_at(reports(3, 0), now);
        let times = Arc::new(AtomicU32::new(u32::from(at_start)));
        let medium = Confusing {
            disk: disk.clone(),
            nonsense,
            times: Arc::clone(&times),
        };
        let journals =
            Journals::open_on(Arc::new(medium), &envoy(), MIB, now).expect("two journals");
        if !at_start {
            times.store(1, Ordering::Relaxed);
            disk.fail(0, Fault::Undone, 1);
        }
        journals.append_at(reports(3, 900), now);
        assert_eq!(disk.set_aside(), 0, "{nonsense:?} {at_start}");
        assert_eq!(times.load(Ordering::Relaxed), 0);
        let id = &on_disk[0].journal;
        assert_eq!(journals.spans().len(), 2);
        assert_eq!(journals.readings(id, 1..=9, 9), on_disk);

        now += Duration::from_mins(1);
        let again = journals.append_at(reports(1, 1800), now).remove(0);
        assert_eq!((&again.journal, again.seq), (id, 4));
    }
}
