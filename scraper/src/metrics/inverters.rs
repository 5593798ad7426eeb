//! Each inverter's power and state, where that is switched on: a series each, so bounded in number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use wire::{Reading, Serial};

/// Inverters that are shown. The largest gateways have some 600; one that was replaced stays until it is
/// forgotten.
const MOST: usize = 1000;

/// An inverter whose last report is older than this, in seconds, does not report: some do each five
/// minutes, and none less often than each hour.
const REPORTING: i64 = 3600;

type OfEach = Family<[(&'static str, String); 2], Gauge>;

/// What the plain topics show, as gauges.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inverters {
    power: OfEach,
    last_report: OfEach,
    reporting: OfEach,
    /// The time of each inverter's newest report.
    newest: Arc<Mutex<HashMap<Serial, i64>>>,
}

impl Inverters {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let inverters = Self::default();
        let registry = registry.sub_registry_with_prefix("envoy_inverter");
        registry.register_with_unit(
            "power",
            "What the inverter produced on average in its last report interval",
            Unit::Other("watts".to_owned()),
            inverters.power.clone(),
        );
        registry.register_with_unit(
            "last_report_timestamp",
            "When the inverter last reported, by the Envoy's clock, as Unix time",
            Unit::Seconds,
            inverters.last_report.clone(),
        );
        registry.register(
            "reporting",
            "Whether its last report was at most an hour old at the last poll, 1 or 0; at night none is",
            inverters.reporting.clone(),
        );
        inverters
    }

    /// Takes in readings, of which those count that are newer than what is shown.
    pub(crate) fn take(&self, readings: &[Reading]) {
        // A panic elsewhere leaves times in it as before.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        for (envoy, reading) in readings
            .iter()
            .filter_map(|reading| Some((&reading.envoy, reading.measured.inverter()?)))
        {
            let time = reading.reported_at.unix_seconds();
            let is_full = newest.len() >= MOST;
            match newest.get_mut(&reading.serial) {
                Some(known) if *known > time => continue,
                Some(known) => *known = time,
                None if is_full => continue,
                None => {
                    newest.insert(reading.serial.clone(), time);
                }
            }
            let labels = labels(envoy, &reading.serial);
            self.power
                .get_or_create(&labels)
                .set(reading.power_w.into());
            self.last_report.get_or_create(&labels).set(time);
        }
    }

    /// Shows nothing of an inverter until it reports again.
    pub(crate) fn forget(&self, envoy: &Serial, inverter: &Serial) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.remove(inverter);
        let labels = labels(envoy, inverter);
        for of_each in [&self.power, &self.last_report, &self.reporting] {
            of_each.remove(&labels);
        }
    }

    /// The Envoy's clock shows this time, as Unix time: what it once dated far later must not hide what comes now.
    pub(crate) fn forget_later_than(&self, now: i64) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.retain(|_, time| !wire::is_set_back(*time, now));
    }

    /// The Envoy's clock shows this time, as Unix time.
    pub(crate) fn look(&self, envoy: &Serial, now: i64) {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        for (inverter, time) in newest.iter() {
            let is_reporting = now.saturating_sub(*time) <= REPORTING;
            self.reporting
                .get_or_create(&labels(envoy, inverter))
                .set(is_reporting.into());
        }
    }
}

fn labels(envoy: &Serial, inverter: &Serial) -> [(&'static str, String); 2] {
    [
        ("envoy", envoy.to_string()),
        ("inverter", inverter.to_string()),
    ]
}
