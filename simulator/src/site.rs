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

mod ac_batteries;
mod daylight;
mod flows;
mod history;
mod home;
mod noise;
mod panel;
mod sky;
mod sun;
#[cfg(test)]
mod tests;
mod timetable;

use daylight::Daylight;
use flows::Flows;
pub(crate) use flows::Metered;
pub use history::PastFlow;
pub(crate) use history::{Detail, History, Production, Row};
pub(crate) use noise::{hash, text_hash};
pub use panel::NotChanged;
use panel::Panel;
pub(crate) use panel::Panels;
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
    /// Whether meters are connected, whatever the gateway shows of them.
    pub(crate) metered: bool,
    /// What its batteries hold, in Wh.
    pub(crate) capacity_wh: f64,
    /// How many AC batteries it has, and what part each holds of that.
    pub(crate) ac_batteries: (usize, f64),
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
    metered: bool,
    capacity_wh: f64,
    ac_batteries: (usize, f64),
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
    /// What it has fed in during the interval. It draws nothing from this when its power is negative.
    pub(crate) joules: i64,
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
            metered: plan.metered,
            capacity_wh: plan.capacity_wh,
            ac_batteries: plan.ac_batteries,
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

    /// The place of an inverter in use.
    fn place(&self, inverter: &str) -> Option<usize> {
        let mut panels = self.panels.iter();
        panels.position(|panel| panel.serial == inverter)
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

    /// The reports of one inverter on that day, in order of time; at least one, unless it is dead.
    fn reports(&self, panel: &Panel, light: &Daylight) -> Vec<Report> {
        if panel.is == Panels::Dead {
            return Vec::new();
        }
        let times = self.timetable.day(self.sun, light.day, panel.key);
        let last = times.len().saturating_sub(1);
        let report = |(i, time): (usize, &ReportTime)| {
            let (power_w, joules) = if i == last {
                let power_w = panel.dusk_power_w(light.day);
                (power_w, i64::from(power_w.max(0)) * time.duration_s)
            } else {
                panel.interval(light, time.at, time.duration_s)
            };
            Report {
                at: time.at,
                duration_s: time.duration_s,
                shown_from: time.at + time.delay_s,
                power_w,
                joules,
            }
        };
        times.iter().enumerate().map(report).collect()
    }

    /// What all panels give in each minute of a day, in watts, as a meter sees it.
    fn panels_w(&self, light: &Daylight) -> Vec<f64> {
        let living = || self.panels.iter().filter(|panel| panel.is != Panels::Dead);
        Flows::minutes_of(self.sun.midnight(light.day))
            .map(|until| living().map(|panel| panel.power_w(light, until, 60)).sum())
            .collect()
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
