//! What the gateway remembers of a site's reports up to now.

use std::collections::VecDeque;
use std::mem;

use super::{NotReplaced, Panel, Report, Site};

/// Days before the beginning that are gone through first, so that the first answer already has a
/// dusk before it, records, and a week of energy.
const DAYS_BEFORE: i64 = 8;
/// Energy of an inverter on an average day, in Wh, for the lifetime counter's start.
const AVERAGE_DAY_WH: i64 = 1_100;
/// The day on which every site was commissioned: 2024-04-01.
const COMMISSIONED: i64 = 19_814;

/// A site's past, moved forward day by day.
#[derive(Debug)]
pub(crate) struct History {
    site: Site,
    day: i64,
    now: i64,
    units: Vec<Unit>,
    /// Of inverters that were replaced: what they have said last.
    retired: Vec<Row>,
    /// What they have given on this day, in Wh.
    retired_wh: f64,
    week_wh: VecDeque<f64>,
    lifetime_wh: f64,
}

#[derive(Debug)]
struct Unit {
    today: Vec<Report>,
    /// The last report of the days before.
    frozen: Option<Report>,
    /// The highest power of the days before, in watts.
    record_w: i32,
}

/// One line of the gateway's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) inverter: String,
    /// Unix seconds; 0 for one that has never reported.
    pub(crate) reported_at: i64,
    pub(crate) power_w: i32,
    pub(crate) peak_power_w: i32,
}

/// Totals of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Production {
    pub(crate) now_w: i64,
    pub(crate) today_wh: i64,
    pub(crate) seven_days_wh: i64,
    pub(crate) lifetime_wh: i64,
    /// Unix seconds of the newest report of this day; 0 before the first.
    pub(crate) reading_time: i64,
    pub(crate) inverters: usize,
}

impl History {
    /// The site's past at a moment (Unix seconds) and from then on.
    pub(crate) fn new(site: Site, begins: i64) -> Self {
        let day = site.sun.day(begins) - DAYS_BEFORE;
        let per_day = AVERAGE_DAY_WH * i64::try_from(site.panels.len()).unwrap_or(i64::MAX);
        let light = site.daylight(day);
        let units = site.panels.iter().map(|panel| Unit {
            today: site.reports(panel, &light),
            frozen: None,
            record_w: panel.record_w,
        });
        let mut history = Self {
            units: units.collect(),
            retired: Vec::new(),
            retired_wh: 0.0,
            day,
            now: begins,
            week_wh: VecDeque::new(),
            lifetime_wh: watt_hours((day - COMMISSIONED).max(0).saturating_mul(per_day)),
            site,
        };
        history.advance(begins);
        history
    }

    /// The list as the gateway shows it at `at` (Unix seconds). Time only goes forward: for an
    /// earlier moment than before it is still the later list.
    pub(crate) fn rows(&mut self, at: i64) -> Vec<Row> {
        self.advance(at);
        let living = self.site.panels.iter().zip(&self.units);
        let living = living.map(|(panel, unit)| unit.row(panel, self.now));
        let ghosts = self.site.ghosts.iter().map(|serial| Row {
            inverter: serial.clone(),
            reported_at: 0,
            power_w: 0,
            peak_power_w: 0,
        });
        let retired = self.retired.iter().cloned();
        living.chain(retired).chain(ghosts).collect()
    }

    /// Whether inverters have their places in the whole interval, from the next day on.
    pub(crate) fn set_spread(&mut self, spread: bool) {
        self.site.timetable.set_spread(spread);
    }

    /// Puts a new inverter in the place of this one at `at` (Unix seconds), and says which. The old one
    /// stays in the list with what it has said last; the new one is in it at once, and without a date
    /// until it reports.
    pub(crate) fn replace(&mut self, inverter: &str, at: i64) -> Result<String, NotReplaced> {
        self.advance(at);
        let mut panels = self.site.panels.iter();
        let place = panels.position(|panel| panel.serial == inverter);
        let place = place.ok_or_else(|| NotReplaced::Unknown(inverter.to_owned()))?;
        let old = self.site.replace(place)?;
        let unit = &self.units[place];
        self.retired.push(unit.row(&old, self.now));
        self.retired_wh += unit.shown(self.now).map(energy_wh).sum::<f64>();
        let new = &self.site.panels[place];
        let mut today = self.site.reports(new, &self.site.daylight(self.day));
        // It was not there yet when the interval of these began.
        today.retain(|report| report.at - report.duration_s >= self.now);
        self.units[place] = Unit {
            today,
            frozen: None,
            record_w: 0,
        };
        Ok(new.serial.clone())
    }

    /// The site's totals at `at` (Unix seconds).
    pub(crate) fn production(&mut self, at: i64) -> Production {
        let rows = self.rows(at);
        let today: f64 = self
            .units
            .iter()
            .flat_map(|unit| unit.shown(self.now))
            .map(energy_wh)
            .sum::<f64>()
            + self.retired_wh;
        let newest = self
            .units
            .iter()
            .flat_map(|unit| unit.shown(self.now))
            .map(|r| r.at)
            .max();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "far below what an i64 holds"
        )]
        let whole = |wh: f64| wh as i64;
        Production {
            now_w: rows.iter().map(|row| i64::from(row.power_w)).sum(),
            today_wh: whole(today),
            seven_days_wh: whole(self.week_wh.iter().sum()),
            lifetime_wh: whole(self.lifetime_wh + today),
            reading_time: newest.unwrap_or(0),
            inverters: self.units.len(),
        }
    }

    fn advance(&mut self, at: i64) {
        self.now = self.now.max(at);
        while self.day < self.site.sun.day(self.now) {
            self.day += 1;
            let light = self.site.daylight(self.day);
            let mut energy = mem::take(&mut self.retired_wh);
            for (unit, panel) in self.units.iter_mut().zip(&self.site.panels) {
                energy += unit.today.iter().map(energy_wh).sum::<f64>();
                let best = unit.today.iter().map(|report| report.power_w).max();
                unit.record_w = unit.record_w.max(best.unwrap_or(i32::MIN));
                unit.frozen = unit.today.last().copied().or(unit.frozen);
                unit.today = self.site.reports(panel, &light);
            }
            self.lifetime_wh += energy;
            self.week_wh.push_back(energy);
            if self.week_wh.len() > 7 {
                self.week_wh.pop_front();
            }
        }
    }
}

impl Unit {
    /// How the list has it at `now` (Unix seconds).
    fn row(&self, panel: &Panel, now: i64) -> Row {
        let latest = self.shown(now).last().or(self.frozen.as_ref());
        let best_w = self.shown(now).map(|report| report.power_w).max();
        Row {
            inverter: panel.serial.clone(),
            reported_at: latest.map_or(0, |report| report.at),
            power_w: latest.map_or(0, |report| report.power_w),
            peak_power_w: best_w.unwrap_or(i32::MIN).max(self.record_w),
        }
    }

    fn shown(&self, now: i64) -> impl Iterator<Item = &Report> {
        self.today
            .iter()
            .filter(move |report| report.shown_from <= now)
    }
}

fn energy_wh(report: &Report) -> f64 {
    watt_hours(i64::from(report.power_w) * report.duration_s) / 3600.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a site's whole life fits into 53 bits"
)]
fn watt_hours(value: i64) -> f64 {
    value as f64
}
