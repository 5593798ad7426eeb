//! What each inverter does: judged by the times of all reports together.

use wire::InverterState;

use super::night::{self, Sight};
use super::track::Track;
use super::{Condition, DAY, interval};
use crate::clock;

impl Condition {
    /// Says of each whether it reports.
    pub(super) fn judge(&mut self, now: i64) {
        for track in self.tracks.values_mut() {
            if track.is_dated() && clock::is_ahead(track.at, now) {
                track.undate(now);
            }
        }
        let typical = interval::typical(self.tracks.values().map(|track| &track.interval));
        let interval_of = |track: &Track| track.interval.seconds().unwrap_or(typical);
        let report = |track: &Track| night::Report {
            age: now - track.heard(),
            interval: interval_of(track),
            power_w: track.power_w,
            peak_power_w: track.peak_power_w,
        };
        // One that was silent before its time was unknown may have been so for years.
        let tells = |track: &&Track| track.is_dated() || track.state != InverterState::Silent;
        let sight = Sight::of(self.tracks.values().filter(tells).map(report));
        if sight.is_night() {
            self.asleep = Some(now);
        }
        let newest = self.tracks.values().map(Track::heard).max();
        // Its list is as old as its absence was long.
        let has_just_returned = |interval| {
            self.returned
                .is_some_and(|returned| night::is_recent(now - returned, interval))
        };
        let nobody_reports = !self
            .tracks
            .values()
            .any(|track| track.is_dated() && night::is_recent(now - track.at, interval_of(track)));
        // At night nobody misses a report, and of what came while the gateway was away nobody knows.
        let unwatched = self.asleep.max(self.returned);
        let is_day = !sight.is_night() && !sight.is_twilight() && !nobody_reports;
        for track in self.tracks.values_mut() {
            let interval = interval_of(track);
            let is_recent = night::is_recent(now - track.heard(), interval);
            // Of the evening it says nothing in the morning: it is silent until it reports.
            let is_known = track.state == InverterState::Silent;
            let missed_a_day = newest.is_some_and(|newest| newest - track.heard() > DAY);
            let may_sleep = sight.is_night() || sight.is_twilight();
            // What it reported in full sun is not so now; a shower before sunset is.
            let went_to_sleep = report(track).is_little()
                || newest.is_some_and(|newest| night::is_recent(newest - track.heard(), interval));
            let (state, is_of_now) = if is_recent && !track.is_dated() {
                // Nobody knows yet: it does what it did before the clock was set back.
                (track.state, false)
            } else if is_recent {
                (InverterState::Reporting, true)
            } else if may_sleep && !is_known && !missed_a_day {
                (InverterState::Asleep, went_to_sleep)
            } else if missed_a_day {
                (InverterState::Silent, false)
            } else if nobody_reports || has_just_returned(interval) {
                // Nobody is silent where none is heard of: that is the gateway's, which may have been away.
                (track.state, false)
            } else {
                (InverterState::Silent, false)
            };
            track.state = state;
            track.fresh = is_of_now && track.is_shown();
            if track.state == InverterState::Silent {
                track.miss(if is_day { unwatched } else { Some(now) }, now);
            }
        }
    }
}
