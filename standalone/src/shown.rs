//! A store that shows what was stored in it.

use std::io::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::{HealthError, Marked, MarkedStore, Marks, MarksError, WriteError};
use wire::{Health, Reading};

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

    /// The line of an inverter's reading; the others are not shown.
    fn line(&self, reading: &Reading) -> Option<String> {
        let reading = reading.measured.inverter()?;
        let reported_at = Timestamp::from_second(reading.reported_at.unix_seconds())
            .map(|time| {
                time.to_zoned_datetime(self.zone.clone())
                    .strftime("%F %T")
                    .to_string()
            })
            .unwrap_or_default();
        Some(format!(
            "{reported_at}  inverter {}  {:>4} W  (peak {} W)",
            reading.serial, reading.power_w, reading.peak_power_w
        ))
    }
}

impl<S: MarkedStore> MarkedStore for Shown<S> {
    async fn marks(&self) -> Result<Marks, MarksError> {
        self.store.marks().await
    }

    async fn store(&self, readings: &[Reading], marks: &Marks) -> Result<Marked, WriteError> {
        let marked = self.store.store(readings, marks).await?;
        let mut out = std::io::stdout().lock();
        for (index, reading) in readings.iter().enumerate() {
            let refused = &marked.written.unstorable;
            if refused.iter().all(|unstorable| unstorable.index != index)
                && let Some(line) = self.line(reading)
            {
                // With standard output closed there is nobody to show it to.
                let _ = writeln!(out, "{line}");
            }
        }
        Ok(marked)
    }

    async fn answers(&self) -> bool {
        self.store.answers().await
    }

    async fn keep_healths(&self, healths: &[Health]) -> Result<(), HealthError> {
        self.store.keep_healths(healths).await
    }

    async fn update(&self, changed: &Marks) -> Result<(), MarksError> {
        self.store.update(changed).await
    }

    async fn save(&self, marks: &Marks) -> Result<(), MarksError> {
        self.store.save(marks).await
    }
}
