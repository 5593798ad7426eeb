//! What both servers have seen, and the rule that is checked at each acknowledgement.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use store::{MarksFile, line};
use tokio::time::Instant;
use wire::{Reading, ReplayRequest, ReportTime};

/// The truth of one test.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// All readings that were ever to be delivered, in order; a packet's number is a place here
    /// plus one, on each connection.
    pub(crate) readings: Vec<Reading>,
    /// The lines that the store has kept, whatever it answered.
    pub(crate) kept: BTreeSet<String>,
    /// How the inverters do, as the store has kept it: each line as often as it came.
    pub(crate) healths: Vec<String>,
    /// When the store was asked.
    pub(crate) asked: Vec<Instant>,
    /// The packets acknowledged on the connection that is open now.
    pub(crate) acknowledged: Vec<u16>,
    /// How many connections the broker has had.
    pub(crate) connections: usize,
    /// Acknowledgements that must not have been.
    pub(crate) violations: Vec<String>,
    /// So many of the readings are not delivered again on the next connection.
    pub(crate) over: usize,
    /// The messages of [`Order::Say`](crate::broker::Order::Say) acknowledged on all connections, by
    /// their packets.
    pub(crate) others: Vec<u16>,
    /// What the receiver has asked for, and when.
    pub(crate) requests: Vec<(Instant, ReplayRequest)>,
    /// Where the receiver keeps its marks; looked at with each acknowledgement.
    pub(crate) marks: Option<MarksFile>,
}

/// The packets of messages that are no readings to be counted begin here.
pub(crate) const OTHERS: u16 = 30_000;

pub(crate) const ENVOY: &str = "122012345678";
/// One of which no readings are delivered.
pub(crate) const OTHER_ENVOY: &str = "122087654321";
pub(crate) const JOURNAL: &str = "k3x9m2pq";

impl State {
    /// Readings to come, of which those at `bad` are what the store never takes.
    pub(crate) fn expect(&mut self, count: usize, bad: &[usize]) {
        for index in 0..count {
            let number = self.readings.len();
            let kind = if bad.contains(&index) { "bad" } else { "good" };
            self.readings.push(Reading {
                envoy: ENVOY.parse().unwrap(),
                measured: wire::Inverter {
                    serial: format!("{kind}-{number}").parse().unwrap(),
                    reported_at: ReportTime::from_unix_seconds(1_795_425_300).unwrap(),
                    device_type: Some(1),
                    power_w: 212,
                    peak_power_w: 296,
                    detail: None,
                }
                .into(),
                journal: JOURNAL.parse().unwrap(),
                seq: number as u64 + 1,
            });
        }
    }

    /// **Nothing is acknowledged that was not stored**: looked at in the moment in which the
    /// acknowledgement arrives. A reading that the store never takes may be given up, but only
    /// after the store has taken another.
    pub(crate) fn acknowledge(&mut self, packet: u16) {
        if packet >= OTHERS {
            self.others.push(packet);
            return;
        }
        self.acknowledged.push(packet);
        let reading = &self.readings[usize::from(packet) - 1];
        let line = line::render(reading);
        let settled = self.kept.contains(&line) || (is_bad(&line) && !self.kept.is_empty());
        if !settled {
            self.violations.push(format!("{line} was not stored"));
        }
        self.check_marks(usize::from(packet));
    }

    /// **Nothing is marked that was not stored**, and what is acknowledged is marked.
    fn check_marks(&mut self, acknowledged: usize) {
        let Some(file) = &self.marks else { return };
        let marks = file.load().unwrap();
        for reading in &self.readings {
            let line = line::render(reading);
            let is_stored = self.kept.contains(&line) || is_bad(&line);
            let is_marked = marks.contains(&reading.envoy, &reading.journal, reading.seq);
            if is_marked && !is_stored {
                self.violations.push(format!("{line} was marked"));
            }
            if !is_marked && reading.seq == acknowledged as u64 {
                self.violations.push(format!("{line} was not marked"));
            }
        }
    }

    /// What was asked for of a journal.
    pub(crate) fn asked_of(&self, journal: &str) -> Vec<Vec<RangeInclusive<u64>>> {
        let requests = self.requests.iter().map(|(_, request)| request);
        requests
            .filter(|request| request.journal().as_str() == journal)
            .map(|request| request.ranges().to_vec())
            .collect()
    }

    /// Whether all that was to be delivered is acknowledged on this connection.
    pub(crate) fn is_settled(&self) -> bool {
        self.acknowledged.len() + self.over >= self.readings.len()
    }

    pub(crate) fn check(&self) {
        assert!(self.violations.is_empty(), "{:?}", self.violations);
        let first = u16::try_from(self.over).unwrap() + 1;
        let in_order: Vec<u16> = (first..).take(self.acknowledged.len()).collect();
        assert_eq!(self.acknowledged, in_order, "out of order");
    }

    /// Every reading was stored but the bad ones, and acknowledged once, in order.
    pub(crate) fn check_settled(&self) {
        self.check();
        assert_eq!(self.acknowledged.len() + self.over, self.readings.len());
        let lines = self.readings.iter().map(line::render);
        let good: BTreeSet<String> = lines.filter(|line| !is_bad(line)).collect();
        assert_eq!(self.kept, good);
    }
}

/// Whether this is a line of how an inverter does.
pub(crate) fn is_health(line: &str) -> bool {
    line.starts_with("inverterHealth,")
}

/// Whether this is a line that no store of these tests takes.
pub(crate) fn is_bad(line: &str) -> bool {
    line.contains("serial=bad")
}
