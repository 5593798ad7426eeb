//! What the parsers make of recorded gateways, compared with an independent reading.
//!
//! The recordings are found by the variable `RECORDINGS`: a folder per gateway, files named by
//! path with `/` as `_`.
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use serde_json::Value;

/// Fewer gateways than these are not what the tests were written for.
const GATEWAYS: usize = 9;

/// So many rows has the table of passwords.
const PASSWORDS: usize = 24;

/// The folder, or nothing where there is none and none is required.
fn recordings() -> Option<PathBuf> {
    if let Some(path) = env::var_os("RECORDINGS") {
        return Some(path.into());
    }
    assert!(
        !required(),
        "RECORDINGS is not set, and REQUIRE_SERVERS=1 forbids to skip"
    );
    // Not `eprintln!`, which the test runner would keep to itself for a test that passes.
    writeln!(std::io::stderr(), "skipped: RECORDINGS is not set").expect("standard error is open");
    None
}

/// Whether everything that was recorded must be there.
fn required() -> bool {
    env::var("REQUIRE_SERVERS").as_deref() == Ok("1")
}

fn gateways(recordings: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(recordings)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut gateways: Vec<_> = entries.filter(|path| path.join("info").is_file()).collect();
    gateways.sort();
    assert_enough("gateways are recorded", gateways.len(), GATEWAYS);
    gateways
}

fn assert_enough(what: &str, found: usize, expected: usize) {
    assert!(
        found >= expected || !required(),
        "only {found} {what}, {expected} are expected"
    );
}

#[test]
fn every_recorded_list_is_read_whole() {
    let Some(recordings) = recordings() else {
        return;
    };
    let mut lists = 0;
    for gateway in gateways(&recordings) {
        let name = gateway.display();
        let body = fs::read(gateway.join("api_v1_production_inverters")).unwrap();
        let Value::Array(expected) = serde_json::from_slice(&body).unwrap() else {
            envoy::inverters::parse(&body).expect_err("only lists are read");
            continue;
        };
        let inverters = envoy::inverters::parse(&body).unwrap();
        assert_eq!(inverters.refused, [], "{name}");
        assert_eq!(inverters.never_reported, 0, "{name}");
        assert_eq!(inverters.reports.len(), expected.len(), "{name}");
        for (report, expected) in inverters.reports.iter().zip(&expected) {
            assert_eq!(report.serial, expected["serialNumber"].as_str().unwrap());
            assert_eq!(
                report.reported_at,
                expected["lastReportDate"].as_i64().unwrap()
            );
            assert_eq!(
                report.device_type.map(u64::from),
                expected["devType"].as_u64()
            );
            assert_eq!(
                i64::from(report.power_w),
                expected["lastReportWatts"].as_i64().unwrap()
            );
            let peak = expected["maxReportWatts"].as_i64().unwrap();
            assert_eq!(i64::from(report.peak_power_w), peak);
        }
        lists += 1;
    }
    assert_enough("lists were read", lists, GATEWAYS);
}

#[test]
fn every_recorded_gateway_says_who_it_is() {
    let Some(recordings) = recordings() else {
        return;
    };
    for gateway in gateways(&recordings) {
        let name = gateway.display();
        let body = fs::read_to_string(gateway.join("info")).unwrap();
        let between = |tag: &str| {
            let (_, rest) = body.split_once(&format!("<{tag}>")).unwrap();
            rest.split_once('<').unwrap().0
        };
        let info = envoy::info::parse(body.as_bytes()).unwrap();
        assert_eq!(info.serial, between("sn"), "{name}");
        assert_eq!(info.firmware.to_string(), between("software"), "{name}");
        assert_eq!(info.part_number.unwrap(), between("pn"), "{name}");
        assert_eq!(info.time.unwrap().to_string(), between("time"), "{name}");
        assert_eq!(info.web_tokens, info.firmware.is_at_least(&[7]), "{name}");
    }
}

#[test]
fn every_known_installer_password_is_computed() {
    let Some(recordings) = recordings() else {
        return;
    };
    let table = fs::read_to_string(recordings.join("installer-passwords.csv")).unwrap();
    let mut rows = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<_> = row.split(',').collect();
        let (serial, user, password) = (columns[0], columns[1], columns[6]);
        let computed = envoy::installer_password(serial, user);
        assert_eq!(computed.expose_secret(), password, "{serial} {user}");
        rows += 1;
    }
    assert_enough("rows were checked", rows, PASSWORDS);
}
