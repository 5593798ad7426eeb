//! What the journal needs of redb, and redb's documentation promises in part: should a new version
//! behave in another way, these tests say so.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition,
};
use rustix::process::{Signal, getpid, kill_process};

const TABLE: TableDefinition<u64, u64> = TableDefinition::new("numbers");

/// Names the file to a process that kills itself.
const VICTIM: &str = "REDB_VICTIM";

fn insert(database: &Database, number: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(TABLE)?.insert(number, number)?;
    transaction.commit()?;
    Ok(())
}

fn numbers(database: &Database) -> Vec<u64> {
    let transaction = database.begin_read().expect("a transaction");
    let table = transaction.open_table(TABLE).expect("the table");
    let rows = table.iter().expect("rows");
    rows.map(|row| row.expect("a row").0.value()).collect()
}

#[test]
fn a_kill_within_a_transaction_keeps_all_that_was_committed_before() {
    const NAME: &str = "a_kill_within_a_transaction_keeps_all_that_was_committed_before";
    if let Some(path) = std::env::var_os(VICTIM) {
        let database = Database::create(Path::new(&path)).expect("a database");
        let count = numbers_or_none(&database);
        for number in 1..=5 {
            insert(&database, count + number).expect("a commit");
        }
        let transaction = database.begin_write().expect("a transaction");
        let mut table = transaction.open_table(TABLE).expect("the table");
        for number in 1..5000 {
            table.insert(1_000_000 + number, number).expect("an entry");
        }
        kill_process(getpid(), Signal::KILL).expect("a kill");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.redb");
    for life in 1..=5 {
        let status = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", NAME])
            .env(VICTIM, &path)
            .stdout(Stdio::null())
            .status()
            .expect("this program runs again");
        assert_eq!(status.code(), None, "it is killed");
        let database = Database::create(&path).expect("the database");
        assert!(numbers(&database).into_iter().eq(1..=5 * life));
    }
}

fn numbers_or_none(database: &Database) -> u64 {
    let transaction = database.begin_read().expect("a transaction");
    let Ok(table) = transaction.open_table(TABLE) else {
        return 0;
    };
    let last = table.last().expect("rows");
    last.map_or(0, |(number, _)| number.value())
}

#[test]
fn a_second_opening_of_a_file_is_refused_until_the_first_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.redb");
    let first = Database::create(&path).expect("a database");
    let second = Database::create(&path);
    assert!(matches!(second, Err(DatabaseError::DatabaseAlreadyOpen)));
    let reader = Builder::new().open_read_only(&path);
    assert!(matches!(reader, Err(DatabaseError::DatabaseAlreadyOpen)));
    drop(first);
    Database::create(&path).expect("it is closed");
}

/// Memory that outlives its database, and whose syncs fail on demand.
#[derive(Debug, Clone, Default)]
struct Failing {
    memory: Arc<InMemoryBackend>,
    fails: Arc<AtomicBool>,
}

impl StorageBackend for Failing {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.memory.write(offset, data)
    }
}

#[test]
fn after_an_error_of_the_disk_a_database_has_to_be_opened_again() {
    let backend = Failing::default();
    let open = || {
        Builder::new()
            .create_with_backend(backend.clone())
            .expect("a database")
    };
    let database = open();
    insert(&database, 1).expect("a commit");
    backend.fails.store(true, Ordering::Relaxed);
    insert(&database, 2).expect_err("the disk fails");
    backend.fails.store(false, Ordering::Relaxed);
    insert(&database, 3).expect_err("the disk works, but redb does not try it");
    drop(database);
    let database = open();
    let found = numbers(&database);
    // The commit that failed may be there.
    assert!(found == [1] || found == [1, 2], "{found:?}");
    insert(&database, 4).expect("a commit");
}

#[test]
fn a_file_that_was_made_longer_is_opened_with_all_its_content() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.redb");
    let database = Database::create(&path).expect("a database");
    insert(&database, 1).expect("a commit");
    drop(database);
    let file = std::fs::OpenOptions::new().write(true).open(&path);
    let length = 300 * 4096;
    file.expect("the file").set_len(length).expect("a length");
    let database = Database::create(&path).expect("the database");
    assert_eq!(numbers(&database), [1]);
    insert(&database, 2).expect("a commit");
    assert!(std::fs::metadata(&path).expect("the file").len() <= length);
}
