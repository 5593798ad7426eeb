//! What is written out of a file for other programs.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use store::{Export, MarkedStore, Marks, OpenError, Sqlite};
use tempfile::TempDir;
use wire::{Detail, Inverter, Kind, Quantity, Reading, ReportTime};

fn reading(seconds: i64, detail: Option<Detail>) -> Reading {
    Reading {
        envoy: "122012345678".parse().unwrap(),
        measured: Inverter {
            serial: "482012345678".parse().unwrap(),
            reported_at: ReportTime::from_unix_seconds(seconds).unwrap(),
            device_type: None,
            power_w: -1,
            peak_power_w: 296,
            detail,
        }
        .into(),
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1,
    }
}

async fn file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    let store = Sqlite::open(&path).unwrap();
    let detail = Detail {
        energy_wh: Some(Quantity::new(17.667).unwrap()),
        ..Detail::default()
    };
    let readings = [
        reading(1_795_425_300, Some(detail)),
        reading(1_795_425_600, None),
    ];
    let _ = store.store(&readings, &Marks::default()).await.unwrap();
    (directory, path)
}

fn csv(path: &Path, kind: Kind, from: i64, until: i64) -> String {
    let time = |seconds| ReportTime::from_unix_seconds(seconds).unwrap();
    let mut out = Vec::new();
    let export = Export::open(path).unwrap();
    export
        .csv(kind, time(from)..=time(until), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn csv_has_a_column_for_each_value_and_nothing_for_what_is_unknown() {
    let (_directory, path) = file().await;
    let text = csv(&path, Kind::Inverter, 1, 2_000_000_000);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "envoy,serial,reported_at,device_type,power_w,peak_power_w,interval_s,energy_wh,\
             energy_lifetime_wh,energy_today_wh,ac_voltage_v,ac_current_a,ac_frequency_hz,\
             dc_voltage_v,dc_current_a,temperature_c",
            "122012345678,482012345678,2026-11-23T09:15:00Z,,-1,296,,17.667,,,,,,,,",
            "122012345678,482012345678,2026-11-23T09:20:00Z,,-1,296,,,,,,,,,,",
        ]
    );
}

#[tokio::test]
async fn only_the_times_that_were_asked_for_are_written() {
    let (_directory, path) = file().await;
    assert_eq!(
        csv(&path, Kind::Inverter, 1_795_425_301, 2_000_000_000)
            .lines()
            .count(),
        2
    );
    assert_eq!(
        csv(&path, Kind::Inverter, 1, 1_795_425_299).lines().count(),
        1
    );
    assert_eq!(
        csv(&path, Kind::Battery, 1, 2_000_000_000).lines().count(),
        1
    );
}

#[tokio::test]
async fn line_protocol_is_what_the_receiver_writes() {
    let (_directory, path) = file().await;
    let mut out = Vec::new();
    let export = Export::open(&path).unwrap();
    let times = ReportTime::MIN..=ReportTime::MAX;
    export
        .line_protocol(Kind::Inverter, times, &mut out)
        .unwrap();
    let expected = "inverterPower,envoySerial=122012345678,serial=482012345678 \
                    power=-1i,maxPower=296i,energyWh=17.667 1795425300\n\
                    inverterPower,envoySerial=122012345678,serial=482012345678 \
                    power=-1i,maxPower=296i 1795425600\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[tokio::test]
async fn a_file_that_is_written_to_can_be_read_at_the_same_time() {
    let (_directory, path) = file().await;
    let store = Sqlite::open(&path).unwrap();
    let export = Export::open(&path).unwrap();
    let more = [reading(1_795_425_900, None)];
    let _ = store.store(&more, &Marks::default()).await.unwrap();
    let mut out = Vec::new();
    let times = ReportTime::MIN..=ReportTime::MAX;
    export.csv(Kind::Inverter, times, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 4);
}

#[tokio::test]
async fn a_file_of_another_version_or_program_or_none_is_refused() {
    let (directory, path) = file().await;
    let alter = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    alter("PRAGMA user_version = 4");
    assert!(matches!(
        Export::open(&path),
        Err(OpenError::Older { found: 4, .. })
    ));
    alter("PRAGMA user_version = 99");
    assert!(matches!(
        Export::open(&path),
        Err(OpenError::Newer { found: 99, .. })
    ));
    alter("PRAGMA application_id = 1");
    assert!(matches!(
        Export::open(&path),
        Err(OpenError::Foreign { .. })
    ));
    let nowhere = directory.path().join("nowhere.db");
    assert!(matches!(
        Export::open(&nowhere),
        Err(OpenError::Unusable { .. })
    ));
    assert!(!nowhere.exists(), "none is made");
}
