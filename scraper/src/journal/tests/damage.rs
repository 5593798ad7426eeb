//! Files that are no journal, or no longer one, and places where there can be none.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use redb::Database;

use super::*;

/// A directory with a journal.
pub(super) struct Place {
    pub(super) directory: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self { directory }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join("journal-122000000001.redb")
    }

    pub(super) fn aside(&self) -> PathBuf {
        let name = "journal-122000000001.corrupt-1.redb";
        self.directory.path().join(name)
    }

    pub(super) fn open(&self) -> Journals {
        Journals::open(self.directory.path(), &envoy(), MIB).expect("a journal")
    }

    /// A journal with readings, closed; and its readings.
    pub(super) fn fill(&self) -> Vec<Reading> {
        let journals = self.open();
        for poll in 0..10 {
            journals.append(reports(50, poll * 900));
        }
        journals.readings(&journals.id(), 1..=u64::MAX, usize::MAX)
    }

    /// A new journal on disk was begun, and the old file is kept.
    fn is_begun_anew(&self) {
        let journals = self.open();
        assert_eq!(journals.spans().len(), 1);
        assert_eq!(journals.append(reports(1, 0))[0].seq, 1);
        drop(journals);
        assert_eq!(self.open().spans()[0].last(), 1);
        assert!(self.aside().exists());
    }
}

#[test]
fn a_file_of_another_program_is_set_aside() {
    let place = Place::new();
    let content = b"SQLite format 3\0 and so on";
    fs::write(place.file(), content).expect("a file");
    place.is_begun_anew();
    assert_eq!(fs::read(place.aside()).expect("the old file"), content);
}

#[test]
fn a_database_of_another_program_is_set_aside() {
    let place = Place::new();
    let database = Database::create(place.file()).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    let table = redb::TableDefinition::<u64, u64>::new("meta");
    drop(transaction.open_table(table).expect("a table"));
    transaction.commit().expect("a commit");
    drop(database);
    place.is_begun_anew();
    Database::create(place.aside()).expect("it still is a database");
}

#[test]
fn the_journal_of_another_envoy_is_set_aside() {
    let place = Place::new();
    let other = serial("122000000002");
    drop(Journals::open(place.directory.path(), &other, MIB).expect("a journal"));
    let path = place.directory.path().join("journal-122000000002.redb");
    fs::rename(path, place.file()).expect("another name");
    place.is_begun_anew();
    Database::create(place.aside()).expect("it still is a database");
}

#[test]
fn an_empty_file_and_one_whose_making_was_interrupted_are_new_journals() {
    let place = Place::new();
    let mut unfinished = vec![0; 73_728];
    unfinished[9..300].fill(7);
    for content in [Vec::new(), unfinished] {
        fs::write(place.file(), content).expect("a file");
        assert_eq!(place.open().append(reports(1, 0))[0].seq, 1);
        assert!(!place.aside().exists());
    }
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let place = Place::new();
    place.fill();
    let database = Database::create(place.file()).expect("the database");
    let transaction = database.begin_write().expect("a transaction");
    format::set_meta(&transaction, &[(format::FORMAT, "2")]).expect("a version");
    transaction.commit().expect("a commit");
    drop(database);
    let error = Journals::open(place.directory.path(), &envoy(), MIB).expect_err("it is newer");
    assert!(
        matches!(
            error,
            OpenError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
    let database = Database::create(place.file()).expect("the database is still one");
    drop(database);
    assert!(!place.aside().exists());
}

/// Where redb has the version of its file format: in each of its two commit slots.
const FILE_VERSIONS: [usize; 2] = [64, 192];

#[test]
fn a_file_of_a_newer_redb_is_left_alone() {
    let place = Place::new();
    place.fill();
    let mut content = fs::read(place.file()).expect("the file");
    let versions = FILE_VERSIONS.map(|at| content[at]);
    assert_eq!(
        versions,
        [opening::KNOWN_FILE; 2],
        "this redb writes another version: journals of it are refused by the programs before"
    );
    for at in FILE_VERSIONS {
        content[at] += 1;
    }
    fs::write(place.file(), &content).expect("the file");
    let error = Journals::open(place.directory.path(), &envoy(), MIB).expect_err("it is newer");
    assert!(
        matches!(
            error,
            OpenError::NewerFile {
                found: 4,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("run the version that wrote it"));
    assert!(fs::read(place.file()).expect("the file") == content);
    assert!(!place.aside().exists());
}

#[test]
fn a_file_whose_version_of_redb_is_damaged_is_set_aside() {
    for (first, second) in [(4, 3), (3, 4), (4, 5), (255, 255), (0, 0), (2, 2)] {
        let place = Place::new();
        place.fill();
        let mut content = fs::read(place.file()).expect("the file");
        for (at, version) in FILE_VERSIONS.into_iter().zip([first, second]) {
            content[at] = version;
        }
        fs::write(place.file(), &content).expect("the file");
        place.is_begun_anew();
        assert!(fs::read(place.aside()).expect("the old file") == content);
    }
}

#[test]
fn without_a_usable_directory_readings_are_kept_in_memory() {
    let parent = tempfile::tempdir().expect("a directory");
    let file = parent.path().join("file");
    fs::write(&file, "").expect("a file");
    let occupied = parent.path().join("occupied");
    fs::create_dir_all(occupied.join("journal-122000000001.redb")).expect("a directory");
    for directory in [file.join("below"), occupied, PathBuf::from("/proc/journal")] {
        let journals = Journals::open(&directory, &envoy(), MIB).expect("a journal in memory");
        let appended = journals.append(reports(2, 0));
        assert_eq!(journals.spans().len(), 1);
        assert_eq!(journals.readings(&journals.id(), 1..=2, 2), appended);
    }
}

#[test]
fn the_disk_is_used_once_its_directory_can_be_made() {
    let parent = tempfile::tempdir().expect("a directory");
    let file = parent.path().join("file");
    fs::write(&file, "").expect("a file");
    let now = Instant::now();
    let medium = Arc::new(InDirectory::new(&file, &envoy()));
    let journals = Journals::open_on(medium, &envoy(), MIB, now).expect("a journal in memory");
    let in_memory = journals.append_at(reports(2, 0), now);
    fs::remove_file(&file).expect("no file");
    let on_disk = journals.append_at(reports(2, 900), now + Duration::from_mins(1));
    assert_ne!(in_memory[0].journal, on_disk[0].journal);
    assert_eq!(on_disk[0].seq, 1);
    assert_eq!(journals.id(), on_disk[0].journal);
    assert_eq!(journals.spans().len(), 2);
    drop(journals);
    let journals = Journals::open(&file, &envoy(), MIB).expect("a journal");
    assert_eq!(journals.readings(&journals.id(), 1..=9, 9), on_disk);
}

/// Something that befalls a file.
#[derive(Debug, Clone)]
enum Damage {
    /// It ends after a share of its length, in thousandths.
    Cut(usize),
    /// A page, by its place in thousandths, is zeros.
    Zeros(usize),
    /// Random bytes from a place on, in thousandths.
    Noise(usize, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let noise = prop::collection::vec(any::<u8>(), 1..5000);
    prop_oneof![
        (0..1000_usize).prop_map(Damage::Cut),
        (0..1000_usize).prop_map(Damage::Zeros),
        (0..1000_usize, noise).prop_map(|(at, bytes)| Damage::Noise(at, bytes)),
        // The first page, on which all depends.
        (0..400_usize, any::<u8>()).prop_map(|(at, byte)| Damage::Noise(at + 10_000, vec![byte])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_damaged_file_is_whole_or_set_aside(damage in damage(), was_killed in any::<bool>()) {
        let place = Place::new();
        let held = place.fill();
        if was_killed {
            // As the file is while it is open.
            let journals = place.open();
            journals.append(Vec::<Report>::new());
            let open = fs::read(place.file()).expect("the file");
            drop(journals);
            fs::write(place.file(), open).expect("the same file");
        }
        let mut content = fs::read(place.file()).expect("the file");
        let at = |place: usize| content.len() * place / 1000;
        match damage {
            Damage::Cut(place) => content.truncate(at(place)),
            Damage::Zeros(place) => {
                let start = at(place) / 4096 * 4096;
                let end = content.len().min(start + 4096);
                content[start..end].fill(0);
            }
            Damage::Noise(place, bytes) => {
                let start = if place >= 10_000 { place - 10_000 } else { at(place) };
                for (byte, noise) in content[start..].iter_mut().zip(bytes) {
                    *byte = noise;
                }
            }
        }
        fs::write(place.file(), &content).expect("the file");
        match Journals::open(place.directory.path(), &envoy(), MIB) {
            Ok(journals) => {
                let readings = journals.readings(&held[0].journal, 1..=u64::MAX, usize::MAX);
                if journals.id() == held[0].journal {
                    prop_assert!(readings == held);
                } else {
                    prop_assert!(readings.is_empty());
                    prop_assert!(place.aside().exists() || content.is_empty());
                }
                prop_assert_eq!(journals.append(reports(1, 0)).len(), 1);
                prop_assert_eq!(journals.spans().len(), 1, "it is on disk");
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
