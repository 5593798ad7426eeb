//! What of the site is still known when the gateway's clock was set back.

use wire::{Inverter, ReportTime, is_set_back};

use super::{GONE, Whole};
use crate::clock;

impl Whole {
    /// Whether what was said last is older than what the topic of the site shows, which never steps back in time.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.last < self.said
    }

    /// The gateway's clock shows `now`, in Unix seconds. What one that was wrong has dated must not stand in the
    /// way of what is measured now.
    pub fn clock(&mut self, now: i64) {
        let late = self.newest.extract_if(.., |_, report| {
            clock::is_ahead(report.reported_at.unix_seconds(), now)
        });
        let late = late.map(|(serial, report)| (serial, (now, report)));
        self.undated.extend(late);
        self.day.clock(now);
        let counts = |said: &ReportTime| !is_set_back(said.unix_seconds(), now);
        self.said = self.said.filter(counts);
        if let Some((_, at)) = &mut self.counted {
            *at = now.min(*at);
        }
        let now = ReportTime::from_unix_seconds(now).ok();
        self.metered = self.metered.and_then(|at| now.map(|now| at.min(now)));
    }

    /// Those whose last report is of an unknown time, with since when, by the clock as it goes now.
    pub(super) fn undated_at(&self, now: i64) -> impl Iterator<Item = (i64, &Inverter)> {
        let undated = self
            .undated
            .values()
            .map(|(since, report)| (*since, report));
        undated.filter(move |(since, _)| now - since < GONE)
    }
}
