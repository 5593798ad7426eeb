//! Reports that nobody can ever have: the Envoy overwrote them before a poll could see them.
//!
//! The Envoy keeps only the newest report of each inverter. While it, or the scraper, was away for
//! longer than the report interval, some are gone; a jump in an inverter's report times shows how many.
//! A jump alone does not: now and then an inverter gives no answer, and there is no such report. So no
//! more are counted than fit between two looks at the list.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use wire::{Inverter, ReportTime, Serial};

use crate::journal::Journals;

/// Steps between reports that are looked at for the usual one. The median of them is.
const STEPS: usize = 9;

/// Steps after which there is a usual one.
const ENOUGH: usize = 3;

/// Up to one half more than the usual step nothing is missing: inverters report a little late.
const LATE: f64 = 1.5;

/// An inverter produces, for this purpose, from a twentieth of its peak. At dusk and dawn reports are
/// left out though nothing is wrong.
const PRODUCING: i64 = 20;

/// A longer jump has a night in it, of which nobody knows how long it was.
const NIGHT: i64 = 8 * 3600;

/// At a start so many readings are looked at, at most: of some 1,000 inverters all that is needed.
const MOST_READ: usize = 10_000;

/// It is said at most this often.
const SAID_EVERY: Duration = Duration::from_hours(1);

/// Counts what the Envoy overwrote.
#[derive(Debug, Default)]
pub(crate) struct Overwritten {
    inverters: HashMap<Serial, History>,
    /// When the list was looked at last; never, since the start.
    looked: Option<Instant>,
    count: u64,
    /// How many were counted since that was said, and when it was.
    unsaid: (u64, Option<Instant>),
}

#[derive(Debug)]
struct History {
    last: ReportTime,
    produced: bool,
    /// The last steps in seconds, newest last.
    steps: VecDeque<i64>,
}

impl Overwritten {
    /// Goes on from what the journal has, so that it also counts what was overwritten while no scraper
    /// ran.
    pub(crate) fn after(journals: &Journals) -> Self {
        let mut overwritten = Self::default();
        let inverters = journals.last_reports().len();
        let many = (inverters * (STEPS + 1)).min(MOST_READ);
        // The one that is appended to is the first.
        for span in journals.spans().iter().rev() {
            let first = (span.last() + 1).saturating_sub(many as u64);
            let readings = journals.readings(span.id(), first..=span.last(), many);
            for reading in readings {
                if let Some(inverter) = reading.measured.inverter() {
                    overwritten.missed_before(inverter, None);
                }
            }
        }
        overwritten
    }

    /// Takes in the new reports of a poll, also of one without any, and says what was overwritten before
    /// it.
    pub(crate) fn note<'a>(&mut self, new: impl Iterator<Item = &'a Inverter>, now: Instant) {
        let looked = self.looked.replace(now);
        let unseen = looked.map(|looked| now - looked);
        for report in new {
            let missed = self.missed_before(report, unseen);
            self.count += missed;
            self.unsaid.0 += missed;
        }
        self.say();
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn say(&mut self) {
        let (reports, said) = &mut self.unsaid;
        if *reports > 0 && said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
            tracing::warn!(
                reports,
                "the Envoy overwrote reports of inverters before they could be read; they can't be had \
                 again"
            );
            *said = Some(Instant::now());
            *reports = 0;
        }
    }

    /// How many are missing between the report of this inverter that came before, and this one, when
    /// nobody has looked for so long (as long as may be, where that is not known).
    fn missed_before(&mut self, report: &Inverter, unseen: Option<Duration>) -> u64 {
        let now_produces = i64::from(report.power_w) * PRODUCING >= i64::from(report.peak_power_w)
            && report.power_w > 0;
        let Some(history) = self.inverters.get_mut(&report.serial) else {
            let first = History {
                last: report.reported_at,
                produced: now_produces,
                steps: VecDeque::with_capacity(STEPS),
            };
            self.inverters.insert(report.serial.clone(), first);
            return 0;
        };
        let step = report.reported_at.unix_seconds() - history.last.unix_seconds();
        let produced_then = std::mem::replace(&mut history.produced, now_produces);
        history.last = report.reported_at;
        // A clock that was set back tells nothing of the interval.
        if step <= 0 || step >= NIGHT {
            return 0;
        }
        let usual = history.usual_step();
        if history.steps.len() == STEPS {
            history.steps.pop_front();
        }
        history.steps.push_back(step);
        match usual {
            Some(usual) if produced_then && now_produces => {
                let missed = missed(step, usual);
                unseen.map_or(missed, |unseen| missed.min(fitting(unseen, usual)))
            }
            _ => 0,
        }
    }
}

impl History {
    fn usual_step(&self) -> Option<i64> {
        if self.steps.len() < ENOUGH {
            return None;
        }
        let mut steps: Vec<i64> = self.steps.iter().copied().collect();
        steps.sort_unstable();
        Some(steps[steps.len() / 2])
    }
}

/// How many reports fit into a step, but for the one that ends it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "steps are a few hours of seconds, and positive"
)]
fn missed(step: i64, usual: i64) -> u64 {
    let times = step as f64 / usual as f64;
    if times > LATE {
        times.round() as u64 - 1
    } else {
        0
    }
}

/// How many reports fit into the time in which nobody looked.
fn fitting(unseen: Duration, usual: i64) -> u64 {
    unseen.as_secs() / usual.unsigned_abs().max(1)
}

#[cfg(test)]
mod tests;
