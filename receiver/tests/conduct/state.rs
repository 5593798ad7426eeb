//! What both servers have seen, and the rule that is checked at each acknowledgement.

use std::collections::BTreeSet;

use store::line;
use tokio::time::Instant;
use wire::{Reading, ReportTime};

/// The truth of one test.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// All readings that were ever to be delivered, in order; a packet's number is a place here
    /// plus one, on each connection.
    pub(crate) readings: Vec<Reading>,
    /// The lines that the store has kept, whatever it answered.
    pub(crate) kept: BTreeSet<String>,
    /// When the store was asked.
    pub(crate) asked: Vec<Instant>,
    /// The packets acknowledged on the connection that is open now.
    pub(crate) acknowledged: Vec<u16>,
    /// How many connections the broker has had.
    pub(crate) connections: usize,
    /// Acknowledgements that must not have been.
    pub(crate) violations: Vec<String>,
}

impl State {
    /// Readings to come, of which those at `bad` are what the store never takes.
    pub(crate) fn expect(&mut self, count: usize, bad: &[usize]) {
        for index in 0..count {
            let number = self.readings.len();
            let kind = if bad.contains(&index) { "bad" } else { "good" };
            self.readings.push(Reading {
                serial: format!("{kind}-{number}").parse().unwrap(),
                envoy: "122012345678".parse().unwrap(),
                reported_at: ReportTime::from_unix_seconds(1_795_425_300).unwrap(),
                device_type: Some(1),
                power_w: 212,
                peak_power_w: 296,
                journal: "k3x9m2pq".parse().unwrap(),
                seq: number as u64 + 1,
            });
        }
    }

    /// **Nothing is acknowledged that was not stored**: looked at in the moment in which the
    /// acknowledgement arrives. A reading that the store never takes may be given up, but only
    /// after the store has taken another.
    pub(crate) fn acknowledge(&mut self, packet: u16) {
        self.acknowledged.push(packet);
        let reading = &self.readings[usize::from(packet) - 1];
        let line = line::render(reading);
        let settled = self.kept.contains(&line) || (is_bad(&line) && !self.kept.is_empty());
        if !settled {
            self.violations.push(format!("{line} was not stored"));
        }
    }

    /// Whether all that was to be delivered is acknowledged on this connection.
    pub(crate) fn is_settled(&self) -> bool {
        self.acknowledged.len() >= self.readings.len()
    }

    pub(crate) fn check(&self) {
        assert!(self.violations.is_empty(), "{:?}", self.violations);
        let in_order: Vec<u16> = (1..).take(self.acknowledged.len()).collect();
        assert_eq!(self.acknowledged, in_order, "out of order");
    }

    /// Every reading was stored but the bad ones, and acknowledged once, in order.
    pub(crate) fn check_settled(&self) {
        self.check();
        assert_eq!(self.acknowledged.len(), self.readings.len());
        let lines = self.readings.iter().map(line::render);
        let good: BTreeSet<String> = lines.filter(|line| !is_bad(line)).collect();
        assert_eq!(self.kept, good);
    }
}

/// Whether this is a line that no store of these tests takes.
pub(crate) fn is_bad(line: &str) -> bool {
    line.contains("serial=bad")
}
