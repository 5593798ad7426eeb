//! A past for the simulated Envoy: with an empty store the page would have no day to compare today with.

use jiff::Timestamp;
use simulator::SiteOptions;
use store::{MarkedStore as _, Sqlite};
use wire::{Inverter, Reading, ReportTime};

/// Days before today that are filled in.
const DAYS: u16 = 7;

/// Readings in one transaction.
const BATCH: usize = 5_000;

/// Puts what the site would have reported into a store that has nothing yet, on the way of every other
/// reading. The Envoy will show the same reports for today, and storing those again changes nothing.
pub(crate) async fn fill(store: &Sqlite, site: &SiteOptions) {
    if !matches!(store.count().await, Ok(0)) {
        return;
    }
    let past = site.past(Timestamp::now(), DAYS);
    let readings: Vec<Reading> = past
        .into_iter()
        .filter_map(|report| {
            let measured = Inverter {
                serial: report.inverter.parse().ok()?,
                reported_at: ReportTime::from_unix_seconds(report.reported_at).ok()?,
                device_type: Some(1),
                power_w: report.power_w,
                peak_power_w: report.peak_power_w,
                detail: None,
            };
            Some(Reading {
                envoy: site.serial.as_str().parse().ok()?,
                measured: measured.into(),
                // Of no journal that anybody has; a place in one is not kept in the store.
                journal: "simulated".parse().ok()?,
                seq: 1,
            })
        })
        .collect();
    let marks = store.marks().await.unwrap_or_default();
    for batch in readings.chunks(BATCH) {
        if let Err(error) = store.store(batch, &marks).await {
            tracing::warn!(error = %daemon::exit::with_causes(&error), "the simulated past is not stored");
            return;
        }
    }
}
