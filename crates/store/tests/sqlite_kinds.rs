//! Readings of every kind, in the file and out of it.
#![allow(clippy::unwrap_used)]

use rusqlite::Connection;
use store::{MarkedStore, Marks, Sqlite};
use wire::{
    Basis, Battery, Detail, Flow, Inverter, Kind, Measured, Meter, Net, Quantity, Reading,
    ReportTime, Site,
};

fn quantity(value: f64) -> Quantity {
    Quantity::new(value).unwrap()
}

fn time(seconds: i64) -> ReportTime {
    ReportTime::from_unix_seconds(seconds).unwrap()
}

fn inverter(detail: Option<Detail>) -> Inverter {
    Inverter {
        serial: "482012345678".parse().unwrap(),
        reported_at: time(1_795_425_300),
        device_type: Some(1),
        power_w: 212,
        peak_power_w: 296,
        detail,
    }
}

fn site(seconds: i64, power_w: f64) -> Measured {
    Measured::Site(Site {
        measured_at: time(seconds),
        basis: Basis::Inverters,
        power_w: quantity(power_w),
        energy_today_wh: None,
        energy_lifetime_wh: Some(quantity(1_234_567.125)),
        inverters_reporting: 11,
        inverters_total: 12,
    })
}

/// One of each kind.
fn each() -> Vec<Measured> {
    let measured_at = time(1_795_425_307);
    let flow = Flow {
        measured_at,
        power_w: quantity(431.5),
        energy_today_wh: Some(quantity(0.001)),
        energy_lifetime_wh: None,
    };
    vec![
        Measured::Inverter(inverter(Some(Detail {
            interval_s: Some(quantity(300.0)),
            energy_wh: Some(quantity(17.667)),
            ..Detail::default()
        }))),
        site(1_795_425_300, 2544.0),
        Measured::Production(flow.clone()),
        Measured::Consumption(flow),
        Measured::Net(Net {
            measured_at,
            power_w: quantity(-2112.5),
            energy_imported_wh: Some(quantity(7.0)),
            energy_exported_wh: None,
        }),
        Measured::Meter(Meter {
            eid: "704643328".parse().unwrap(),
            measured_at,
            kind: "net-consumption".parse().unwrap(),
            phase: None,
            power_w: quantity(-1.5),
            reactive_power_var: Some(quantity(2.0)),
            apparent_power_va: None,
            voltage_v: Some(quantity(230.1)),
            current_a: None,
            frequency_hz: Some(quantity(50.0)),
            power_factor: Some(quantity(-0.5)),
            energy_delivered_wh: Some(quantity(1.0)),
            energy_received_wh: None,
        }),
        Measured::Battery(Battery {
            serial: "122".parse().unwrap(),
            measured_at,
            kind: "acb".parse().unwrap(),
            state_of_charge_pct: Some(quantity(87.0)),
            power_w: Some(quantity(-260.0)),
            energy_capacity_wh: None,
            temperature_c: None,
            state: Some("charging".parse().unwrap()),
        }),
    ]
}

async fn write(store: &Sqlite, measured: Vec<Measured>) {
    let numbered = (1..).zip(measured).map(|(seq, measured)| Reading {
        envoy: "122012345678".parse().unwrap(),
        measured,
        journal: "k3x9m2pq".parse().unwrap(),
        seq,
    });
    let readings: Vec<Reading> = numbered.collect();
    let marked = store.store(&readings, &Marks::default()).await.unwrap();
    assert!(marked.saved.is_ok());
}

async fn read(store: &Sqlite, kind: Kind) -> Vec<Measured> {
    let envoy = "122012345678".parse().unwrap();
    let times = ReportTime::MIN..=ReportTime::MAX;
    let rows = store.measured(kind, Some(&envoy), times).await.unwrap();
    rows.into_iter().map(|(_, measured)| measured).collect()
}

#[tokio::test]
async fn every_kind_comes_back_as_it_was_written_however_often() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(directory.path().join("readings.db")).unwrap();
    for _ in 0..2 {
        write(&store, each()).await;
    }
    for measured in each() {
        assert_eq!(read(&store, measured.kind()).await, [measured]);
    }
}

#[tokio::test]
async fn what_comes_again_and_knows_less_takes_nothing_away() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(directory.path().join("readings.db")).unwrap();
    let detail = Detail {
        energy_wh: Some(quantity(17.667)),
        ..Detail::default()
    };
    let known = Measured::Inverter(inverter(Some(detail)));
    write(&store, vec![known.clone()]).await;
    write(&store, vec![Measured::Inverter(inverter(None))]).await;
    assert_eq!(read(&store, Kind::Inverter).await, [known]);
}

#[tokio::test]
async fn a_site_is_asked_for_by_time_and_sorted_by_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(directory.path().join("readings.db")).unwrap();
    let late_and_early = vec![site(300, 3.0), site(100, 1.0), site(200, 2.0)];
    write(&store, late_and_early).await;
    let rows = store.measured(Kind::Site, None, time(100)..=time(200));
    let found: Vec<_> = rows.await.unwrap().into_iter().map(|row| row.1).collect();
    assert_eq!(found, [site(100, 1.0), site(200, 2.0)]);
}

#[tokio::test]
async fn a_file_of_the_version_before_keeps_its_readings_and_takes_every_kind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "CREATE TABLE inverter_reading (
             envoy TEXT NOT NULL, serial TEXT NOT NULL, reported_at INTEGER NOT NULL,
             device_type INTEGER, power_w INTEGER NOT NULL, peak_power_w INTEGER NOT NULL,
             PRIMARY KEY (envoy, serial, reported_at)
         ) STRICT, WITHOUT ROWID;
         CREATE TABLE mark (
             envoy TEXT NOT NULL, journal TEXT NOT NULL, first INTEGER NOT NULL,
             last INTEGER NOT NULL
         ) STRICT;
         CREATE INDEX mark_envoy ON mark (envoy);
         CREATE TABLE journal_first (
             envoy TEXT NOT NULL, journal TEXT NOT NULL, first INTEGER NOT NULL
         ) STRICT;
         INSERT INTO inverter_reading
             VALUES ('122012345678', '482012345678', 1795425300, 1, 212, 296);
         INSERT INTO mark VALUES ('122012345678', 'k3x9m2pq', 1, 1841);
         PRAGMA application_id = 1164867193; PRAGMA user_version = 2;",
    )
    .unwrap();
    drop(old);
    let store = Sqlite::open(&path).unwrap();
    let before = [Measured::Inverter(inverter(None))];
    assert_eq!(read(&store, Kind::Inverter).await, before);
    let marks = store.marks().await.unwrap();
    let (envoy, journal) = ("122012345678".parse().unwrap(), "k3x9m2pq".parse().unwrap());
    assert!(marks.contains(&envoy, &journal, 1841));
    write(&store, each()).await;
    for measured in each() {
        assert_eq!(read(&store, measured.kind()).await, [measured]);
    }
}
