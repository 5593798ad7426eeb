//! What the gateway remembers of one inverter.

use std::collections::VecDeque;

use super::COMMISSIONED;
use crate::site::{Panel, Report};

/// An inverter's past.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) today: Vec<Report>,
    /// The last report of the days before.
    pub(super) frozen: Option<Report>,
    /// The highest power of the days before, in watts.
    pub(super) record_w: i32,
    /// What it has given before this day, in joules.
    pub(super) before_j: i64,
    /// On each of the days before.
    pub(super) week_j: VecDeque<i64>,
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

/// What an inverter says in detail about its newest report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    pub(crate) inverter: String,
    /// None for one that has never reported.
    pub(crate) report: Option<Report>,
    pub(crate) peak_power_w: i32,
    /// What it has given up to that report, in joules.
    pub(crate) lifetime_j: i64,
    pub(crate) today_j: i64,
    pub(crate) yesterday_j: i64,
    pub(crate) week_j: i64,
    /// Unix seconds.
    pub(crate) installed: i64,
    /// It was not replaced, and has reported at some time.
    pub(crate) active: bool,
}

impl Unit {
    /// How the list has it at `now` (Unix seconds).
    pub(super) fn row(&self, panel: &Panel, now: i64) -> Row {
        let latest = self.shown(now).last().or(self.frozen.as_ref());
        let best_w = self.shown(now).map(|report| report.power_w).max();
        Row {
            inverter: panel.serial.clone(),
            reported_at: latest.map_or(0, |report| report.at),
            power_w: latest.map_or(0, |report| report.power_w),
            peak_power_w: best_w.unwrap_or(i32::MIN).max(self.record_w),
        }
    }

    /// What it has given in the reports of this day that are shown, in joules.
    pub(super) fn today_j(&self, now: i64) -> i64 {
        self.shown(now).map(|report| report.joules).sum()
    }

    /// What it says in detail about this report, which may be an earlier one than its newest.
    pub(super) fn detail(&self, row: &Row) -> Detail {
        let mut known = self.today.iter().chain(&self.frozen);
        let report =
            known.find(|report| report.at == row.reported_at && report.power_w == row.power_w);
        let until = self
            .today
            .iter()
            .filter(|report| report.at <= row.reported_at);
        let today_j = until.map(|report| report.joules).sum();
        Detail {
            inverter: row.inverter.clone(),
            report: report.copied(),
            peak_power_w: row.peak_power_w,
            lifetime_j: self.before_j + today_j,
            today_j,
            yesterday_j: self.week_j.back().copied().unwrap_or(0),
            week_j: self.week_j.iter().sum(),
            installed: COMMISSIONED * 86_400,
            active: row.reported_at > 0,
        }
    }

    pub(super) fn shown(&self, now: i64) -> impl Iterator<Item = &Report> {
        self.today
            .iter()
            .filter(move |report| report.shown_from <= now)
    }
}

/// Adds a day to those of a week.
pub(super) fn keep_a_week(week_j: &mut VecDeque<i64>, day_j: i64) {
    week_j.push_back(day_j);
    if week_j.len() > 7 {
        week_j.pop_front();
    }
}
