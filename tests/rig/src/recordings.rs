//! Recorded gateways, one folder each, in the directory that `RECORDINGS` names.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ledger::Report;

/// Fewer than these are not what the tests were written for.
const EXPECTED: usize = 9;

/// One recorded gateway.
#[derive(Debug, Clone)]
pub struct Recording {
    directory: PathBuf,
}

/// All recorded gateways, by name; none, once that was said, when `RECORDINGS` is not set.
///
/// # Panics
/// With `REQUIRE_SERVERS=1`, when there are fewer than nine.
#[must_use]
pub fn all() -> Vec<Recording> {
    let mut found: Vec<Recording> = std::env::var_os("RECORDINGS")
        .map(PathBuf::from)
        .and_then(|directory| std::fs::read_dir(directory).ok())
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.join("info").is_file())
        .map(|directory| Recording { directory })
        .collect();
    found.sort_by(|a, b| a.directory.cmp(&b.directory));
    let required = std::env::var("REQUIRE_SERVERS").as_deref() == Ok("1");
    assert!(
        !required || found.len() >= EXPECTED,
        "RECORDINGS has {} recorded gateways, {EXPECTED} are expected",
        found.len()
    );
    if found.is_empty() {
        // Not `eprintln!`, which the test runner would keep to itself for a test that passes.
        writeln!(
            std::io::stderr(),
            "skipped: RECORDINGS names no recorded gateways"
        )
        .expect("standard error is open");
    }
    found
}

impl Recording {
    /// The folder.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The folder's name.
    ///
    /// # Panics
    /// When it is not Unicode.
    #[must_use]
    pub fn name(&self) -> &str {
        self.directory
            .file_name()
            .and_then(|name| name.to_str())
            .expect("recordings have Unicode names")
    }

    /// Whether the gateway answered when it was asked for its inverters.
    #[must_use]
    pub fn lists_inverters(&self) -> bool {
        self.inverters().is_array()
    }

    /// The serial in the recorded `/info`, read without an XML parser.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn serial(&self) -> String {
        let info = std::fs::read_to_string(self.directory.join("info")).expect("a recorded /info");
        let (_, rest) = info.split_once("<sn>").expect("a serial");
        let (serial, _) = rest.split_once("</sn>").expect("the serial's end");
        serial.to_owned()
    }

    /// The reports in the recorded list, in order of the inverters' serials.
    ///
    /// # Panics
    /// When the list is not what gateways send.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        let envoy = self.serial();
        let inverters = self.inverters();
        let rows = inverters.as_array().expect("a list of inverters");
        let number = |row: &Value, key: &str| {
            row[key]
                .as_i64()
                .unwrap_or_else(|| panic!("{key} in {row}"))
        };
        let power = |row: &Value, key: &str| i32::try_from(number(row, key)).expect("a power");
        let mut reports: Vec<Report> = rows
            .iter()
            .map(|row| Report {
                envoy: envoy.clone(),
                inverter: row["serialNumber"].as_str().expect("a serial").to_owned(),
                reported_at: number(row, "lastReportDate"),
                device_type: row["devType"]
                    .as_u64()
                    .map(|kind| u32::try_from(kind).expect("a kind of device")),
                power_w: power(row, "lastReportWatts"),
                peak_power_w: power(row, "maxReportWatts"),
            })
            .filter(|report| report.reported_at != 0)
            .collect();
        reports.sort();
        reports
    }

    fn inverters(&self) -> Value {
        let path = self.directory.join("api_v1_production_inverters");
        let text = std::fs::read_to_string(path).expect("a recorded list of inverters");
        serde_json::from_str(&text).unwrap_or_default()
    }
}
