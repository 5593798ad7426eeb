//! What the journal keeps of a reading: JSON, without what the whole journal has in common.
//!
//! The `kind` says what else is in it, so that meters and batteries can be added to files that
//! exist.

use serde::{Deserialize, Serialize};
use wire::{JournalId, Reading, ReportTime, Serial};

use crate::changes::Report;

/// One entry of a journal. Envoy, journal and number come from where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Record {
    /// A report of an inverter; the units are those of [`Report`].
    Inverter {
        serial: Serial,
        reported_at: ReportTime,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_type: Option<u32>,
        power_w: i32,
        peak_power_w: i32,
    },
}

impl Record {
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self)
            .expect("text and whole numbers under text keys can always be written as JSON")
    }

    /// The record in `bytes`; none when it is of a kind that this version does not know, or
    /// damaged in a way that no checksum saw.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn serial(&self) -> &Serial {
        let Self::Inverter { serial, .. } = self;
        serial
    }

    pub(super) fn reported_at(&self) -> ReportTime {
        let Self::Inverter { reported_at, .. } = self;
        *reported_at
    }

    pub(super) fn into_reading(self, envoy: &Serial, journal: &JournalId, seq: u64) -> Reading {
        let Self::Inverter {
            serial,
            reported_at,
            device_type,
            power_w,
            peak_power_w,
        } = self;
        Reading {
            serial,
            envoy: envoy.clone(),
            reported_at,
            device_type,
            power_w,
            peak_power_w,
            journal: journal.clone(),
            seq,
        }
    }
}

impl From<Report> for Record {
    fn from(report: Report) -> Self {
        Self::Inverter {
            serial: report.serial,
            reported_at: report.reported_at,
            device_type: report.device_type,
            power_w: report.power_w,
            peak_power_w: report.peak_power_w,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_as_files_that_exist_have_it() {
        let text = r#"{"kind":"inverter","serial":"122","reported_at":"2026-11-23T09:15:00Z","device_type":1,"power_w":-2,"peak_power_w":290}"#;
        let record = Record::decode(text.as_bytes()).expect("a record");
        assert_eq!(String::from_utf8(record.encode()).expect("text"), text);
    }

    #[test]
    fn a_record_of_a_kind_to_come_is_passed_over() {
        assert_eq!(Record::decode(br#"{"kind":"meter","w":1}"#), None);
        assert_eq!(Record::decode(b"\0\0\0"), None);
    }
}
