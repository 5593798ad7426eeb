//! What the gateway remembers of a site's reports up to now.

use std::collections::VecDeque;
use std::mem;

use super::ac_batteries::{AcBatteries, AcReport};
use super::flows::{Flows, Metered};
use super::noise::hash;
use super::{NotChanged, NotReplaced, Panels, Site};

mod past;
mod unit;

pub use past::PastFlow;
pub(crate) use unit::{Detail, Row};
use unit::{Unit, keep_a_week};

/// Days before the beginning that are gone through first, so that the first answer already has a
/// dusk before it, records, and a week of energy.
const DAYS_BEFORE: i64 = 8;
/// Energy of an inverter on an average day, in Wh, for the lifetime counter's start.
const AVERAGE_DAY_WH: i64 = 1_100;
/// Joules of a watt-hour.
const JOULES: i64 = 3_600;
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
    /// What they have given on this day, in joules, and in their lives.
    retired_today_j: i64,
    retired_j: i64,
    /// What all have given on each of the days before.
    week_j: VecDeque<i64>,
    /// What the gateway's counter of all inverters shows beyond what they have given, in Wh.
    ahead_wh: i64,
    /// None where no meters are connected.
    flows: Option<Flows>,
    /// None where there are no flows.
    ac_batteries: Option<AcBatteries>,
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
        let days = (day - COMMISSIONED).max(0);
        let light = site.daylight(day);
        let units = site.panels.iter().map(|panel| Unit {
            today: site.reports(panel, &light),
            frozen: None,
            record_w: panel.record_w,
            before_j: days.saturating_mul(AVERAGE_DAY_WH * JOULES),
            week_j: VecDeque::new(),
        });
        let mut history = Self {
            units: units.collect(),
            retired: Vec::new(),
            retired_today_j: 0,
            retired_j: 0,
            day,
            now: begins,
            week_j: VecDeque::new(),
            ahead_wh: 0,
            flows: None,
            ac_batteries: None,
            site,
        };
        history.advance(begins);
        history.connect_meters();
        history
    }

    /// From this day on.
    fn connect_meters(&mut self) {
        if !self.site.metered {
            return;
        }
        let produced_j: i64 = self.units.iter().map(|unit| unit.before_j).sum();
        let midnight = self.site.sun.midnight(self.day);
        let mut flows = Flows::new(
            hash(&[self.site.seed, 4]),
            (self.units.len(), self.site.capacity_wh),
            (
                watt_hours(produced_j),
                float((self.day - COMMISSIONED).max(1)),
            ),
            midnight,
        );
        flows.next_day(midnight, self.panels_w());
        let Site {
            seed,
            ac_batteries,
            timetable,
            ..
        } = &self.site;
        let interval_s = timetable.interval_s();
        let reports = AcBatteries::new(*seed, interval_s, *ac_batteries, &flows, self.now);
        self.ac_batteries = Some(reports);
        self.flows = Some(flows);
    }

    fn panels_w(&self) -> Vec<f64> {
        self.site.panels_w(&self.site.daylight(self.day))
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

    /// The newest report of each AC battery at `at` (Unix seconds).
    pub(crate) fn ac_batteries(&mut self, at: i64) -> Vec<AcReport> {
        self.advance(at);
        let reports = self.ac_batteries.as_ref().map(AcBatteries::newest);
        reports.unwrap_or_default().to_vec()
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
        let place = self.site.place(inverter);
        let place = place.ok_or_else(|| NotReplaced::Unknown(inverter.to_owned()))?;
        let old = self.site.replace(place)?;
        let unit = &self.units[place];
        self.retired.push(unit.row(&old, self.now));
        let today_j = unit.today_j(self.now);
        self.retired_today_j += today_j;
        self.retired_j += unit.before_j + today_j;
        let new = &self.site.panels[place];
        let mut today = self.site.reports(new, &self.site.daylight(self.day));
        // It was not there yet when the interval of these began.
        today.retain(|report| report.at - report.duration_s >= self.now);
        self.units[place] = Unit {
            today,
            frozen: None,
            record_w: 0,
            before_j: 0,
            week_j: VecDeque::new(),
        };
        Ok(new.serial.clone())
    }

    /// Makes an inverter dead, shaded or well from `at` (Unix seconds) on.
    pub(crate) fn change(&mut self, inverter: &str, is: Panels, at: i64) -> Result<(), NotChanged> {
        self.advance(at);
        let place = self.site.place(inverter);
        let place = place.ok_or_else(|| NotChanged::Unknown(inverter.to_owned()))?;
        self.site.panels[place].is = is;
        let light = self.site.daylight(self.day);
        let anew = self.site.reports(&self.site.panels[place], &light);
        let (unit, now) = (&mut self.units[place], self.now);
        unit.today.retain(|report| report.at <= now);
        unit.today
            .extend(anew.into_iter().filter(|report| report.at > now));
        let panels_w = self.panels_w();
        if let Some(flows) = &mut self.flows {
            flows.change_panels(now, panels_w);
        }
        Ok(())
    }

    /// The gateway's counters of lifetimes, its meters' among them, show this at `at` (Unix seconds) and
    /// count on. Those of the inverters themselves do not change.
    pub(crate) fn count_from(&mut self, wh: u32, at: i64) {
        self.advance(at);
        self.ahead_wh += i64::from(wh) - self.production(at).lifetime_wh;
        let now = self.now;
        if let Some(flows) = &mut self.flows {
            flows.count_from(wh.into(), now);
        }
    }

    /// What meters and batteries show at `at` (Unix seconds); none where there are none.
    pub(crate) fn metered(&mut self, at: i64) -> Option<Metered> {
        self.advance(at);
        self.flows.as_ref().map(|flows| flows.at(self.now))
    }

    /// What is said in detail at `at` (Unix seconds) about these reports, each with its inverter.
    pub(crate) fn details(&mut self, rows: &[Row], at: i64) -> Vec<Detail> {
        self.advance(at);
        let of = |row: &Row| {
            let place = self.site.place(&row.inverter);
            let retired = Detail {
                inverter: row.inverter.clone(),
                report: None,
                peak_power_w: row.peak_power_w,
                lifetime_j: 0,
                today_j: 0,
                yesterday_j: 0,
                week_j: 0,
                installed: COMMISSIONED * 86_400,
                active: false,
            };
            place.map_or(retired, |place| self.units[place].detail(row))
        };
        rows.iter().map(of).collect()
    }

    /// The site's totals at `at` (Unix seconds).
    pub(crate) fn production(&mut self, at: i64) -> Production {
        let rows = self.rows(at);
        let today = self.units.iter().map(|unit| unit.today_j(self.now));
        let today_j = today.sum::<i64>() + self.retired_today_j;
        let before = self.units.iter().map(|unit| unit.before_j);
        let before_j = before.sum::<i64>() + self.retired_j - self.retired_today_j;
        let newest = self
            .units
            .iter()
            .flat_map(|unit| unit.shown(self.now))
            .map(|r| r.at)
            .max();
        Production {
            now_w: rows.iter().map(|row| i64::from(row.power_w)).sum(),
            today_wh: today_j / JOULES,
            seven_days_wh: self.week_j.iter().sum::<i64>() / JOULES,
            lifetime_wh: (before_j + today_j) / JOULES + self.ahead_wh,
            reading_time: newest.unwrap_or(0),
            inverters: self.units.len(),
        }
    }

    fn advance(&mut self, at: i64) {
        self.now = self.now.max(at);
        while self.day < self.site.sun.day(self.now) {
            self.day += 1;
            let light = self.site.daylight(self.day);
            let mut all_j = mem::take(&mut self.retired_today_j);
            for (unit, panel) in self.units.iter_mut().zip(&self.site.panels) {
                let today_j = unit.today.iter().map(|report| report.joules).sum();
                all_j += today_j;
                unit.before_j += today_j;
                keep_a_week(&mut unit.week_j, today_j);
                let best = unit.today.iter().map(|report| report.power_w).max();
                unit.record_w = unit.record_w.max(best.unwrap_or(i32::MIN));
                unit.frozen = unit.today.last().copied().or(unit.frozen);
                unit.today = self.site.reports(panel, &light);
            }
            keep_a_week(&mut self.week_j, all_j);
            let midnight = self.site.sun.midnight(self.day);
            self.ac_batteries_until(midnight - 1);
            if let Some(flows) = &mut self.flows {
                flows.next_day(midnight, self.site.panels_w(&light));
            }
        }
        self.ac_batteries_until(self.now);
    }

    fn ac_batteries_until(&mut self, until: i64) {
        if let (Some(batteries), Some(flows)) = (&mut self.ac_batteries, &self.flows) {
            batteries.advance(flows, until);
        }
    }
}

fn watt_hours(joules: i64) -> f64 {
    float(joules) / float(JOULES)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a site's whole life fits into 53 bits"
)]
fn float(value: i64) -> f64 {
    value as f64
}
