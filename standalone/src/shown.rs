//! A store that shows what was stored in it.

use std::io::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::{Store, WriteError, Written};
use wire::Reading;

/// Prints each reading to standard output once the store within has accepted it.
pub struct Shown<S> {
    store: S,
    zone: TimeZone,
}

impl<S> Shown<S> {
    /// Shows what `store` accepts, with times in the machine's zone.
    pub fn new(store: S) -> Self {
        Self {
            store,
            zone: TimeZone::system(),
        }
    }

    fn line(&self, reading: &Reading) -> String {
        let reported_at = Timestamp::from_second(reading.reported_at.unix_seconds())
            .map(|time| {
                time.to_zoned_datetime(self.zone.clone())
                    .strftime("%F %T")
                    .to_string()
            })
            .unwrap_or_default();
        format!(
            "{reported_at}  inverter {}  {:>4} W  (peak {} W)",
            reading.serial, reading.power_w, reading.peak_power_w
        )
    }
}

impl<S: Store> Store for Shown<S> {
    async fn write(&self, readings: &[Reading]) -> Result<Written, WriteError> {
        let written = self.store.write(readings).await?;
        let mut out = std::io::stdout().lock();
        for (index, reading) in readings.iter().enumerate() {
            if written.unstorable.iter().all(|u| u.index != index) {
                // With standard output closed there is nobody to show it to.
                let _ = writeln!(out, "{}", self.line(reading));
            }
        }
        Ok(written)
    }
}
