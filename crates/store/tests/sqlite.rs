//! What a household trusts its readings to.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use rusqlite::Connection;
use store::{MarkedStore, Marks, OpenError, Sqlite, StoredReading, WriteError, Written};
use tempfile::TempDir;
use wire::{Reading, ReportTime};

fn reading(envoy: &str, serial: &str, seconds: i64, power_w: i32) -> Reading {
    Reading {
        envoy: envoy.parse().unwrap(),
        measured: wire::Inverter {
            serial: serial.parse().unwrap(),
            reported_at: ReportTime::from_unix_seconds(seconds).unwrap(),
            device_type: Some(1),
            power_w,
            peak_power_w: 296,
            detail: None,
        }
        .into(),
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1,
    }
}

fn stored(reading: &Reading) -> StoredReading {
    let inverter = reading.measured.inverter().unwrap();
    StoredReading {
        envoy: reading.envoy.clone(),
        serial: inverter.serial.clone(),
        reported_at: inverter.reported_at,
        device_type: inverter.device_type,
        power_w: inverter.power_w,
        peak_power_w: inverter.peak_power_w,
    }
}

fn of_type(device_type: Option<u32>, reading: &Reading) -> Reading {
    let inverter = reading.measured.inverter().unwrap();
    Reading {
        measured: wire::Inverter {
            device_type,
            ..inverter.clone()
        }
        .into(),
        ..reading.clone()
    }
}

/// Writes without a mark.
async fn write(store: &Sqlite, readings: &[Reading]) -> Result<Written, WriteError> {
    let marked = store.store(readings, &Marks::default()).await?;
    assert!(marked.saved.is_ok());
    Ok(marked.written)
}

/// The marks of these numbers of the journal that the readings are in.
fn marks(envoy: &str, numbers: std::ops::RangeInclusive<u64>) -> Marks {
    let mut marks = Marks::default();
    let journal = "k3x9m2pq".parse().unwrap();
    marks.settle(&envoy.parse().unwrap(), &journal, numbers);
    marks
}

async fn all(store: &Sqlite) -> Vec<StoredReading> {
    let times = ReportTime::MIN..=ReportTime::MAX;
    store.readings(None, times).await.unwrap()
}

fn database() -> (TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    (directory, path)
}

#[tokio::test]
async fn an_inverter_that_two_envoys_list_at_the_same_time_is_two_readings() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let readings = [reading("1", "a", 1, 212), reading("2", "a", 1, 213)];
    let _ = write(&store, &readings).await.unwrap();
    assert_eq!(all(&store).await, readings.map(|one| stored(&one)));
}

#[tokio::test]
async fn readings_outlive_the_process_that_wrote_them() {
    let (_directory, path) = database();
    let readings = [
        reading("1", "a", 1_795_425_300, 212),
        of_type(
            None,
            &reading("1", "a", ReportTime::MAX.unix_seconds(), i32::MIN),
        ),
        of_type(Some(u32::MAX), &reading("2", "b", 1, i32::MAX)),
    ];
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(write(&store, &readings).await.unwrap(), Written::default());
    drop(store);
    let again = Sqlite::open(&path).unwrap();
    assert_eq!(all(&again).await, readings.each_ref().map(stored));
    assert_eq!(again.count().await.unwrap(), 3);
}

#[tokio::test]
async fn what_was_answered_is_in_the_file_while_the_writer_still_runs() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let _ = write(&store, &[reading("1", "a", 1, 5)]).await.unwrap();
    let other = Connection::open(&path).unwrap();
    let count: i64 = other
        .query_row("SELECT count(*) FROM inverter_reading", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(count, 1);
    let mode: String = other
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn storing_twice_is_harmless() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let readings = [reading("1", "a", 10, 5), reading("1", "a", 20, 6)];
    for _ in 0..2 {
        let _ = write(&store, &readings).await.unwrap();
    }
    let late_and_less = of_type(None, &readings[0]);
    let _ = write(&store, &[late_and_less]).await.unwrap();
    assert_eq!(all(&store).await, readings.each_ref().map(stored));
}

#[tokio::test]
async fn a_batch_of_thousands_and_an_empty_one() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let readings: Vec<_> = (1..=5_000)
        .map(|second| reading("1", "a", second, 1))
        .collect();
    let _ = write(&store, &readings).await.unwrap();
    let _ = write(&store, &[]).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 5_000);
}

#[tokio::test]
async fn readings_are_asked_for_by_envoy_and_time() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let readings = [
        reading("1", "a", 10, 1),
        reading("1", "a", 20, 2),
        reading("2", "a", 20, 3),
    ];
    let _ = write(&store, &readings).await.unwrap();
    let time = |seconds| ReportTime::from_unix_seconds(seconds).unwrap();
    let envoy = "1".parse().unwrap();
    let found = store.readings(Some(&envoy), time(11)..=time(20)).await;
    assert_eq!(found.unwrap(), [stored(&readings[1])]);
    let found = store.readings(None, time(20)..=time(20)).await;
    assert_eq!(found.unwrap(), [stored(&readings[1]), stored(&readings[2])]);
}

#[tokio::test]
async fn the_newest_of_each_inverter() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.latest().await.unwrap(), []);
    let readings = [
        reading("1", "b", 20, 1),
        reading("1", "a", 30, 2),
        reading("1", "a", 10, 3),
        reading("2", "a", 5, 4),
        reading("1", "b", 10, 5),
    ];
    let _ = write(&store, &readings).await.unwrap();
    let newest = [1, 0, 3].map(|index: usize| stored(&readings[index]));
    assert_eq!(store.latest().await.unwrap(), newest);
}

fn alter(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let (_directory, path) = database();
    drop(Sqlite::open(&path).unwrap());
    alter(&path, "PRAGMA user_version = 99");
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, .. }));
    assert!(error.to_string().contains("version 99"), "{error}");
    alter(&path, "PRAGMA user_version = 7");
    assert!(Sqlite::open(&path).is_ok());
}

#[test]
fn the_marks_of_an_envoy_are_found_by_an_index() {
    let (_directory, path) = database();
    drop(Sqlite::open(&path).unwrap());
    let file = Connection::open(&path).unwrap();
    for table in ["mark", "journal_first"] {
        let plan = format!("EXPLAIN QUERY PLAN DELETE FROM {table} WHERE envoy = 'e'");
        let plan: String = file.query_row(&plan, [], |row| row.get(3)).unwrap();
        assert!(plan.contains("USING INDEX"), "{plan}");
    }
}

#[test]
fn the_database_of_another_program_is_refused() {
    let (_directory, path) = database();
    alter(&path, "CREATE TABLE theirs (x)");
    assert!(matches!(
        Sqlite::open(&path),
        Err(OpenError::Foreign { .. })
    ));
    alter(&path, "PRAGMA user_version = 4");
    assert!(matches!(
        Sqlite::open(&path),
        Err(OpenError::Foreign { .. })
    ));
}

#[test]
fn what_is_no_database_is_refused() {
    let (directory, path) = database();
    std::fs::write(&path, "A diary, not a database.".repeat(100)).unwrap();
    assert!(matches!(
        Sqlite::open(&path),
        Err(OpenError::Unusable { .. })
    ));
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("A diary")
    );
    let nowhere = directory.path().join("no/such/directory/readings.db");
    assert!(matches!(
        Sqlite::open(&nowhere),
        Err(OpenError::Unusable { .. })
    ));
}

#[tokio::test]
async fn a_failed_write_stores_nothing_and_can_be_repeated() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let readings = [reading("1", "a", 10, 5), reading("1", "b", 10, 6)];
    alter(
        &path,
        "CREATE TRIGGER refuse BEFORE INSERT ON inverter_reading WHEN new.serial = 'b'
         BEGIN SELECT raise(ABORT, 'refused'); END",
    );
    let error = write(&store, &readings).await.unwrap_err();
    assert!(matches!(error, WriteError::Unavailable { .. }), "{error:?}");
    assert_eq!(store.count().await.unwrap(), 0);
    alter(&path, "DROP TRIGGER refuse");
    let _ = write(&store, &readings).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 2);
}

#[tokio::test]
async fn marks_are_saved_with_the_readings_and_come_back() {
    let (_folder, path) = database();
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.marks().await.unwrap(), Marks::default());
    let readings = [reading("1", "a", 1, 5)];
    let _ = store.store(&readings, &marks("1", 1..=1)).await.unwrap();
    let _ = store.store(&readings, &marks("1", 1..=9)).await.unwrap();
    drop(store);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.marks().await.unwrap(), marks("1", 1..=9));
    store.save(&Marks::default()).await.unwrap();
    assert_eq!(store.marks().await.unwrap(), Marks::default());
    assert_eq!(all(&store).await.len(), 1, "the readings stay");
}

#[tokio::test]
async fn the_marks_of_other_envoys_stay_as_they_are() {
    let (_folder, path) = database();
    let store = Sqlite::open(&path).unwrap();
    store.save(&marks("1", 1..=5)).await.unwrap();
    let readings = [reading("2", "a", 1, 5)];
    let _ = store.store(&readings, &marks("2", 7..=7)).await.unwrap();
    let kept = store.marks().await.unwrap();
    let journal = "k3x9m2pq".parse().unwrap();
    assert!(kept.contains(&"1".parse().unwrap(), &journal, 5));
    assert!(kept.contains(&"2".parse().unwrap(), &journal, 7));
}

#[tokio::test]
async fn readings_that_could_not_be_stored_are_not_marked_either() {
    let (_folder, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let breaking = Connection::open(&path).unwrap();
    breaking
        .execute_batch("ALTER TABLE inverter_reading RENAME TO away")
        .unwrap();
    let readings = [reading("1", "a", 1, 5)];
    let refused = store.store(&readings, &marks("1", 1..=1)).await;
    assert!(refused.is_err());
    assert_eq!(store.marks().await.unwrap(), Marks::default());
}

#[tokio::test]
async fn the_readings_of_some_inverters_are_found_without_those_of_others() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let readings = [
        reading("1", "a", 10, 5),
        reading("1", "a", 20, 6),
        reading("1", "b", 15, 7),
        reading("2", "a", 15, 8),
    ];
    let _ = write(&store, &readings).await.unwrap();
    let times = ReportTime::from_unix_seconds(11).unwrap()..=ReportTime::MAX;
    let inverters = ["2", "1"].map(|envoy| (envoy.parse().unwrap(), "a".parse().unwrap()));
    let found = store.readings_of(inverters.to_vec(), times).await.unwrap();
    assert_eq!(found, [stored(&readings[3]), stored(&readings[1])]);
}
