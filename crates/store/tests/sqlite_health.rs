//! How the inverters do, in the file and out of it.
#![allow(clippy::unwrap_used)]

use std::slice::from_ref;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;
use store::{HealthError, MarkedStore, Marks, Sqlite};
use tempfile::TempDir;
use wire::{Health, Inverter, InverterHealth, InverterState, Reading, ReportTime, SET_BACK_S};

const NOON: i64 = 1_795_435_200;

fn database() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    (directory, path)
}

fn known(state: InverterState) -> InverterHealth {
    InverterHealth {
        state,
        fresh: state != InverterState::Silent,
        interval_s: Some(300),
        missed_reports: 14,
        relative_output_pct: Some(41),
        name: Some("Garage \"links\", ü".to_owned()),
        array: Some("Garage".to_owned()),
    }
}

fn unknown() -> InverterHealth {
    InverterHealth {
        state: InverterState::Asleep,
        fresh: true,
        interval_s: None,
        missed_reports: u64::MAX >> 1,
        relative_output_pct: None,
        name: None,
        array: None,
    }
}

fn health(changed_at: i64, inverters: &[(&str, InverterHealth)]) -> Health {
    let named = |(serial, one): &(&str, InverterHealth)| (serial.parse().unwrap(), one.clone());
    Health {
        envoy: "122012345678".parse().unwrap(),
        changed_at: Some(ReportTime::from_unix_seconds(changed_at).unwrap()),
        reporting: 0,
        asleep: 0,
        silent: 0,
        total: 0,
        never_reported: 0,
        inverters: inverters.iter().map(named).collect(),
    }
}

/// What is kept of each inverter, as anybody reads it in the file: its serial, when that was said, and what.
fn kept(path: &Path) -> Vec<(String, i64, InverterHealth)> {
    let file = Connection::open(path).unwrap();
    let mut statement = file
        .prepare(
            "SELECT serial, changed_at, state, fresh, interval_s, missed_reports, relative_output_pct, name, array
             FROM inverter_health WHERE envoy = '122012345678' ORDER BY serial",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        let state: String = row.get(2)?;
        let one = InverterHealth {
            state: serde_json::from_value(json!(state)).unwrap(),
            fresh: row.get(3)?,
            interval_s: row.get(4)?,
            missed_reports: row.get::<_, i64>(5)?.unsigned_abs(),
            relative_output_pct: row.get(6)?,
            name: row.get(7)?,
            array: row.get(8)?,
        };
        Ok((row.get(0)?, row.get(1)?, one))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Serial, second and state of each inverter.
fn states(path: &Path) -> Vec<(String, i64, InverterState)> {
    let kept = kept(path).into_iter();
    kept.map(|(serial, at, one)| (serial, at, one.state))
        .collect()
}

#[tokio::test]
async fn what_was_said_of_each_inverter_outlives_the_process() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(kept(&path), []);
    let said = health(
        NOON,
        &[("b", unknown()), ("a", known(InverterState::Silent))],
    );
    store.keep_healths(from_ref(&said)).await.unwrap();
    drop(store);
    let expected = |serial: &str, one| (serial.to_owned(), NOON, one);
    assert_eq!(
        kept(&path),
        [
            expected("a", known(InverterState::Silent)),
            expected("b", unknown())
        ]
    );
}

#[tokio::test]
async fn each_inverter_has_one_row_however_often_something_is_said_of_it() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    for minute in 0..100 {
        let state = if minute % 2 == 0 {
            InverterState::Silent
        } else {
            InverterState::Reporting
        };
        let said = health(NOON + minute * 60, &[("a", known(state))]);
        store.keep_healths(from_ref(&said)).await.unwrap();
    }
    let last = ("a".to_owned(), NOON + 99 * 60, InverterState::Reporting);
    assert_eq!(states(&path), [last]);
}

#[tokio::test]
async fn a_list_that_is_short_takes_nothing_away() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let two = [("a", known(InverterState::Silent)), ("b", unknown())];
    store.keep_healths(&[health(NOON, &two)]).await.unwrap();
    let short = health(NOON + 60, &[("b", known(InverterState::Reporting))]);
    store.keep_healths(from_ref(&short)).await.unwrap();
    store
        .keep_healths(&[health(NOON + 120, &[])])
        .await
        .unwrap();
    let expected = [
        ("a".to_owned(), NOON, InverterState::Silent),
        ("b".to_owned(), NOON + 60, InverterState::Reporting),
    ];
    assert_eq!(states(&path), expected);
}

#[tokio::test]
async fn an_older_state_does_not_take_the_place_of_a_newer_one() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let newer = health(NOON, &[("a", known(InverterState::Silent))]);
    store.keep_healths(from_ref(&newer)).await.unwrap();
    let older = health(NOON - 300, &[("a", known(InverterState::Reporting))]);
    store.keep_healths(from_ref(&older)).await.unwrap();
    let silent = ("a".to_owned(), NOON, InverterState::Silent);
    assert_eq!(states(&path), [silent]);
    // By more than a day it is the clock that was set back.
    let set_back = NOON - SET_BACK_S - 1;
    let newest = health(set_back, &[("a", known(InverterState::Reporting))]);
    store.keep_healths(from_ref(&newest)).await.unwrap();
    let reporting = ("a".to_owned(), set_back, InverterState::Reporting);
    assert_eq!(states(&path), [reporting]);
}

#[tokio::test]
async fn what_nobody_has_dated_is_not_stored() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let mut undated = health(NOON, &[("a", known(InverterState::Silent))]);
    undated.changed_at = None;
    store.keep_healths(from_ref(&undated)).await.unwrap();
    assert_eq!(states(&path), []);
}

#[tokio::test]
async fn a_file_that_can_not_be_written_says_so_and_keeps_what_it_had() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let two = [("a", unknown()), ("b", unknown())];
    store.keep_healths(&[health(NOON, &two)]).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE UPDATE ON inverter_health WHEN new.serial = 'b'
             BEGIN SELECT raise(ABORT, 'refused'); END",
        )
        .unwrap();
    let silent = || known(InverterState::Silent);
    let newer = health(NOON + 60, &[("a", silent()), ("b", silent())]);
    let error = store.keep_healths(from_ref(&newer)).await.unwrap_err();
    assert!(matches!(error, HealthError::Store(_)), "{error:?}");
    let asleep = |serial: &str| (serial.to_owned(), NOON, InverterState::Asleep);
    assert_eq!(states(&path), [asleep("a"), asleep("b")]);
}

/// Leaves of a file what that version had.
fn take_back_to_version_5(path: &Path) {
    let file = Connection::open(path).unwrap();
    let mut names = file
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN
                 ('inverter_reading', 'mark', 'journal_first', 'site_reading', 'production_reading',
                  'consumption_reading', 'net_reading', 'meter_reading', 'battery_reading',
                  'inverter_hour', 'site_hour')",
        )
        .unwrap();
    let newer: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(newer.contains(&"inverter_health".to_owned()), "{newer:?}");
    for name in newer {
        file.execute_batch(&format!("DROP TABLE {name}")).unwrap();
    }
    file.execute_batch("PRAGMA user_version = 5").unwrap();
}

#[tokio::test]
async fn a_file_of_the_version_before_keeps_its_readings_and_takes_health() {
    let (_directory, path) = database();
    let store = Sqlite::open(&path).unwrap();
    let reading = Reading {
        envoy: "122012345678".parse().unwrap(),
        measured: Inverter {
            serial: "a".parse().unwrap(),
            reported_at: ReportTime::from_unix_seconds(NOON).unwrap(),
            device_type: Some(1),
            power_w: 212,
            peak_power_w: 296,
            detail: None,
        }
        .into(),
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1,
    };
    let mut marks = Marks::default();
    marks.add(&reading);
    let _ = store.store(&[reading], &marks).await.unwrap();
    drop(store);
    take_back_to_version_5(&path);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.latest().await.unwrap().len(), 1);
    assert_eq!(store.first_hour().await.unwrap(), Some(NOON));
    assert_eq!(store.marks().await.unwrap(), marks);
    let said = health(NOON, &[("a", known(InverterState::Silent))]);
    store.keep_healths(from_ref(&said)).await.unwrap();
    let silent = ("a".to_owned(), NOON, InverterState::Silent);
    assert_eq!(states(&path), [silent]);
}
