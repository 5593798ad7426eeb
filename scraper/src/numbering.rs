//! Numbers for readings: which journal they belong to and their place in it.
//!
//! Until there is a journal on disk, a journal is the life of one process: a random id, and
//! consecutive numbers from 1.

use daemon::random;
use wire::{JournalId, Reading, Serial};

use crate::changes::Report;

/// Gives each reading its place: one pair of journal and number never names two readings.
#[derive(Debug)]
pub struct Numbering {
    envoy: Serial,
    journal: JournalId,
    last: u64,
}

impl Numbering {
    /// A new journal for an Envoy.
    #[must_use]
    pub fn new(envoy: Serial) -> Self {
        Self {
            envoy,
            journal: random::id(),
            last: 0,
        }
    }

    /// Makes a reading of a report.
    pub fn number(&mut self, report: Report) -> Reading {
        self.last += 1;
        Reading {
            serial: report.serial,
            envoy: self.envoy.clone(),
            reported_at: report.reported_at,
            device_type: report.device_type,
            power_w: report.power_w,
            peak_power_w: report.peak_power_w,
            journal: self.journal.clone(),
            seq: self.last,
        }
    }

    /// The journal's id.
    #[must_use]
    pub fn journal(&self) -> &JournalId {
        &self.journal
    }
}
