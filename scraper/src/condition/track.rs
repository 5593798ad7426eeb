//! What is known of one inverter.

use serde::{Deserialize, Serialize};
use wire::{InverterHealth, InverterState, Serial, is_set_back};

use super::Listed;
use super::interval::Interval;
use super::output::Output;
use crate::names::Names;

/// What is known of one inverter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Track {
    /// The time of its last report, as the gateway dated it.
    pub(super) at: i64,
    /// Since when, by the clock as it goes now, that time tells nothing: the clock was set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undated: Option<i64>,
    /// The time that its plain topic shows, where that is later than its last report's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ahead: Option<i64>,
    pub(super) power_w: i32,
    pub(super) peak_power_w: i32,
    pub(super) state: InverterState,
    pub(super) fresh: bool,
    pub(super) interval: Interval,
    pub(super) missed: u64,
    /// Up to when it is known how many were missed, where that is later than its last report.
    #[serde(default)]
    pub(super) counted: Option<i64>,
    pub(super) output: Output,
}

impl Track {
    /// Of an inverter that is seen for the first time.
    pub(super) fn new(report: &Listed) -> Self {
        Self {
            at: report.at,
            undated: None,
            ahead: None,
            power_w: report.power_w,
            peak_power_w: report.peak_power_w,
            state: InverterState::Asleep,
            fresh: true,
            interval: Interval::default(),
            missed: 0,
            counted: None,
            output: Output::default(),
        }
    }

    /// It has another report, at this time by the gateway's clock.
    pub(super) fn report(&mut self, report: &Listed, now: i64) {
        // By over a day ahead it does not keep its plain topic from what comes now.
        let shown = self.ahead.max(Some(self.at));
        self.ahead = shown.filter(|shown| *shown > report.at && !is_set_back(*shown, now));
        self.at = report.at;
        self.undated = None;
        self.counted = None;
        self.power_w = report.power_w;
        self.peak_power_w = report.peak_power_w;
    }

    /// Whether the time of its last report is known.
    pub(super) fn is_dated(&self) -> bool {
        self.undated.is_none()
    }

    /// Whether its plain topic shows its last report.
    pub(super) fn is_shown(&self) -> bool {
        self.is_dated() && self.ahead.is_none()
    }

    /// When it reported, at the latest.
    pub(super) fn heard(&self) -> i64 {
        self.undated.unwrap_or(self.at)
    }

    /// When it reported is not known any more: the clock was set back to this time.
    pub(super) fn undate(&mut self, now: i64) {
        self.undated = Some(now);
        self.counted = Some(now);
        self.fresh = false;
    }

    /// The clock shows again what it did before it was set back.
    pub(super) fn date_again(&mut self, now: i64) {
        if self.undated.is_some() && self.at <= now {
            self.undated = None;
            self.counted = Some(now);
        }
    }

    /// Up to when it is known how many of its reports were missed.
    pub(super) fn counted_to(&self) -> i64 {
        self.counted.unwrap_or(self.at)
    }

    /// It is silent: counts the reports that did not come after what was counted before, and after what was not watched.
    /// The one that is due now may yet come.
    pub(super) fn miss(&mut self, unwatched: Option<i64>, now: i64) {
        let from = self.counted_to().max(unwatched.unwrap_or(i64::MIN));
        let missed = self.interval.missed(now - from);
        let intervals = i64::try_from(missed).unwrap_or(0) * self.interval.seconds().unwrap_or(0);
        self.missed = self.missed.saturating_add(missed);
        self.counted = Some(from.saturating_add(intervals));
    }

    pub(super) fn health(&self, serial: &Serial, names: &Names) -> InverterHealth {
        InverterHealth {
            state: self.state,
            fresh: self.fresh,
            interval_s: self
                .interval
                .seconds()
                .and_then(|seconds| u32::try_from(seconds).ok()),
            missed_reports: self.missed,
            relative_output_pct: self.output.percent(),
            name: names.name(serial).map(str::to_owned),
            array: names.array(serial).map(str::to_owned),
        }
    }
}
