//! What one look at an Envoy brought, judged as the scraper does, as far as one look can be.

use std::collections::BTreeSet;

use envoy::{Info, Poll};
use wire::Serial;

use crate::changes::{Changes, Judged};
use crate::condition::Condition;
use crate::condition::interval::Interval;
use crate::memory::Learned;
use crate::watch;

/// One look.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) info: Info,
    pub(super) poll: Poll,
    pub(super) judged: Judged,
    /// How the inverters do; unknown where the gateway does not say the time.
    pub(super) condition: Option<Condition>,
    /// The gateway's clock, in Unix seconds.
    pub(super) now: Option<i64>,
    /// Whose counters were set back or have jumped, as a scraper that watches this Envoy has seen.
    pub(super) carried_on: BTreeSet<String>,
}

impl Look {
    /// Judges what a poll brought, with the gateway's clock then, in Unix seconds. `learned` is what a scraper knows
    /// that watches this Envoy, where there is one.
    pub(super) fn new(info: Info, poll: Poll, now: Option<i64>, learned: &Learned) -> Self {
        let listed = watch::listed(&poll.inverters);
        let interval = |inverter: &Serial| {
            let learned = learned.condition.interval(inverter).cloned();
            learned.or_else(|| of_report(&poll, inverter))
        };
        let never_reported = poll.inverters.never_reported;
        let condition =
            now.map(|now| Condition::of_one_look(&listed, never_reported, now, interval));
        let mut changes = Changes::new();
        // Of what the site does now they are no part.
        changes.silent(
            condition
                .as_ref()
                .map(Condition::silent)
                .unwrap_or_default(),
        );
        let judged = changes.take(&poll, now);
        let carried_on = learned.changes.carried_on().map(str::to_owned).collect();
        Self {
            info,
            poll,
            judged,
            condition,
            now,
            carried_on,
        }
    }
}

/// How long the interval was of which the gateway tells more, where it does.
fn of_report(poll: &Poll, inverter: &Serial) -> Option<Interval> {
    let seconds = poll.details.get(inverter.as_ref())?.interval_s?;
    let mut interval = Interval::default();
    #[allow(
        clippy::cast_possible_truncation,
        reason = "what is out of range is no interval"
    )]
    interval.learn(seconds as i64);
    interval.seconds().map(|_| interval)
}
