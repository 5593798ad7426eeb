//! The energy of a site without a meter: of one counter, and never of another by the way.

use serde::{Deserialize, Serialize};
use wire::{Flow, Inverter, Quantity, Serial};

use super::day::Count;
use super::{GONE, TOGETHER, Whole};

/// Whose counters tell the energy of a site without a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// The gateway's own, of all its inverters.
    Gateway,
    /// Those of the inverters, all of them.
    Inverters,
}

impl Whole {
    /// The energy of today and of all time, by the counter that it is of.
    pub(super) fn energy(
        &mut self,
        counted: Option<&Flow>,
        now: i64,
    ) -> (Option<Quantity>, Option<Quantity>) {
        if let Some(counted) = counted {
            self.counted = Some((counted.clone(), now));
        }
        let whose = self.counter.or_else(|| self.found(now));
        self.counter = whose;
        match whose {
            // Where nobody counts a life, the gateway may tell today's at least.
            Some(Counter::Gateway) | None => {
                // What was ever made stays made, also while the gateway does not say so.
                self.counted.as_ref().map_or((None, None), |(flow, at)| {
                    let is_recent = now - at < TOGETHER;
                    let today = flow.energy_today_wh.filter(|_| is_recent);
                    (today, flow.energy_lifetime_wh)
                })
            }
            Some(Counter::Inverters) => (
                self.sum(Energy::Today, now),
                self.sum(Energy::Lifetime, now),
            ),
        }
    }

    /// Whose counters tell what was ever made: the gateway's, unless it has none that can be believed.
    fn found(&self, now: i64) -> Option<Counter> {
        let counted = self.counted.as_ref();
        let counted = counted.and_then(|(flow, _)| flow.energy_lifetime_wh);
        if counted.is_some_and(|wh| wh > Quantity::ZERO) {
            return Some(Counter::Gateway);
        }
        let sum = self.sum(Energy::Lifetime, now);
        sum.map(|_| Counter::Inverters)
    }

    /// The inverters whose own count of today is of the day before: they have not reported since this one began. Those
    /// that have gone are left out.
    pub fn not_of_today(&self) -> impl Iterator<Item = &Serial> {
        let dated = self.present();
        let dated = dated.map(|report| (report.reported_at.unix_seconds(), report));
        let newest = self.newest.values().map(|report| report.reported_at).max();
        let undated = self.undated.values();
        let undated = undated.filter(move |(since, _)| {
            newest.is_none_or(|newest| newest.unix_seconds() - since < GONE)
        });
        dated
            .chain(undated.map(|(since, report)| (*since, report)))
            .filter(|(at, report)| Count::of(report, *at).is_some() && !self.day.has(*at))
            .map(|(_, report)| &report.serial)
    }

    /// The sum of what the inverters count; none unless each of them does.
    fn sum(&self, which: Energy, now: i64) -> Option<Quantity> {
        let dated = self.present().map(|report| {
            let at = report.reported_at.unix_seconds();
            (Some(self.day.has(at)), report)
        });
        // Whether their count is of today is not known, until a day has begun since.
        let undated = self.undated_at(now).map(|(since, report)| {
            let is_over = !self.day.has(since);
            (is_over.then_some(false), report)
        });
        let mut all = dated.chain(undated);
        all.try_fold(Quantity::ZERO, |sum, (is_of_today, report)| {
            Some(sum.plus(which.of(report, is_of_today)?))
        })
    }
}

#[derive(Clone, Copy)]
enum Energy {
    Today,
    Lifetime,
}

impl Energy {
    /// What an inverter counts, with whether the day of its last report is today's, where that is known.
    fn of(self, report: &Inverter, is_of_today: Option<bool>) -> Option<Quantity> {
        let detail = report.detail.as_ref()?;
        match self {
            Self::Lifetime => detail.energy_lifetime_wh,
            Self::Today if is_of_today? => detail.energy_today_wh,
            Self::Today => Some(Quantity::ZERO),
        }
    }
}
