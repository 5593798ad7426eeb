//! The newest and the last record of each subject: an inverter, the site, a meter.
//!
//! The newest has the latest time: the plain topic shows it. The last one has the highest
//! number: a reading is new when its time differs from that. They differ once a gateway's clock was
//! set back.

use std::collections::HashMap;

use wire::{Measured, ReportTime, Subject};

/// What a journal knows of each subject.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    newest: HashMap<Subject, (u64, Measured)>,
    last: HashMap<Subject, (u64, ReportTime)>,
}

impl Index {
    /// Takes a record in, in any order of numbers. Of two with one report time the higher number
    /// is the newer.
    pub(super) fn add(&mut self, seq: u64, record: &Measured) {
        let (subject, at) = (record.subject(), record.at());
        let newest = self.newest.get(&subject);
        let is_newest = newest.is_none_or(|(other, held)| (held.at(), *other) <= (at, seq));
        if is_newest {
            self.newest.insert(subject.clone(), (seq, record.clone()));
        }
        self.add_last(&subject, seq, at);
    }

    /// Takes in what is known of a subject's last reading.
    pub(super) fn add_last(&mut self, subject: &Subject, seq: u64, at: ReportTime) {
        if self
            .last
            .get(subject)
            .is_none_or(|(other, _)| *other <= seq)
        {
            self.last.insert(subject.clone(), (seq, at));
        }
    }

    pub(super) fn is_newest(&self, subject: &Subject, seq: u64) -> bool {
        self.newest
            .get(subject)
            .is_some_and(|(newest, _)| *newest == seq)
    }

    pub(super) fn is_last(&self, subject: &Subject, seq: u64) -> bool {
        self.last.get(subject).is_some_and(|(last, _)| *last == seq)
    }

    /// The newest record of each subject, with its number.
    pub(super) fn newest(&self) -> impl Iterator<Item = (u64, &Measured)> {
        self.newest.values().map(|(seq, record)| (*seq, record))
    }

    /// The time of the last record of each subject.
    pub(super) fn last(&self) -> impl Iterator<Item = (&Subject, ReportTime)> {
        self.last.iter().map(|(subject, (_, at))| (subject, *at))
    }
}
