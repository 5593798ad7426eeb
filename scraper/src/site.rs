//! What the whole site does, on every firmware: as a meter shows it, or else the sum of its inverters. Pure.
//!
//! A sum is of the inverters' newest reports, as far as they belong together: an inverter reports once an
//! hour at least, so that one whose report is much older than the newest is not producing. One that is silent while
//! others report ([`condition`](crate::condition)) is left out before that: it is not producing either. Its time is that
//! of the newest report in it. When the last report of a day has become that old, the site is said once to
//! produce nothing: a value that is hours old must not stand for the night.
//!
//! What was dated before the gateway's clock was set back is of a time that nobody knows. What those inverters ever made
//! counts as before; of the rest nothing does until they report again.

mod caught_up;
mod day;
mod energy;
mod set_back;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wire::{Basis, Flow, Inverter, Quantity, ReportTime, Serial, Site};

use caught_up::CaughtUp;
use day::Count;
pub use day::Day;
pub(crate) use day::is_new_day;
pub use energy::Counter;

/// How much older than the newest report of the site one may be to count, in seconds: the longest report
/// interval, and some minutes in which it becomes visible.
const TOGETHER: i64 = 65 * 60;

/// Inverters that have not reported for longer than this, in seconds, are not the site's any more: 30 days.
const GONE: i64 = 30 * 24 * 3600;

/// What is known of the site.
#[derive(Debug, Default)]
pub struct Whole {
    newest: BTreeMap<Serial, Inverter>,
    /// Last reports that were dated by a clock that was set back since, with its time then, in Unix seconds.
    undated: BTreeMap<Serial, (i64, Inverter)>,
    /// Inverters that are silent while others report.
    silent: BTreeSet<Serial>,
    day: Day,
    /// The newest time that was said.
    said: Option<ReportTime>,
    /// The time of what was said last: before [`said`](Self::said) while the gateway's clock is behind that.
    last: Option<ReportTime>,
    /// When a meter last showed the production.
    metered: Option<ReportTime>,
    /// Whose counters the energy is of: the gateway's or the inverters'. Nothing is made by going from one to the
    /// other, so that it stays with one of them.
    counter: Option<Counter>,
    /// What the gateway's own counters of its inverters last said, and its clock then, in Unix seconds: it is not
    /// asked for them in each poll, and dates them by the newest report, at night by the last one of the day.
    counted: Option<(Flow, i64)>,
    /// What was last said to be made today.
    said_today: Option<Quantity>,
    /// What each inverter made with its last reports.
    caught_up: CaughtUp,
}

/// What is to be remembered of the site beside its inverters' newest reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Whose counters its energy is of.
    pub counter: Option<Counter>,
    /// Its day, and what the gateway counted in it.
    pub today: Day,
}

impl Whole {
    /// One that knows the newest report of each inverter, as the journal has them, and what was said last.
    #[must_use]
    pub fn new(newest: impl IntoIterator<Item = Inverter>, said: Option<ReportTime>) -> Self {
        let mut whole = Self {
            said,
            last: said,
            ..Self::default()
        };
        for report in newest {
            whole.take(report);
        }
        whole
    }

    /// Goes on from what the topic of the site shows: at night nothing more is said until its day is over, and a meter
    /// that can't be read for now has not gone.
    pub fn go_on_from(&mut self, shown: &Site) {
        self.said_today = shown.energy_today_wh;
        self.said = self.said.max(Some(shown.measured_at));
        if shown.basis == Basis::Meter {
            self.metered = Some(shown.measured_at);
        }
    }

    /// Goes on from what was remembered.
    pub fn recall(&mut self, remembered: Remembered) {
        self.counter = remembered.counter;
        self.day = remembered.today;
    }

    /// What is to be remembered.
    #[must_use]
    pub fn remembered(&self) -> Remembered {
        Remembered {
            counter: self.counter,
            today: self.day,
        }
    }

    /// Whose counters the energy of the site is of, where no meter shows it.
    #[must_use]
    pub fn counter(&self) -> Option<Counter> {
        self.counter
    }

    /// By how much the energy of its inverters may grow at once at this time by the gateway's clock, in Unix seconds,
    /// because they report what they made since they were last heard of, in watt-hours.
    #[must_use]
    pub fn caught_up_wh(&self, now: i64) -> f64 {
        self.caught_up.most_wh(now, TOGETHER)
    }

    /// Takes in a report: the last one of its inverter, whatever its time.
    pub fn take(&mut self, report: Inverter) {
        if report.is_ac_battery() {
            return;
        }
        let known = match self.undated.remove(&report.serial) {
            // It was shown then, whenever it was made.
            Some((since, undated)) => Some((since, undated)),
            None => self.newest.remove(&report.serial).map(|known| {
                let at = known.reported_at.unix_seconds();
                (at, known)
            }),
        };
        if let Some((at, known)) = known {
            let before = Count::of(&known, at);
            let now = Count::of(&report, report.reported_at.unix_seconds());
            if let Some((before, now)) = before.zip(now) {
                self.day.takes(before, now);
            }
            self.caught_up.take(&known, &report, TOGETHER);
        }
        self.newest.insert(report.serial.clone(), report);
    }

    /// These are silent while others report: of what the site does now they are no part.
    pub fn silent(&mut self, silent: BTreeSet<Serial>) {
        self.silent = silent;
    }

    /// What is to be said now; none when there is nothing new. `metered` is what a meter of production shows
    /// in this poll, `counted` the gateway's own counters of its inverters, `now` the gateway's clock in Unix
    /// seconds.
    pub fn say(
        &mut self,
        metered: Option<&Flow>,
        counted: Option<&Flow>,
        now: i64,
    ) -> Option<Site> {
        self.clock(now);
        self.day.counts(metered, counted, now);
        let site = match metered {
            Some(flow) => {
                self.metered = Some(flow.measured_at);
                self.by_meter(flow)
            }
            // A meter that fails for a poll or two does not have the site jump between two bases.
            None if self
                .metered
                .is_some_and(|at| now - at.unix_seconds() < TOGETHER) =>
            {
                return None;
            }
            None => self.by_inverters(counted, now)?,
        };
        // What is older than what was said is no news, unless the gateway's clock is behind that: then it is stored as
        // every reading, and has to be kept off the plain topic, which never steps back in time (`delivery/outbox.rs`).
        let is_old = self
            .said
            .is_some_and(|said| said >= site.measured_at && said.unix_seconds() <= now);
        if is_old || self.last == Some(site.measured_at) {
            return None;
        }
        self.last = Some(site.measured_at);
        self.said = self.said.max(self.last);
        self.said_today = site.energy_today_wh;
        Some(site)
    }

    /// Whether nothing is said of the site because its meter was not read for `old` seconds, and may be again.
    #[must_use]
    pub fn waits_for_meter(&self, now: i64, old: i64) -> bool {
        self.metered.is_some_and(|at| {
            let since = now.saturating_sub(at.unix_seconds());
            (old..TOGETHER).contains(&since)
        })
    }

    fn by_meter(&self, flow: &Flow) -> Site {
        Site {
            measured_at: flow.measured_at,
            basis: Basis::Meter,
            power_w: flow.power_w,
            energy_today_wh: flow.energy_today_wh,
            energy_lifetime_wh: flow.energy_lifetime_wh,
            inverters_reporting: count(self.heard(flow.measured_at.unix_seconds() - TOGETHER)),
            inverters_total: self.total(flow.measured_at.unix_seconds()),
        }
    }

    fn by_inverters(&mut self, counted: Option<&Flow>, now: i64) -> Option<Site> {
        let newest = self
            .newest
            .values()
            .map(|report| report.reported_at)
            .max()?;
        let until = newest.unix_seconds() + TOGETHER;
        let (measured_at, power_w, reporting) = if now >= until {
            (
                ReportTime::from_unix_seconds(until).ok()?,
                Quantity::ZERO,
                0,
            )
        } else {
            let together = || self.heard(newest.unix_seconds() - TOGETHER);
            let sum = together().fold(Quantity::ZERO, |sum, report| {
                sum.plus(report.power_w.into())
            });
            (newest, sum, count(together()))
        };
        let (today, lifetime) = self.energy(counted, now);
        // At night nothing but the day changes: then what was made in the last one is not of today any more.
        let is_new_day = now >= until
            && today
                .zip(self.said_today)
                .is_some_and(|(today, said)| today < said);
        let measured_at = if is_new_day {
            ReportTime::from_unix_seconds(now).ok()?
        } else {
            measured_at
        };
        Some(Site {
            measured_at,
            basis: Basis::Inverters,
            power_w,
            energy_today_wh: today,
            energy_lifetime_wh: lifetime,
            inverters_reporting: reporting,
            inverters_total: self.total(now),
        })
    }

    /// Those that have reported since then and are not silent.
    fn heard(&self, earliest: i64) -> impl Iterator<Item = &Inverter> {
        let reports = self.since(earliest);
        reports.filter(|report| !self.silent.contains(&report.serial))
    }

    fn since(&self, earliest: i64) -> impl Iterator<Item = &Inverter> {
        let reports = self.newest.values();
        reports.filter(move |report| report.reported_at.unix_seconds() >= earliest)
    }

    fn present(&self) -> impl Iterator<Item = &Inverter> {
        let newest = self.newest.values().map(|report| report.reported_at).max();
        self.since(newest.map_or(i64::MAX, |newest| newest.unix_seconds() - GONE))
    }

    fn total(&self, now: i64) -> u32 {
        let undated = self.undated_at(now).map(|(_, report)| report);
        count(self.present().chain(undated))
    }
}

fn count<'a>(reports: impl Iterator<Item = &'a Inverter>) -> u32 {
    u32::try_from(reports.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
