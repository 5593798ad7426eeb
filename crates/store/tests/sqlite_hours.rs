//! The sums of hours: always what the readings say, however these came.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;
use store::{Hour, MarkedStore, Marks, OpenError, Sqlite};
use wire::{Reading, ReportTime};

/// Two o'clock in the morning of a UTC day, 2026-11-18.
const TWO: i64 = 1_794_967_200;

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

async fn write(store: &Sqlite, readings: &[Reading]) {
    let _ = store.store(readings, &Marks::default()).await.unwrap();
}

async fn hours_of(store: &Sqlite, inverters: Option<&[(&str, &str)]>) -> Vec<Hour> {
    let named = |(envoy, serial): &(&str, &str)| (envoy.parse().unwrap(), serial.parse().unwrap());
    let inverters = inverters.map(|inverters| inverters.iter().map(named).collect());
    let mut hours = store.hours(inverters, 0, i64::MAX).await.unwrap();
    hours.sort_by_key(|hour| hour.begins);
    hours
}

/// The tables of sums, row by row.
fn tables(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut rows = Vec::new();
    for table in ["inverter_hour", "site_hour"] {
        let query = format!("SELECT * FROM {table} ORDER BY envoy, hour, 3");
        let mut statement = connection.prepare(&query).unwrap();
        let columns = statement.column_count();
        let row = statement.query_map([], |row| {
            (0..columns)
                .map(|column| Ok(format!("{:?}", row.get_ref(column)?)))
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.extend(
            row.unwrap()
                .map(|row| format!("{table} {:?}", row.unwrap())),
        );
    }
    rows
}

/// Makes a file what it would be in the version that had no sums yet.
fn aged(path: &Path) -> Connection {
    let file = Connection::open(path).unwrap();
    file.execute_batch(
        "DROP TABLE inverter_hour; DROP TABLE site_hour; DROP TABLE inverter_health; PRAGMA user_version = 4",
    )
    .unwrap();
    file
}

#[tokio::test]
async fn each_inverter_and_the_site_have_the_sums_of_their_hours() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(directory.path().join("readings.db")).unwrap();
    let readings = [
        reading("1", "a", TWO, 0),
        reading("1", "a", TWO + 300, 120),
        reading("1", "b", TWO + 10, 0),
        reading("1", "b", TWO + 310, 60),
        reading("1", "a", TWO + 3_600, 0),
    ];
    write(&store, &readings).await;
    let a = hours_of(&store, Some(&[("1", "a")])).await;
    assert_eq!(a.len(), 2);
    assert_eq!(a[0].energy_ws, 300 * 120);
    assert_eq!(
        (a[0].highest_w, a[0].reports, a[0].missed),
        (Some(120), 2, 0)
    );
    let site = hours_of(&store, None).await;
    assert_eq!(site[0].begins, TWO);
    assert_eq!(site[0].energy_ws, 300 * 180);
    assert_eq!((site[0].highest_w, site[0].reports), (None, 4));
    assert_eq!(store.first_hour().await.unwrap(), Some(TWO));
}

#[tokio::test]
async fn a_report_that_turns_out_to_be_an_ac_batterys_leaves_no_sum() {
    let of_type = |serial, seconds, device_type| {
        let mut reading = reading("1", serial, seconds, 1_000);
        let wire::Measured::Inverter(inverter) = &mut reading.measured else {
            unreachable!("it is an inverter's");
        };
        inverter.device_type = device_type;
        reading
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    let store = Sqlite::open(&path).unwrap();
    let times = [TWO, TWO + 3_600];
    write(&store, &times.map(|at| of_type("battery", at, None))).await;
    write(&store, &[of_type("roof", TWO, Some(1))]).await;
    assert_eq!(hours_of(&store, None).await.len(), 2);
    write(&store, &times.map(|at| of_type("battery", at, Some(11)))).await;
    assert_eq!(hours_of(&store, Some(&[("1", "battery")])).await, []);
    let site = hours_of(&store, None).await;
    assert_eq!((site.len(), site[0].reports), (1, 1));
    let other = directory.path().join("other.db");
    write(
        &Sqlite::open(&other).unwrap(),
        &[of_type("roof", TWO, Some(1))],
    )
    .await;
    assert_eq!(tables(&path), tables(&other));
}

#[tokio::test]
async fn a_store_without_readings_has_no_hours() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(directory.path().join("readings.db")).unwrap();
    assert_eq!(store.first_hour().await.unwrap(), None);
    assert_eq!(hours_of(&store, None).await, []);
}

#[tokio::test]
async fn a_file_of_the_version_before_gets_the_sums_that_it_would_have() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    let store = Sqlite::open(&path).unwrap();
    let readings: Vec<_> = (0..400)
        .map(|i| reading("1", "a", TWO + i * 300, 7 * i32::try_from(i).unwrap()))
        .chain([
            reading("1", "b", TWO, 3),
            reading("2", "a", TWO + 40_000_000, 5),
        ])
        .collect();
    write(&store, &readings).await;
    drop(store);
    let expected = tables(&path);
    drop(aged(&path));
    drop(Sqlite::open(&path).unwrap());
    assert_eq!(tables(&path), expected);
}

#[tokio::test]
async fn bringing_a_file_up_to_date_can_be_stopped_and_leaves_it_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    let store = Sqlite::open(&path).unwrap();
    let days: Vec<_> = (0..9)
        .map(|day| reading("1", "a", TWO + day * 86_400, 7))
        .collect();
    write(&store, &days).await;
    drop(store);
    let expected = tables(&path);
    let old = aged(&path);
    let mut asked = 0;
    let stopped = Sqlite::open_unless_stopped(&path, || {
        asked += 1;
        if asked == 5 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(stopped, Err(OpenError::Stopped)));
    let version: i64 = old
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!((asked, version), (5, 4));
    drop(Sqlite::open(&path).unwrap());
    assert_eq!(tables(&path), expected);
}

#[tokio::test]
async fn a_write_that_failed_leaves_the_sums_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    let store = Sqlite::open(&path).unwrap();
    write(&store, &[reading("1", "a", TWO, 100)]).await;
    let before = tables(&path);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON site_hour
             BEGIN SELECT raise(ABORT, 'refused'); END",
        )
        .unwrap();
    let more = [reading("1", "a", TWO + 300, 100)];
    assert!(store.store(&more, &Marks::default()).await.is_err());
    assert_eq!(tables(&path), before);
    assert_eq!(store.count().await.unwrap(), 1);
}

/// Readings of two days and a bit around a UTC midnight, some of them several times.
fn some_readings() -> impl Strategy<Value = Vec<(i64, i32, bool)>> {
    prop::collection::vec((0..600_i64, -5..300_i32, any::<bool>()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn late_repeated_and_shuffled_readings_leave_the_same_sums(
        readings in some_readings(),
        size in 1..9_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        // The last one of those with the same time counts: in both orders the same one comes last.
        let mut distinct: std::collections::BTreeMap<_, _> = std::collections::BTreeMap::new();
        for (slot, power, second) in &readings {
            distinct.insert((*second, *slot), *power);
        }
        let one = |((second, slot), power): (&(bool, i64), &i32)| {
            reading("1", if *second { "b" } else { "a" }, TWO + slot * 290, *power)
        };
        let sorted: Vec<Reading> = distinct.iter().map(one).collect();
        let shuffled: Vec<Reading> = readings
            .iter()
            .map(|(slot, _, second)| one((&(*second, *slot), &distinct[&(*second, *slot)])))
            .collect();
        let (at_once, bit_by_bit) = (directory.path().join("1.db"), directory.path().join("2.db"));
        runtime.block_on(async {
            write(&Sqlite::open(&at_once).unwrap(), &sorted).await;
            let store = Sqlite::open(&bit_by_bit).unwrap();
            for batch in shuffled.chunks(size) {
                write(&store, batch).await;
            }
        });
        prop_assert_eq!(tables(&at_once), tables(&bit_by_bit));
    }
}
