//! A synthetic site: what its inverters report, as a pure function of seed and time.
//!
//! Every report is computed from the seed, the inverter and the day alone. So a simulator that is
//! started again shows the same reports at the same times, and nothing here knows a clock.
//! Protocol facts: pre-7 gateways ask all inverters in one sweep of 13 to 60 s, later ones spread
//! them over the interval in slots of 30 s; durations are the interval and 3 to 34 s more, so that
//! reports are never on a grid; at dusk an inverter reports a last time and its row then stays as
//! it is; a row can show up to about 100 s after its own time.

use std::mem;

use jiff::civil;
use thiserror::Error;

use crate::firmware::Firmware;
use crate::serial::Serial;

mod daylight;
mod history;
mod noise;
mod sky;
mod sun;
#[cfg(test)]
mod tests;
mod timetable;

use daylight::{Daylight, LONGEST_LAG_S};
pub(crate) use history::{History, Production, Row};
pub(crate) use noise::hash;
use noise::{text_hash, unit};
use sky::Sky;
pub(crate) use sun::Sun;
use timetable::{ReportTime, Timetable};

/// As many inverters can a site have, those that were replaced included.
pub(crate) const SERIALS: usize = 10_000;

/// What a site is made of.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) inverters: usize,
    pub(crate) ghosts: usize,
    pub(crate) seed: u64,
    pub(crate) report_interval_s: u32,
    pub(crate) noon: civil::Time,
}

/// The inverters of one gateway under one sky.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    seed: u64,
    panels: Vec<Panel>,
    ghosts: Vec<String>,
    /// How many serials were given out.
    serials: usize,
    sun: Sun,
    sky: Sky,
    timetable: Timetable,
}

/// The inverter can't be replaced.
#[derive(Debug, Error)]
pub enum NotReplaced {
    /// A recording stands still.
    #[error("a recorded gateway keeps its inverters: simulate a site")]
    Recorded,
    /// There is none of this serial in use.
    #[error("{0:?} is no inverter in use: take a serial of the list, of one that reports")]
    Unknown(String),
    /// Serials of inverters are numbered.
    #[error("all {SERIALS} serials of this site are used up: start another simulator")]
    UsedUp,
}

/// One report of one inverter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Unix seconds: the end of the interval.
    pub(crate) at: i64,
    /// Length of the interval in seconds.
    pub(crate) duration_s: i64,
    /// When the gateway's list begins to show it, in Unix seconds.
    pub(crate) shown_from: i64,
    /// Average over the interval.
    pub(crate) power_w: i32,
}

/// A report that such a site has made before it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastReport {
    /// The inverter's serial.
    pub inverter: String,
    /// Unix seconds.
    pub reported_at: i64,
    /// Average over the interval before it.
    pub power_w: i32,
    /// The highest that the inverter had given until then.
    pub peak_power_w: i32,
}

/// One inverter with its panel.
#[derive(Clone, Debug)]
struct Panel {
    serial: String,
    /// Names this panel in every hash.
    key: u64,
    /// What the panel gives in full sun, in watts.
    rated_w: f64,
    /// What the inverter can feed in at most, in watts.
    limit_w: f64,
    /// The record it had set before the simulation, in watts.
    record_w: i32,
    /// How much later than others the edge of a cloud reaches it, in seconds.
    lag_s: i64,
}

impl Site {
    /// The site of the gateway `envoy`. Other serials and other seeds give other inverters.
    pub(crate) fn new(plan: &Plan, firmware: &Firmware, envoy: &Serial) -> Self {
        let seed = hash(&[plan.seed, text_hash(envoy.as_str())]);
        let serials = plan.inverters + plan.ghosts;
        let mut units = (0..serials).map(|unit| unit_of(seed, unit));
        let mut panels: Vec<Panel> = units
            .by_ref()
            .take(plan.inverters)
            .map(|(key, serial)| Panel::new(key, serial))
            .collect();
        // Gateways don't sort their list.
        panels.sort_by_key(|panel| panel.key);
        let sun = Sun::new(plan.noon);
        Self {
            seed,
            serials,
            panels,
            ghosts: units.map(|(_, serial)| serial).collect(),
            sun,
            sky: Sky::new(hash(&[seed, 2])),
            timetable: Timetable::new(
                hash(&[seed, 3]),
                plan.report_interval_s,
                firmware.uses_tokens(),
            ),
        }
    }

    /// What was on show at `until` (Unix seconds) of that solar day and the `days` before it, inverter by
    /// inverter in order of time.
    pub(crate) fn past(&self, until: i64, days: i64) -> Vec<PastReport> {
        let last = self.sun.day(until);
        let lights: Vec<Daylight> = (last - days..=last).map(|day| self.daylight(day)).collect();
        let mut past = Vec::new();
        for panel in &self.panels {
            let mut peak_power_w = panel.record_w;
            let reports = lights.iter().flat_map(|light| self.reports(panel, light));
            for report in reports.filter(|report| report.shown_from <= until) {
                peak_power_w = peak_power_w.max(report.power_w);
                past.push(PastReport {
                    inverter: panel.serial.clone(),
                    reported_at: report.at,
                    power_w: report.power_w,
                    peak_power_w,
                });
            }
        }
        past
    }

    /// Puts a new inverter in the place of one, which is what it returns.
    fn replace(&mut self, place: usize) -> Result<Panel, NotReplaced> {
        if self.serials == SERIALS {
            return Err(NotReplaced::UsedUp);
        }
        let (key, serial) = unit_of(self.seed, self.serials);
        self.serials += 1;
        Ok(mem::replace(
            &mut self.panels[place],
            Panel::new(key, serial),
        ))
    }

    /// The light of one solar day.
    fn daylight(&self, day: i64) -> Daylight {
        Daylight::new(self.sun, self.sky, day)
    }

    /// The reports of one inverter on that day, in order of time; at least one.
    fn reports(&self, panel: &Panel, light: &Daylight) -> Vec<Report> {
        let times = self.timetable.day(self.sun, light.day, panel.key);
        let last = times.len().saturating_sub(1);
        let report = |(i, time): (usize, &ReportTime)| Report {
            at: time.at,
            duration_s: time.duration_s,
            shown_from: time.at + time.delay_s,
            power_w: if i == last {
                panel.dusk_power_w(light.day)
            } else {
                panel.power_w(light, time.at, time.duration_s)
            },
        };
        times.iter().enumerate().map(report).collect()
    }
}

impl Panel {
    fn new(key: u64, serial: String) -> Self {
        let limit_w = (290.0 + 10.0 * unit(&[key, 1])).round();
        // Some never reach their inverter's limit, so that they break their record now and then.
        let rated_w = 262.0 + 80.0 * unit(&[key, 3]);
        #[expect(clippy::cast_possible_truncation, reason = "at most 300 W")]
        let record_w = (limit_w.min(rated_w) * (0.9 + 0.08 * unit(&[key, 2]))) as i32;
        Self {
            serial,
            key,
            rated_w,
            limit_w,
            record_w,
            lag_s: hash(&[key, 4]).cast_signed().rem_euclid(LONGEST_LAG_S),
        }
    }

    /// The average of an interval: its own small wavering around what the light gives, and at most
    /// what the inverter can do.
    fn power_w(&self, light: &Daylight, until: i64, duration_s: i64) -> i32 {
        let until = until - self.lag_s;
        let wavering = 1.0 + 0.02 * (noise::smooth(self.key, until, 900) - 0.5);
        let power_w = self.rated_w * light.average(until - duration_s, until) * wavering;
        #[expect(clippy::cast_possible_truncation, reason = "at most 300 W")]
        let power_w = power_w.min(self.limit_w).round() as i32;
        power_w
    }

    /// What an inverter says last: usually nothing, sometimes a few watts, sometimes it draws some.
    fn dusk_power_w(&self, day: i64) -> i32 {
        let kind = unit(&[self.key, 5, day.cast_unsigned()]);
        let amount = hash(&[self.key, 6, day.cast_unsigned()]);
        match kind {
            ..0.5 => 0,
            ..0.75 => 1 + (amount % 5) as i32,
            _ => -1 - (amount % 4) as i32,
        }
    }
}

/// What names one of a site's inverters in every hash, and its serial.
fn unit_of(seed: u64, unit: usize) -> (u64, String) {
    (hash(&[seed, 1, unit as u64]), inverter_serial(seed, unit))
}

/// Twelve digits like those of IQ inverters; unique within a site.
fn inverter_serial(site: u64, unit: usize) -> String {
    // 7919 has no factor in common with 10,000: every unit gets a number of its own.
    let number = (unit as u64 * 7_919 + site % 10_000) % 10_000;
    format!("48{:06}{number:04}", (site >> 16) % 1_000_000)
}
