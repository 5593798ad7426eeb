//! Which inverter reports, which is asleep, and which is silent while others report: pure.
//!
//! The gateway's list says nothing of that. It shows each inverter's last report for ever: at night as it was
//! at dusk, and of a dead one for years. So it is judged by the reports' times, against the gateway's own
//! clock, and against each other. In reading order: [`interval`] learns how often an inverter reports;
//! [`night`] tells an inverter that sleeps from one that is silent; `track` is what is known of one; this file takes
//! in the lists; `judgement` says what each does; [`output`] and `siblings` compare what they produce; `one_look` judges for
//! somebody who has not watched.
//!
//! When the gateway's clock is set back, the times of all reports tell nothing any more: each inverter does what it did
//! until it reports, or until it should have, and its value is not fresh. Nor is it while the clock is behind the
//! report on its plain topic, which never steps back in time.
//!
//! Nothing here is an alarm that need not be one: a list that is empty or short after a restart of the gateway
//! takes nothing away, and judges nobody; a gateway that does not answer changes nothing.

pub mod interval;
pub mod night;
mod one_look;
pub mod output;

mod judgement;
mod siblings;
mod track;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wire::{Health, InverterState, Serial, is_set_back};

use crate::clock;
use crate::names::Names;
use track::Track;

/// Inverters that are judged. The largest gateways have some 600.
const MOST: usize = 2000;

/// A day, in seconds: an inverter whose last report is older by more than the newest of its siblings' has missed one.
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

/// The times that a gateway's clock may show, in Unix seconds: four digits of a year.
const TIMES: std::ops::Range<i64> = 0..253_402_300_800;

/// What is known of the inverters of one gateway. It is remembered as it is (`memory.rs`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Condition {
    tracks: BTreeMap<Serial, Track>,
    never_reported: usize,
    /// The gateway's clock at the last poll.
    polled: Option<i64>,
    /// The gateway's clock at the last poll whose list had most of the inverters.
    heard: Option<i64>,
    /// The gateway's clock when all were asleep last.
    asleep: Option<i64>,
    /// The shortest time between two such polls, in seconds.
    spacing: Option<i64>,
    /// The gateway's clock at the first such poll after a gap: it was away, or listed few.
    returned: Option<i64>,
}

impl Condition {
    /// Whether all of it can have been learned: what comes from a file may be anything.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        let tracks = self.tracks.values();
        let times = [self.polled, self.heard, self.asleep, self.returned];
        let mut times = times
            .into_iter()
            .flatten()
            .chain(self.spacing)
            .chain(tracks.flat_map(|track| {
                let own = [Some(track.at), track.undated, track.ahead];
                let times = own.into_iter().chain([track.counted, track.output.at()]);
                times.flatten()
            }));
        self.tracks.len() <= MOST && times.all(|time| TIMES.contains(&time))
    }

    /// Takes in the list of one poll, with the gateway's clock then, in Unix seconds. Whether that clock was
    /// set back by over a day.
    pub fn poll(
        &mut self,
        listed: &[Listed],
        never_reported: usize,
        now: i64,
        names: &Names,
    ) -> bool {
        let before = self.polled.replace(now);
        if before.is_some_and(|before| clock::is_ahead(before, now)) {
            self.undate(now);
        } else if before.is_some_and(|before| is_set_back(now, before)) {
            self.date_again(now);
        }
        self.never_reported = never_reported;
        let new = self.learn(listed, now);
        // After a restart the gateway lists few for a while. Of the others nothing is known then.
        let dated = self.tracks.values().filter(|track| track.is_dated());
        if listed.len() * 2 >= dated.count() {
            self.hear(now);
            self.judge(now);
        }
        self.compare(&new, names);
        before.is_some_and(|before| is_set_back(before, now))
    }

    /// The clock was set back to `now`: what it showed before tells nothing.
    fn undate(&mut self, now: i64) {
        (self.heard, self.returned, self.asleep) = (None, None, None);
        for track in self.tracks.values_mut() {
            track.undate(now);
        }
    }

    /// The clock was over a day behind, as that of a gateway that has started without the time, and is put right.
    fn date_again(&mut self, now: i64) {
        for track in self.tracks.values_mut() {
            track.date_again(now);
        }
    }

    /// The list has most of the inverters.
    fn hear(&mut self, now: i64) {
        if let Some(heard) = self.heard.replace(now) {
            let since = now - heard;
            if self.is_gap(since) {
                self.returned = Some(now);
            } else if since > 0 {
                self.spacing = Some(self.spacing.map_or(since, |spacing| spacing.min(since)));
            }
        }
    }

    /// Whether so much time between two polls, in seconds, is more than usual.
    fn is_gap(&self, since: i64) -> bool {
        since > interval::SHORTEST.max(2 * self.spacing.unwrap_or(since))
    }

    /// Takes in the reports. Returns whose are new.
    fn learn(&mut self, listed: &[Listed], now: i64) -> Vec<Serial> {
        let mut new = Vec::new();
        let (heard, returned) = (self.heard, self.returned);
        let unseen = interval::SHORTEST.max(2 * self.spacing.unwrap_or_default());
        for report in listed {
            if let Some(track) = self.tracks.get_mut(&report.serial) {
                if report.at == track.at {
                    continue;
                }
                let since = report.at - track.at;
                let from = track.counted_to();
                let was_night = self.asleep.is_some_and(|asleep| asleep >= from);
                // What came while nobody asked, or the gateway did not say, was not missed.
                let watched = heard.is_some_and(|heard| heard >= from && now - heard <= unseen)
                    && returned.is_none_or(|returned| returned <= from);
                if !was_night && watched {
                    let missed = track.interval.missed(report.at - from);
                    track.missed = track.missed.saturating_add(missed);
                }
                if track.is_dated() {
                    track.interval.learn(since);
                }
                track.report(report, now);
            } else if self.tracks.len() < MOST {
                self.tracks
                    .insert(report.serial.clone(), Track::new(report));
            } else {
                continue;
            }
            new.push(report.serial.clone());
        }
        new
    }

    /// The gateway's clock at the last poll, in Unix seconds.
    #[must_use]
    pub fn polled(&self) -> Option<i64> {
        self.polled
    }

    /// The inverters that are silent while others report.
    #[must_use]
    pub fn silent(&self) -> BTreeSet<Serial> {
        let silent = |track: &Track| track.state == InverterState::Silent;
        let tracks = self.tracks.iter().filter(|(_, track)| silent(track));
        tracks.map(|(serial, _)| serial.clone()).collect()
    }

    /// What is known, for the `health` topic.
    #[must_use]
    pub fn health(&self, envoy: &Serial, names: &Names) -> Health {
        let count = |state| {
            let of = self.tracks.values().filter(|track| track.state == state);
            u32::try_from(of.count()).unwrap_or(u32::MAX)
        };
        Health {
            envoy: envoy.clone(),
            // It is dated once it is known what of it is shown.
            changed_at: None,
            reporting: count(InverterState::Reporting),
            asleep: count(InverterState::Asleep),
            silent: count(InverterState::Silent),
            total: u32::try_from(self.tracks.len()).unwrap_or(u32::MAX),
            never_reported: u32::try_from(self.never_reported).unwrap_or(u32::MAX),
            inverters: self
                .tracks
                .iter()
                .map(|(serial, track)| (serial.clone(), track.health(serial, names)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
