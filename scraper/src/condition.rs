//! Which inverter reports, which is asleep, and which is silent while others report: pure.
//!
//! The gateway's list says nothing of that. It shows each inverter's last report for ever: at night as it was
//! at dusk, and of a dead one for years. So it is judged by the reports' times, against the gateway's own
//! clock, and against each other. In reading order: [`interval`] learns how often an inverter reports;
//! [`night`] tells an inverter that sleeps from one that is silent; [`output`] compares what they produce;
//! this file keeps what is known of each.
//!
//! Nothing here is an alarm that need not be one: a list that is empty or short after a restart of the gateway
//! takes nothing away, and judges nobody; a gateway that does not answer changes nothing.

pub mod interval;
pub mod night;
pub mod output;

use std::collections::{BTreeMap, HashMap};

use wire::{Health, InverterHealth, InverterState, Serial};

use crate::names::Names;
use interval::Interval;
use night::Sight;
use output::Output;

/// Inverters that are judged. The largest gateways have some 600.
const MOST: usize = 2000;

/// A day, in seconds. A clock that was set back by more was wrong before, and so is what was learned by it; an
/// inverter whose last report is older by more than the newest of its siblings' has missed a day.
const DAY: i64 = 24 * 3600;

/// A report in the gateway's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The inverter.
    pub serial: Serial,
    /// When it reported, by the gateway's clock, in Unix seconds.
    pub at: i64,
    /// What it produced on average since its report before, in watts.
    pub power_w: i32,
    /// The most it ever reported, in watts.
    pub peak_power_w: i32,
}

/// What is known of one inverter.
#[derive(Debug, Clone)]
struct Track {
    at: i64,
    power_w: i32,
    peak_power_w: i32,
    state: InverterState,
    fresh: bool,
    interval: Interval,
    missed: u64,
    output: Output,
}

/// What is known of the inverters of one gateway.
#[derive(Debug, Default)]
pub struct Condition {
    tracks: BTreeMap<Serial, Track>,
    never_reported: usize,
    /// The gateway's clock at the last poll.
    polled: Option<i64>,
    /// The gateway's clock at the last poll whose list had most of the inverters.
    heard: Option<i64>,
    /// The gateway's clock when all were asleep last.
    asleep: Option<i64>,
}

impl Condition {
    /// Takes in the list of one poll, with the gateway's clock then, in Unix seconds. Whether that clock was
    /// set back so far that everything is learned anew.
    pub fn poll(
        &mut self,
        listed: &[Listed],
        never_reported: usize,
        now: i64,
        names: &Names,
    ) -> bool {
        let set_back = self.polled.is_some_and(|before| now < before - DAY);
        if set_back {
            *self = Self::default();
        }
        self.never_reported = never_reported;
        let new = self.learn(listed, now);
        self.polled = Some(now);
        // After a restart the gateway lists few for a while. Of the others nothing is known then.
        if listed.len() * 2 >= self.tracks.len() {
            self.heard = Some(now);
            self.judge(now);
        }
        self.compare(&new, names);
        set_back
    }

    /// Takes in the reports. Returns whose are new.
    fn learn(&mut self, listed: &[Listed], now: i64) -> Vec<Serial> {
        let mut new = Vec::new();
        for report in listed {
            if let Some(track) = self.tracks.get_mut(&report.serial) {
                if report.at == track.at {
                    continue;
                }
                let since = report.at - track.at;
                let was_night = self.asleep.is_some_and(|asleep| asleep >= track.at);
                // What came while nobody asked, or the gateway did not say, was not missed.
                let watched = self
                    .heard
                    .is_some_and(|heard| heard >= track.at && now - heard <= interval::SHORTEST);
                if !was_night && watched {
                    track.missed += track.interval.missed(since);
                }
                track.interval.learn(since);
                track.at = report.at;
                track.power_w = report.power_w;
                track.peak_power_w = report.peak_power_w;
            } else if self.tracks.len() < MOST {
                self.tracks.insert(
                    report.serial.clone(),
                    Track {
                        at: report.at,
                        power_w: report.power_w,
                        peak_power_w: report.peak_power_w,
                        state: InverterState::Asleep,
                        fresh: true,
                        interval: Interval::default(),
                        missed: 0,
                        output: Output::default(),
                    },
                );
            } else {
                continue;
            }
            new.push(report.serial.clone());
        }
        new
    }

    /// Says of each whether it reports.
    fn judge(&mut self, now: i64) {
        let typical = interval::typical(self.tracks.values().map(|track| &track.interval));
        let sight = Sight::of(self.tracks.values().map(|track| night::Report {
            age: now - track.at,
            interval: track.interval.seconds().unwrap_or(typical),
            power_w: track.power_w,
            peak_power_w: track.peak_power_w,
        }));
        if sight.is_night() {
            self.asleep = Some(now);
        }
        let newest = self.tracks.values().map(|track| track.at).max();
        for track in self.tracks.values_mut() {
            let interval = track.interval.seconds().unwrap_or(typical);
            // Of the evening it says nothing in the morning: it is silent until it reports.
            let is_known = track.state == InverterState::Silent;
            let missed_a_day = newest.is_some_and(|newest| newest - track.at > DAY);
            let may_sleep = sight.is_night() || sight.is_twilight();
            (track.state, track.fresh) = if night::is_recent(now - track.at, interval) {
                (InverterState::Reporting, true)
            } else if may_sleep && !is_known && !missed_a_day {
                (InverterState::Asleep, true)
            } else {
                (InverterState::Silent, false)
            };
        }
    }

    /// Compares what those produced that have a new report with what the middle one of their siblings did.
    fn compare(&mut self, new: &[Serial], names: &Names) {
        let mut powers: HashMap<Option<&str>, Vec<i32>> = HashMap::new();
        for (serial, track) in &self.tracks {
            if track.state == InverterState::Reporting {
                powers.entry(None).or_default().push(track.power_w);
                if let Some(array) = names.array(serial) {
                    powers.entry(Some(array)).or_default().push(track.power_w);
                }
            }
        }
        let medians: HashMap<Option<&str>, i32> = powers
            .into_iter()
            .filter_map(|(array, powers)| Some((array, output::median(powers)?)))
            .collect();
        for serial in new {
            let Some(track) = self.tracks.get_mut(serial) else {
                continue;
            };
            let array = names.array(serial);
            let median = array
                .and_then(|array| medians.get(&Some(array)))
                .or_else(|| medians.get(&None));
            if let (InverterState::Reporting, Some(median)) = (track.state, median) {
                track.output.take(track.power_w, *median, track.at);
            }
        }
    }

    /// What is known, for the `health` topic.
    #[must_use]
    pub fn health(&self, envoy: &Serial, names: &Names) -> Health {
        let count = |state| {
            let of = self.tracks.values().filter(|track| track.state == state);
            u32::try_from(of.count()).unwrap_or(u32::MAX)
        };
        let now = self.polled.unwrap_or_default();
        Health {
            envoy: envoy.clone(),
            reporting: count(InverterState::Reporting),
            asleep: count(InverterState::Asleep),
            silent: count(InverterState::Silent),
            total: u32::try_from(self.tracks.len()).unwrap_or(u32::MAX),
            never_reported: u32::try_from(self.never_reported).unwrap_or(u32::MAX),
            inverters: self
                .tracks
                .iter()
                .map(|(serial, track)| (serial.clone(), track.health(serial, now, names)))
                .collect(),
        }
    }
}

impl Track {
    fn health(&self, serial: &Serial, now: i64, names: &Names) -> InverterHealth {
        let missing = match self.state {
            // The report that is due now may yet come.
            InverterState::Silent => self.interval.missed(now - self.at),
            _ => 0,
        };
        InverterHealth {
            state: self.state,
            fresh: self.fresh,
            interval_s: self
                .interval
                .seconds()
                .and_then(|seconds| u32::try_from(seconds).ok()),
            missed_reports: self.missed.saturating_add(missing),
            relative_output_pct: self.output.percent(),
            name: names.name(serial).map(str::to_owned),
            array: names.array(serial).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests;
