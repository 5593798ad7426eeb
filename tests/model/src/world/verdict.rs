//! What became of a seed.

use scraper::delivery::Journal;

use super::{Site, World};
use crate::disk::Held;
use crate::faults::{Planned, excuse_losses};
use crate::publisher::Scraper;

/// What became of a seed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What went wrong, and when.
    pub plan: Vec<Planned>,
    /// How many readings the Envoy showed for long enough.
    pub readings: usize,
    /// Readings, by inverter and report time, that are in no store, or not in each.
    pub lost: Vec<(String, i64)>,
    /// Points with another value than the Envoy showed.
    pub altered: usize,
    /// Points that the Envoy never showed.
    pub strange: usize,
    /// Live messages on plain topics that were older than the one before, where nothing excuses them.
    pub steps_back: usize,
    /// Plain topics that do not show the newest reading at the end.
    pub stale: usize,
    /// Whether nothing more was sent in the end, but announcements, and nothing waited.
    pub rests: bool,
    /// Points that a store was given and answered for, for each reading, on average.
    pub writes_per_reading: f64,
    /// How long it took until everything was stored, in seconds after the last fault.
    pub recovery: u64,
}

impl Outcome {
    /// Whether nothing was lost and nothing else was wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.lost.is_empty()
            && self.altered == 0
            && self.strange == 0
            && self.steps_back == 0
            && self.stale == 0
            && self.rests
    }
}

impl World {
    fn lost(&self) -> Vec<(String, i64)> {
        let disk = self.disk.borrow();
        let missing = |key: &&(String, i64)| {
            let stored = |site: &Site| site.database.points.contains_key(*key);
            !self.receivers.iter().all(stored) && !disk.gone.contains(*key)
        };
        self.gateway
            .ledger
            .keys()
            .filter(missing)
            .cloned()
            .collect()
    }

    fn stale(&self) -> usize {
        // What only a journal knew that is gone, nobody can show.
        let newest = self.gateway.newest(&self.disk.borrow().gone);
        let shown = self.broker.shown();
        let stale = |(inverter, time): &(&String, &i64)| shown.get(*inverter) < Some(*time);
        newest.iter().filter(stale).count()
    }

    /// Steps back from what somebody still knew.
    fn steps_back(&self) -> usize {
        let gone = &self.disk.borrow().gone;
        let steps = self.broker.steps_back_from.iter();
        steps.filter(|from| !gone.contains(*from)).count()
    }

    pub(super) fn is_stored(&self) -> bool {
        self.lost().is_empty() && self.stale() == 0
    }

    /// Nobody waits for anything, nor lacks what somebody could send.
    pub(super) fn is_settled(&self) -> bool {
        let spans = Held(self.disk.clone()).spans();
        let settled = |site: &Site| {
            let process = site.process.as_ref();
            process.is_some_and(|process| process.is_settled(&spans))
        };
        let scraper = self.scraper.as_ref();
        scraper.is_some_and(Scraper::is_settled) && self.receivers.iter().all(settled)
    }

    pub(super) fn outcome(self, plan: Vec<Planned>, recovery: u64, rests: bool) -> Outcome {
        let excused_losses = excuse_losses(&plan);
        let excused = plan.iter().any(|one| one.fault.excuses_steps_back());
        let points = || self.receivers.iter().flat_map(|site| &site.database.points);
        let shown = &self.gateway.shown;
        let altered = |(key, power): &(&(String, i64), &i32)| {
            shown.get(*key).is_some_and(|shown| shown != *power)
        };
        let writes: u64 = self.receivers.iter().map(|site| site.database.writes).sum();
        Outcome {
            readings: self.gateway.ledger.len(),
            lost: if excused_losses {
                Vec::new()
            } else {
                self.lost()
            },
            altered: points().filter(altered).count(),
            strange: points()
                .filter(|(key, _)| !shown.contains_key(*key))
                .count(),
            steps_back: if excused { 0 } else { self.steps_back() },
            stale: self.stale(),
            writes_per_reading: ratio(writes, self.gateway.ledger.len() * self.receivers.len()),
            plan,
            recovery,
            rests: rests || excused_losses,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "both are small")]
fn ratio(writes: u64, readings: usize) -> f64 {
    writes as f64 / readings.max(1) as f64
}
