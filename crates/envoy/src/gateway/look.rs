//! What the Envoy last said of itself, and its clock then.
//!
//! It says so when a way to ask is looked for, which may be once a month; clocks drift and are set, so that it is
//! asked again now and then.

use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::{Instant, timeout};

use super::detection::Found;
use super::{Gateway, Seen};
use crate::endpoints::info::{INFO, Info};
use crate::error::Error;
use crate::exchange::{Connections, join};

/// How long what it said of its clock is good for.
const GOOD_FOR: Duration = Duration::from_hours(1);

/// An answer within this time dates the moment at which it comes, to within the seconds that a date has.
const PROMPT: Duration = Duration::from_secs(2);

/// So long is waited for an answer.
const LIMIT: Duration = Duration::from_secs(10);

impl Gateway {
    /// How far the Envoy's clock is ahead of ours, in seconds (negative: behind): as the `Date` of its last answer
    /// says, which is that clock on each firmware that was recorded; or, without one, as of the last time it said
    /// who it is.
    #[must_use]
    pub fn clock_skew(&self) -> Option<i64> {
        self.last.as_ref().and_then(|last| last.clock_skew)
    }

    /// What the Envoy's clock shows now, in Unix seconds; `None` where it does not say so.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        let skewed = || {
            let now = self.settings.clock.now().as_second();
            Some(now.saturating_add(self.clock_skew()?))
        };
        // A poll takes seconds at most.
        self.said_at.or_else(skewed)
    }

    /// It has answered what it was `asked` then, perhaps with a date. One that took long says little: its date is
    /// of some moment between.
    pub(super) fn note_clock(&mut self, asked: Instant) {
        let now = self.settings.clock.now().as_second();
        if let (Some(said), Some(last)) = (self.said_at, &mut self.last)
            && asked.elapsed() <= PROMPT
        {
            last.clock_skew = Some(said.saturating_sub(now));
        }
    }

    /// It has said who it is, when our clock showed `now`, in Unix seconds.
    pub(super) fn note(&mut self, found: &Found, now: i64) {
        self.last = Some(Seen {
            found: found.clone(),
            clock_skew: found.info.time.map(|time| time.saturating_sub(now)),
            at: Instant::now(),
        });
    }

    /// Asks who it is, where that was not said for a while. Nothing depends on the answer: one that it does not
    /// give is asked for again in an hour.
    pub(super) async fn look_again(&mut self) {
        let (Some(last), Some(way)) = (&mut self.last, &self.way) else {
            return;
        };
        if last.at.elapsed() < GOOD_FOR {
            return;
        }
        last.at = Instant::now();
        let found = way.found.clone();
        let Ok(Ok(info)) = timeout(LIMIT, self.who_it_is(&found)).await else {
            return;
        };
        if (&info.serial, &info.firmware) == (&found.info.serial, &found.info.firmware) {
            let now = self.settings.clock.now().as_second();
            self.note(&Found { info, ..found }, now);
        } else {
            // Found out as after a failure, with all that is to be looked at then.
            self.way = None;
        }
    }

    async fn who_it_is(&self, found: &Found) -> Result<Info, Error> {
        let url = join(&found.base, INFO.path);
        // Open to everyone: nobody's secret goes with it.
        let answer = self
            .transport
            .get(&url, HeaderMap::new(), Connections::First);
        let body = answer.await?.into_body(&url)?;
        (INFO.parse)(&body).map_err(|error| crate::exchange::bad_answer(&url, &body, error.into()))
    }
}
