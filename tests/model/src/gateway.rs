//! The Envoy: shows the newest report of each inverter, and remembers all that it showed.

use std::collections::{BTreeMap, BTreeSet};

use envoy::{InverterReport, Inverters, Poll};
use rand::RngExt;
use rand::rngs::StdRng;

/// The time between two reports of an inverter, in seconds.
const INTERVAL: u64 = 300;

/// Complete answers that a report has to stand in, since its scraper last started, before it may be
/// replaced: an answer whose reader died before it could write is no promise yet.
const ANSWERS: u8 = 2;

/// An inverter and its newest report.
#[derive(Debug)]
struct Inverter {
    report: InverterReport,
    next: u64,
    answers: u8,
}

/// The gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    inverters: Vec<Inverter>,
    /// What its clock is behind, in seconds.
    behind: i64,
    /// It answers nothing until then.
    pub(crate) away_until: u64,
    /// It lists nothing until then.
    pub(crate) empty_until: u64,
    /// Every report that was ever on show, with its power.
    pub(crate) shown: BTreeMap<(String, i64), i32>,
    /// Every report that was on show for long enough, with its power: what must not be lost.
    pub(crate) ledger: BTreeMap<(String, i64), i32>,
}

impl Gateway {
    pub(crate) fn new(inverters: usize, rng: &mut StdRng) -> Self {
        let inverter = |number: usize| Inverter {
            report: InverterReport {
                serial: format!("{number}"),
                reported_at: 1_700_000_000,
                device_type: Some(1),
                power_w: 1,
                peak_power_w: 300,
            },
            next: rng.random_range(1..INTERVAL),
            answers: 0,
        };
        Self {
            inverters: (0..inverters).map(inverter).collect(),
            behind: 0,
            away_until: 0,
            empty_until: 0,
            shown: BTreeMap::new(),
            ledger: BTreeMap::new(),
        }
    }

    /// The clock goes back by an hour and a bit: no two reports of an inverter have the same second.
    pub(crate) fn set_back(&mut self) {
        self.behind += 3_607;
    }

    /// New reports at `now`, in seconds of the simulation.
    pub(crate) fn turn(&mut self, now: u64) {
        for inverter in &mut self.inverters {
            if now >= inverter.next && inverter.answers >= ANSWERS {
                inverter.next = now + INTERVAL;
                inverter.answers = 0;
                let time = 1_700_000_000 + i64::try_from(now).unwrap_or(0) - self.behind;
                inverter.report.reported_at = time;
                inverter.report.power_w += 1;
            }
        }
    }

    /// Its answer to a poll.
    pub(crate) fn answer(&mut self, now: u64) -> Option<Poll> {
        if now < self.away_until {
            return None;
        }
        if now < self.empty_until {
            return Some(Poll::default());
        }
        for one in &self.inverters {
            let key = (one.report.serial.clone(), one.report.reported_at);
            self.shown.insert(key, one.report.power_w);
        }
        let reports = self.inverters.iter().map(|one| one.report.clone());
        Some(Poll {
            inverters: Inverters {
                reports: reports.collect(),
                ..Inverters::default()
            },
            ..Poll::default()
        })
    }

    /// The scraper has journalled its last answer.
    pub(crate) fn was_journalled(&mut self) {
        for inverter in &mut self.inverters {
            inverter.answers = inverter.answers.saturating_add(1);
            if inverter.answers >= ANSWERS {
                let report = &inverter.report;
                let key = (report.serial.clone(), report.reported_at);
                self.ledger.insert(key, report.power_w);
            }
        }
    }

    /// The latest report time of each inverter, but for what is `gone`.
    pub(crate) fn newest(&self, gone: &BTreeSet<(String, i64)>) -> BTreeMap<String, i64> {
        let mut newest = BTreeMap::new();
        for (inverter, time) in self.ledger.keys().filter(|key| !gone.contains(*key)) {
            let latest = newest.entry(inverter.clone()).or_insert(*time);
            *latest = (*latest).max(*time);
        }
        newest
    }

    /// The scraper has started anew: what its predecessor saw is no promise.
    pub(crate) fn scraper_started(&mut self) {
        for inverter in &mut self.inverters {
            inverter.answers = 0;
        }
    }
}
