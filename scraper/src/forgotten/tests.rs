#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use wire::{Battery, Inverter, InverterHealth, Measured};

use super::*;

const GONE: &str = "482012345678";
const DEVICE: &str = "homeassistant/device/122012345678/482012345678/config";
const READING: &str = "envoy/122012345678/inverters/482012345678";

fn serial(text: &str) -> Serial {
    text.parse().unwrap()
}

fn gone() -> Subject {
    Subject::Inverter(serial(GONE))
}

fn at(minute: i64) -> ReportTime {
    ReportTime::from_unix_seconds(1_700_000_000 + 60 * minute).unwrap()
}

fn reading(minute: i64) -> Reading {
    Reading {
        envoy: serial("122012345678"),
        measured: Measured::Inverter(Inverter {
            serial: serial(GONE),
            reported_at: at(minute),
            device_type: Some(1),
            power_w: 7,
            peak_power_w: 300,
            detail: None,
        }),
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1,
    }
}

fn inside(directory: &Path) -> Forgotten {
    let envoy = serial("122012345678");
    let base: BaseTopic = "envoy".parse().unwrap();
    let prefix = "homeassistant".parse().unwrap();
    let topics = Topics::new(base.clone(), envoy.clone(), prefix);
    Forgotten::new(File::inside(directory, &envoy), envoy, base, topics)
}

fn forget(directory: &Path, last: Option<ReportTime>) {
    let file = File::inside(directory, &serial("122012345678"));
    let mut since = file.read().unwrap();
    since.insert(gone(), last);
    file.write(&since).unwrap();
}

fn topics(forgotten: &mut Forgotten) -> Vec<String> {
    std::iter::from_fn(|| forgotten.next_message())
        .map(|message| {
            assert!(message.payload.is_empty() && message.retain);
            message.topic
        })
        .collect()
}

#[test]
fn one_that_is_forgotten_while_we_run_is_cleared_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut forgotten = inside(directory.path());
    assert_eq!(forgotten.look(), []);
    forget(directory.path(), Some(at(0)));
    assert_eq!(forgotten.look(), [gone()]);
    assert_eq!(topics(&mut forgotten), [DEVICE, READING]);
    assert_eq!(forgotten.look(), []);
    assert_eq!(topics(&mut forgotten), [""; 0]);
    assert_eq!(forgotten.subjects().count(), 1);
}

#[test]
fn one_that_was_forgotten_before_the_start_is_cleared_only_where_the_broker_has_it() {
    let directory = tempfile::tempdir().unwrap();
    forget(directory.path(), Some(at(0)));
    let mut forgotten = inside(directory.path());
    assert_eq!(forgotten.look(), [gone()]);
    assert_eq!(topics(&mut forgotten), [""; 0]);
    forgotten.heard("envoy/122012345678/inverters/482012345679", b"{}");
    forgotten.heard(READING, b"");
    assert_eq!(topics(&mut forgotten), [""; 0]);
    forgotten.heard(READING, b"{}");
    assert_eq!(topics(&mut forgotten), [DEVICE, READING]);
}

#[test]
fn a_report_with_another_time_ends_it_for_good() {
    let directory = tempfile::tempdir().unwrap();
    forget(directory.path(), Some(at(0)));
    let mut forgotten = inside(directory.path());
    forgotten.look();
    forgotten.heard(READING, b"{}");
    forgotten.reported(&[reading(0)]);
    assert_eq!(forgotten.subjects().count(), 1, "it was that one");
    forgotten.reported(&[reading(5)]);
    assert_eq!(forgotten.subjects().count(), 0);
    assert_eq!(
        topics(&mut forgotten),
        [""; 0],
        "what is due would clear the new one"
    );
    assert_eq!(forgotten.look(), []);
    assert_eq!(inside(directory.path()).look(), []);
}

#[test]
fn of_one_whose_last_report_is_not_known_any_new_report_ends_it() {
    let directory = tempfile::tempdir().unwrap();
    forget(directory.path(), None);
    let mut forgotten = inside(directory.path());
    assert_eq!(forgotten.look(), [gone()]);
    forgotten.reported(&[reading(0)]);
    assert_eq!(forgotten.subjects().count(), 0);
}

#[test]
fn health_has_no_forgotten_ones_and_does_not_count_them() {
    let directory = tempfile::tempdir().unwrap();
    forget(directory.path(), Some(at(0)));
    let mut forgotten = inside(directory.path());
    forgotten.look();
    let inverter = |state| InverterHealth {
        state,
        fresh: false,
        interval_s: None,
        missed_reports: 0,
        relative_output_pct: None,
        name: None,
        array: None,
    };
    let mut health = Health {
        envoy: serial("122012345678"),
        changed_at: None,
        reporting: 1,
        asleep: 0,
        silent: 1,
        total: 2,
        never_reported: 0,
        inverters: BTreeMap::from([
            (serial(GONE), inverter(InverterState::Silent)),
            (serial("482012345679"), inverter(InverterState::Reporting)),
        ]),
    };
    forgotten.leave_out_of(&mut health);
    assert_eq!((health.reporting, health.silent, health.total), (1, 0, 1));
    assert_eq!(health.inverters.len(), 1);
}

#[test]
fn a_file_that_is_damaged_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    forget(directory.path(), Some(at(0)));
    let mut forgotten = inside(directory.path());
    forgotten.look();
    std::fs::write(directory.path().join("forgotten-122012345678.json"), "{").unwrap();
    assert_eq!(forgotten.look(), []);
    assert_eq!(forgotten.subjects().count(), 1);
}

const BATTERY: &str = "122112345678";

fn forget_battery(directory: &Path) {
    let name = directory.join("forgotten-122012345678.json");
    let text = format!("{{\"batteries/{BATTERY}\":\"2023-11-14T22:13:20Z\"}}");
    std::fs::write(name, text).unwrap();
}

fn measured(minute: i64) -> Reading {
    Reading {
        measured: Measured::Battery(Battery {
            serial: serial(BATTERY),
            measured_at: at(minute),
            kind: "encharge".parse().unwrap(),
            state_of_charge_pct: None,
            power_w: None,
            energy_capacity_wh: None,
            temperature_c: None,
            state: None,
        }),
        ..reading(minute)
    }
}

#[test]
fn a_battery_is_cleared_with_its_device_until_it_is_measured_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut forgotten = inside(directory.path());
    forgotten.look();
    forget_battery(directory.path());
    let battery = Subject::Battery(serial(BATTERY));
    assert_eq!(forgotten.look(), std::slice::from_ref(&battery));
    let (device, reading) = (
        "homeassistant/device/122012345678/battery_122112345678/config",
        "envoy/122012345678/batteries/122112345678",
    );
    assert_eq!(topics(&mut forgotten), [device, reading]);
    // The gateway goes on giving the last value of one that has lost its link.
    forgotten.reported(&[measured(0)]);
    assert!(forgotten.has(&battery));
    forgotten.reported(&[measured(1)]);
    assert!(!forgotten.has(&battery));
    assert_eq!(inside(directory.path()).look(), []);
}

#[test]
fn an_inverter_with_a_batterys_serial_is_another_thing() {
    let directory = tempfile::tempdir().unwrap();
    forget_battery(directory.path());
    let mut forgotten = inside(directory.path());
    forgotten.look();
    assert!(!forgotten.has(&Subject::Inverter(serial(BATTERY))));
}

#[test]
fn nothing_is_said_of_the_topics_of_what_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    forget(directory.path(), None);
    let mut forgotten = inside(directory.path());
    forgotten.look();
    let mut gateway = GatewayState {
        envoy: serial("122012345678"),
        firmware: None,
        part_number: None,
        address: None,
        clock_skew_s: None,
        token_expires_at: None,
        scraper_version: "0.1.0".to_owned(),
        last_poll_at: None,
        reports_overwritten: 0,
        reachable: true,
        problem: None,
        stale: [
            "net",
            &format!("inverters/{GONE}"),
            "batteries/122112345679",
        ]
        .map(str::to_owned)
        .into(),
        not_of_today: [GONE, "482012345679"].map(serial).into(),
    };
    forgotten.leave_out_of_lists(&mut gateway);
    assert_eq!(gateway.stale, ["net", "batteries/122112345679"]);
    assert_eq!(gateway.not_of_today, [serial("482012345679")]);
}
