//! The newest and the last record of each inverter.
//!
//! The newest has the latest report time: the plain topic shows it. The last one has the highest
//! number: a report is new when its time differs from that. They differ once a gateway's clock was
//! set back.

use std::collections::HashMap;

use wire::{ReportTime, Serial};

use super::record::Record;

/// What a journal knows of each inverter.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    newest: HashMap<Serial, (u64, Record)>,
    last: HashMap<Serial, (u64, ReportTime)>,
}

impl Index {
    /// Takes a record in, in any order of numbers. Of two with one report time the higher number
    /// is the newer.
    pub(super) fn add(&mut self, seq: u64, record: &Record) {
        let is_newest = self
            .newest
            .get(record.serial())
            .is_none_or(|(other, held)| {
                (held.reported_at(), *other) <= (record.reported_at(), seq)
            });
        if is_newest {
            self.newest
                .insert(record.serial().clone(), (seq, record.clone()));
        }
        self.add_last(record.serial(), seq, record.reported_at());
    }

    /// Takes in what is known of an inverter's last report.
    pub(super) fn add_last(&mut self, serial: &Serial, seq: u64, reported_at: ReportTime) {
        if self.last.get(serial).is_none_or(|(other, _)| *other <= seq) {
            self.last.insert(serial.clone(), (seq, reported_at));
        }
    }

    pub(super) fn is_newest(&self, serial: &Serial, seq: u64) -> bool {
        self.newest
            .get(serial)
            .is_some_and(|(newest, _)| *newest == seq)
    }

    pub(super) fn is_last(&self, serial: &Serial, seq: u64) -> bool {
        self.last.get(serial).is_some_and(|(last, _)| *last == seq)
    }

    /// The newest record of each inverter, with its number.
    pub(super) fn newest(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.newest.values().map(|(seq, record)| (*seq, record))
    }

    /// The report time of the last record of each inverter.
    pub(super) fn last(&self) -> impl Iterator<Item = (&Serial, ReportTime)> {
        self.last.iter().map(|(serial, (_, at))| (serial, *at))
    }
}
