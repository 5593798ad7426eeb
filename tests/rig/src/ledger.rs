//! The simulator's ledger: every report it has shown in a complete answer. The truth that tests
//! compare against.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// A report as the Envoy showed it. Ordered by Envoy, inverter and time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    /// The Envoy's serial.
    pub envoy: String,
    /// The inverter's serial.
    pub inverter: String,
    /// When it was reported, in seconds since 1970.
    pub reported_at: i64,
    /// The number of the kind of device; old firmware has none.
    pub device_type: Option<u32>,
    /// Average power, in W.
    pub power_w: i32,
    /// Highest power ever, in W.
    pub peak_power_w: i32,
}

impl Report {
    /// What a published payload says, read by hand, so that a mistake in our own decoder can't hide.
    ///
    /// # Panics
    /// When it is no reading.
    #[must_use]
    pub fn published(payload: &str) -> Self {
        let payload: Value = serde_json::from_str(payload).expect("JSON");
        let text = |key: &str| payload[key].as_str().expect("a text").to_owned();
        let power = |key: &str| {
            let watts = payload[key].as_i64().expect("a power");
            i32::try_from(watts).expect("a power")
        };
        let time: jiff::Timestamp = text("reported_at").parse().expect("a time");
        Self {
            envoy: text("envoy"),
            inverter: text("serial"),
            reported_at: time.as_second(),
            device_type: payload["device_type"]
                .as_u64()
                .map(|kind| u32::try_from(kind).expect("a kind of device")),
            power_w: power("power_w"),
            peak_power_w: power("peak_power_w"),
        }
    }
}

/// A report, and when the simulator wrote it down, by our clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The report.
    pub report: Report,
    /// When a client had all of it.
    pub at: jiff::Timestamp,
}

#[derive(Deserialize)]
struct Line {
    shown_at: jiff::Timestamp,
    envoy: String,
    inverter: String,
    reported_at: jiff::Timestamp,
    device_type: Option<u32>,
    power_w: i32,
    peak_power_w: i32,
}

/// The reports in their order: by Envoy, inverter and time.
#[must_use]
pub fn sorted(mut reports: Vec<Report>) -> Vec<Report> {
    reports.sort();
    reports
}

/// Reads a ledger; one that was not begun yet is empty.
///
/// # Panics
/// When a line is no report. A last line that is still being written is left out.
#[must_use]
pub fn read(path: &Path) -> Vec<Report> {
    let shown = Tail::of(path).more();
    shown.into_iter().map(|shown| shown.report).collect()
}

/// A ledger that is read while it grows.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    read: u64,
}

impl Tail {
    /// From its beginning.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            read: 0,
        }
    }

    /// What was added since this was asked last.
    ///
    /// # Panics
    /// As [`read`].
    pub fn more(&mut self) -> Vec<Shown> {
        let mut text = String::new();
        let Ok(mut file) = File::open(&self.path) else {
            return Vec::new();
        };
        file.seek(SeekFrom::Start(self.read))
            .and_then(|_| file.read_to_string(&mut text))
            .expect("a ledger can be read");
        let complete = text.rfind('\n').map_or(0, |end| end + 1);
        self.read += u64::try_from(complete).expect("a length");
        text[..complete].lines().map(shown).collect()
    }
}

fn shown(line: &str) -> Shown {
    let line: Line = serde_json::from_str(line)
        .unwrap_or_else(|error| panic!("the ledger's line {line:?}: {error}"));
    let report = Report {
        envoy: line.envoy,
        inverter: line.inverter,
        reported_at: line.reported_at.as_second(),
        device_type: line.device_type,
        power_w: line.power_w,
        peak_power_w: line.peak_power_w,
    };
    Shown {
        report,
        at: line.shown_at,
    }
}
