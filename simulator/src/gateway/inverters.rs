//! `/api/v1/production/inverters`, as gateways write it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::ShownReport;
use crate::serial::Serial;

/// Where the list is, by the name of its recording.
pub(super) const NAME: &str = "api_v1_production_inverters";

/// One entry of the list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) serial_number: String,
    /// Unix seconds; 0 for one that has never reported.
    pub(super) last_report_date: i64,
    /// Left out below 4.10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dev_type: Option<u32>,
    pub(super) last_report_watts: i32,
    pub(super) max_report_watts: i32,
}

/// The reports in a list: a date of 0 is none.
pub(super) fn shown(entries: &[Entry], envoy: &Serial) -> Arc<[ShownReport]> {
    let reported = entries.iter().filter(|entry| entry.last_report_date > 0);
    reported
        .filter_map(|entry| {
            Some(ShownReport {
                envoy: envoy.to_string(),
                inverter: entry.serial_number.clone(),
                reported_at: Timestamp::from_second(entry.last_report_date).ok()?,
                device_type: entry.dev_type,
                power_w: entry.last_report_watts,
                peak_power_w: entry.max_report_watts,
            })
        })
        .collect()
}
