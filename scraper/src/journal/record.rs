//! What the journal keeps of a reading: JSON, without what the whole journal has in common.
//!
//! The `kind` says what else is in it, so that further kinds can be added to files that exist. A
//! version that does not know a kind passes its records over.

use serde::{Deserialize, Serialize};
use wire::{Battery, Flow, Inverter, Measured, Meter, Net, ReportTime, Serial, Site, Subject};

/// One entry of a journal. Envoy, journal and number come from where it stands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Record {
    /// A report of an inverter. It was the first kind, and is written as it was then.
    Inverter(InverterRecord),
    Site {
        of: Site,
    },
    Production {
        of: Flow,
    },
    Consumption {
        of: Flow,
    },
    Net {
        of: Net,
    },
    Meter {
        of: Meter,
    },
    Battery {
        of: Battery,
    },
}

/// Beside what is always there, a report has what the gateway says beyond it, as a group: most
/// have none, and take no more room than they need.
#[derive(Debug, Serialize, Deserialize)]
struct InverterRecord {
    serial: Serial,
    reported_at: ReportTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_type: Option<u32>,
    power_w: i32,
    peak_power_w: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<wire::Detail>,
}

/// The record of `measured`, as it is in the file.
pub(super) fn encode(measured: &Measured) -> Vec<u8> {
    let record = match measured.clone() {
        Measured::Inverter(one) => Record::Inverter(InverterRecord {
            serial: one.serial,
            reported_at: one.reported_at,
            device_type: one.device_type,
            power_w: one.power_w,
            peak_power_w: one.peak_power_w,
            detail: one.detail,
        }),
        Measured::Site(of) => Record::Site { of },
        Measured::Production(of) => Record::Production { of },
        Measured::Consumption(of) => Record::Consumption { of },
        Measured::Net(of) => Record::Net { of },
        Measured::Meter(of) => Record::Meter { of },
        Measured::Battery(of) => Record::Battery { of },
    };
    serde_json::to_vec(&record)
        .expect("text and finite numbers under text keys can always be written as JSON")
}

/// What the record in `bytes` is of; none when it is of a kind that this version does not know, or
/// damaged in a way that no checksum saw.
pub(super) fn decode(bytes: &[u8]) -> Option<Measured> {
    let record = serde_json::from_slice(bytes).ok()?;
    Some(match record {
        Record::Inverter(one) => Measured::Inverter(Inverter {
            serial: one.serial,
            reported_at: one.reported_at,
            device_type: one.device_type,
            power_w: one.power_w,
            peak_power_w: one.peak_power_w,
            detail: one.detail,
        }),
        Record::Site { of } => Measured::Site(of),
        Record::Production { of } => Measured::Production(of),
        Record::Consumption { of } => Measured::Consumption(of),
        Record::Net { of } => Measured::Net(of),
        Record::Meter { of } => Measured::Meter(of),
        Record::Battery { of } => Measured::Battery(of),
    })
}

/// What tables beside the records know a subject by: of an inverter the bare serial, as files that
/// exist have it; of others a slash, which no serial has, and the rest of their topic.
pub(super) fn key(subject: &Subject) -> String {
    match subject {
        Subject::Inverter(serial) => serial.to_string(),
        other => format!("/{other}"),
    }
}

/// The subject that has this [`key`].
pub(super) fn subject(key: &str) -> Option<Subject> {
    match key.strip_prefix('/') {
        Some(path) => Subject::from_path(path),
        None => key.parse().ok().map(Subject::Inverter),
    }
}

#[cfg(test)]
mod tests;
