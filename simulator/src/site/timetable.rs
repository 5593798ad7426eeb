//! When inverters report.

use std::iter;

use super::noise::{hash, unit};
use super::sun::Sun;

/// Inverters wake and fall asleep within this time after sunrise and before sunset, in seconds.
const TWILIGHT_S: u64 = 720;
/// The shortest interval: what a last report at dusk has been seen to cover, in seconds.
const SHORTEST_S: i64 = 13;
/// How far apart later gateways place inverters within an interval, in seconds.
const SLOT_S: i64 = 30;
/// How much later than its time the list shows a report at most, in seconds.
const LONGEST_DELAY_S: f64 = 100.0;

/// The rhythm in which a gateway asks its inverters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timetable {
    seed: u64,
    interval_s: i64,
    /// Whether inverters have their places in the whole interval (from firmware 7 on), or all are
    /// asked in one sweep.
    spread: bool,
}

/// The time of one report.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportTime {
    /// Unix seconds.
    pub(super) at: i64,
    /// Seconds since the report before it, or since the inverter woke.
    pub(super) duration_s: i64,
    /// Seconds until the gateway shows it.
    pub(super) delay_s: i64,
}

impl Timetable {
    pub(super) fn new(seed: u64, interval_s: u32, spread: bool) -> Self {
        Self {
            seed,
            interval_s: interval_s.into(),
            spread,
        }
    }

    /// Seconds between two reports of an inverter, without those that a round takes longer.
    pub(super) fn interval_s(&self) -> i64 {
        self.interval_s
    }

    /// Whether inverters have their places in the whole interval from now on.
    pub(super) fn set_spread(&mut self, spread: bool) {
        self.spread = spread;
    }

    /// The times of one inverter on one day, in ascending order, at least one: the last is the one
    /// at dusk.
    pub(super) fn day(&self, sun: Sun, day: i64, inverter: u64) -> Vec<ReportTime> {
        let of_day = |what: u64| hash(&[inverter, what, day.cast_unsigned()]);
        let twilight = |what: u64| (of_day(what) % TWILIGHT_S).cast_signed();
        let (wakes, sleeps) = (sun.dawn(day) + twilight(11), sun.dusk(day) - twilight(12));

        let mut times = self.asked(sun, day, inverter);
        times.retain(|at| *at >= wakes + SHORTEST_S && *at < sleeps);
        let last = times.last().map_or(wakes, |last| *last);
        times.push(sleeps.max(last + SHORTEST_S));

        let before = iter::once(wakes).chain(times.clone());
        let report = |(before, at): (i64, i64)| ReportTime {
            at,
            duration_s: at - before,
            delay_s: delay_s(inverter, at),
        };
        before.zip(times).map(report).collect()
    }

    /// When the gateway asks this inverter on that day, asleep or not.
    fn asked(&self, sun: Sun, day: i64, inverter: u64) -> Vec<i64> {
        let mut place = self.place(day, hash(&[inverter, 15, day.cast_unsigned()]));
        let mut times = Vec::new();
        for cycle in self.cycles(sun, day) {
            // Now and then a later gateway asks an inverter one place later, from then on.
            let moved = hash(&[inverter, 16, cycle.start.cast_unsigned()]).is_multiple_of(15);
            if self.spread && cycle.steady && moved && place + 2 * SLOT_S <= self.interval_s {
                place += SLOT_S;
            }
            // And now and then it gets no answer.
            let at = cycle.start + place;
            if !hash(&[inverter, 17, at.cast_unsigned()]).is_multiple_of(300) {
                times.push(at);
            }
        }
        times
    }

    /// Seconds after the start of a cycle at which the gateway asks this inverter.
    fn place(&self, day: i64, inverter_of_day: u64) -> i64 {
        let below = |bound: i64| (inverter_of_day % bound.cast_unsigned()).cast_signed();
        if self.spread {
            below(self.interval_s / SLOT_S) * SLOT_S
        } else {
            let sweep_s = 13 + (hash(&[self.seed, 18, day.cast_unsigned()]) % 48).cast_signed();
            below(sweep_s + 1)
        }
    }

    /// The gateway's rounds of one day, from before sunrise to after sunset.
    fn cycles(&self, sun: Sun, day: i64) -> impl Iterator<Item = Cycle> {
        let this = *self;
        let phase = hash(&[self.seed, 19, day.cast_unsigned()]) % self.interval_s.cast_unsigned();
        let first = sun.dawn(day) - self.interval_s - phase.cast_signed();
        let end = sun.dusk(day);
        let start = Cycle {
            start: first,
            steady: true,
        };
        iter::successors(Some(start), move |last| Some(this.next(last.start)))
            .take_while(move |cycle| cycle.start < end)
    }

    /// A round takes the interval and a few seconds, so that no report is on a grid.
    fn next(&self, start: i64) -> Cycle {
        let drift = hash(&[self.seed, 20, start.cast_unsigned()]);
        let steady = !drift.is_multiple_of(8);
        let longer_s = if steady {
            3 + (drift >> 8) % 2
        } else {
            7 + (drift >> 8) % 4
        };
        Cycle {
            start: start + self.interval_s + longer_s.cast_signed(),
            steady,
        }
    }
}

/// Usually little, sometimes up to the longest delay.
fn delay_s(inverter: u64, at: i64) -> i64 {
    let part = |what: u64| unit(&[inverter, what, at.cast_unsigned()]);
    #[expect(clippy::cast_possible_truncation, reason = "at most 100 s")]
    let delay_s = (LONGEST_DELAY_S * part(13) * part(14)) as i64;
    delay_s
}

/// One round of the gateway.
struct Cycle {
    /// Unix seconds.
    start: i64,
    /// It came in the usual distance after the one before it.
    steady: bool,
}
