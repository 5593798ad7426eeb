//! What is measured beside inverters: what was last, powers over a time, and what was counted in it.
#![allow(clippy::unwrap_used)]

use store::{Counter, MarkedStore, Marks, Sqlite};
use wire::{Battery, Flow, Kind, Measured, Net, Quantity, Reading, ReportTime};

/// A UTC midnight, 2026-11-18.
const MIDNIGHT: i64 = 1_794_960_000;
const HOUR: i64 = 3_600;

fn quantity(value: f64) -> Quantity {
    Quantity::new(value).unwrap()
}

fn reading(envoy: &str, measured: Measured) -> Reading {
    Reading {
        envoy: envoy.parse().unwrap(),
        measured,
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1,
    }
}

fn used(envoy: &str, at: i64, power_w: f64, lifetime_wh: Option<f64>) -> Reading {
    let flow = Flow {
        measured_at: ReportTime::from_unix_seconds(at).unwrap(),
        power_w: quantity(power_w),
        energy_today_wh: None,
        energy_lifetime_wh: lifetime_wh.map(quantity),
    };
    reading(envoy, Measured::Consumption(flow))
}

fn exchanged(at: i64, imported_wh: Option<f64>, exported_wh: Option<f64>) -> Reading {
    let net = Net {
        measured_at: ReportTime::from_unix_seconds(at).unwrap(),
        power_w: quantity(-100.0),
        energy_imported_wh: imported_wh.map(quantity),
        energy_exported_wh: exported_wh.map(quantity),
    };
    reading("1", Measured::Net(net))
}

fn battery(serial: &str, at: i64, power_w: Option<f64>) -> Reading {
    let battery = Battery {
        serial: serial.parse().unwrap(),
        measured_at: ReportTime::from_unix_seconds(at).unwrap(),
        kind: "encharge".parse().unwrap(),
        state_of_charge_pct: Some(quantity(64.0)),
        power_w: power_w.map(quantity),
        energy_capacity_wh: None,
        temperature_c: None,
        state: None,
    };
    reading("1", Measured::Battery(battery))
}

async fn filled(readings: &[Reading]) -> (tempfile::TempDir, Sqlite) {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(directory.path().join("readings.db")).unwrap();
    let _ = store.store(readings, &Marks::default()).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn the_newest_reading_of_each_envoy_and_each_battery_is_found() {
    let (_directory, store) = filled(&[
        used("1", MIDNIGHT, 1.0, None),
        used("1", MIDNIGHT + 60, 2.0, None),
        used("2", MIDNIGHT - 60, 3.0, None),
        battery("a", MIDNIGHT, Some(1.0)),
        battery("b", MIDNIGHT + 60, Some(-2.0)),
        battery("b", MIDNIGHT, Some(5.0)),
    ])
    .await;
    let newest = async |kind| {
        let newest = store.newest(kind).await.unwrap();
        let shown = |(envoy, measured): (wire::Serial, Measured)| {
            let at = measured.at().unix_seconds() - MIDNIGHT;
            format!("{envoy} {} {at}", measured.subject())
        };
        newest.into_iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        newest(Kind::Consumption).await,
        ["1 consumption 60", "2 consumption -60"]
    );
    assert_eq!(
        newest(Kind::Battery).await,
        ["1 batteries/a 0", "1 batteries/b 60"]
    );
    assert!(newest(Kind::Net).await.is_empty());
}

#[tokio::test]
async fn the_powers_of_all_batteries_add_up_span_by_span() {
    let (_directory, store) = filled(&[
        battery("a", MIDNIGHT, Some(100.0)),
        battery("a", MIDNIGHT + 300, Some(300.0)),
        battery("a", MIDNIGHT + 600, Some(300.0)),
        battery("b", MIDNIGHT, Some(-50.0)),
        battery("b", MIDNIGHT + 300, None),
        battery("b", MIDNIGHT + 600, Some(-50.0)),
    ])
    .await;
    let edges = vec![MIDNIGHT, MIDNIGHT + 600, MIDNIGHT + 1_200];
    let powers = store.powers(Kind::Battery, edges.clone()).await.unwrap();
    assert_eq!(powers, [Some(150.0), None]);
    assert_eq!(
        store.powers(Kind::Net, edges).await.unwrap(),
        [None, None],
        "where nothing is measured nothing is known"
    );
}

#[tokio::test]
async fn what_was_counted_is_the_difference_of_a_counter_which_rises_evenly_between_readings() {
    let (_directory, store) = filled(&[
        used("1", MIDNIGHT - HOUR, 1.0, Some(1_000.0)),
        used("1", MIDNIGHT + HOUR, 1.0, Some(1_200.0)),
        // Unknown for a moment.
        used("1", MIDNIGHT + 2 * HOUR, 1.0, None),
        used("1", MIDNIGHT + 3 * HOUR, 1.0, Some(1_600.0)),
        used("2", MIDNIGHT + HOUR, 1.0, Some(7.0)),
        used("2", MIDNIGHT + 2 * HOUR, 1.0, Some(10.0)),
    ])
    .await;
    let day = 24 * HOUR;
    let edges = vec![
        MIDNIGHT - 2 * day,
        MIDNIGHT - day,
        MIDNIGHT,
        MIDNIGHT + day,
        MIDNIGHT + 2 * day,
    ];
    let counted = store.counted(Counter::Consumed, edges).await.unwrap();
    // Before the first reading and after the last one nothing is known.
    assert_eq!(counted, [None, Some(100.0), Some(503.0), None]);
}

#[tokio::test]
async fn a_counter_that_was_set_back_counts_from_there() {
    let (_directory, store) = filled(&[
        exchanged(MIDNIGHT, Some(5_000.0), None),
        exchanged(MIDNIGHT + HOUR, Some(5_100.0), None),
        exchanged(MIDNIGHT + 2 * HOUR, Some(3.0), None),
        exchanged(MIDNIGHT + 4 * HOUR, Some(53.0), None),
    ])
    .await;
    let edges = vec![MIDNIGHT, MIDNIGHT + 3 * HOUR, MIDNIGHT + 24 * HOUR];
    let imported = store.counted(Counter::Imported, edges.clone()).await;
    let imported = imported.unwrap();
    assert_eq!(imported[1], Some(25.0));
    let set_back = imported[0].unwrap();
    assert!((100.0..=125.0).contains(&set_back), "{set_back}");
    // No counter of that direction.
    let exported = store.counted(Counter::Exported, edges).await.unwrap();
    assert_eq!(exported, [None, None]);
}
