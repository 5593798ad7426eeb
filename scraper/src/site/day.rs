//! Which day counts of today are of.
//!
//! The gateway sets its own counts back at midnight, as far as it has some: those of a meter, or of all its inverters.
//! An inverter's own begins anew only with its first report of the day, so that one that sleeps still shows what it made
//! the day before. When a count has fallen, midnight lies between its last two values, however long nobody looked: so
//! each fall narrows down where it was, and who has not reported since has made nothing today.

use serde::{Deserialize, Serialize};
use wire::{Flow, Inverter, Quantity};

use super::TOGETHER;
use crate::clock;

/// A count that falls so soon after the day before has begun no other one, in seconds: 22 hours. It was set back by a
/// start of the gateway. A day has 23 hours where clocks are put forward.
const SAME_DAY: i64 = 22 * 3600;

/// A fall of so little, in watt-hours, begins no day by itself: firmwares round, and write some counters late.
const LITTLE_WH: f64 = 100.0;

/// The day of an Envoy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// None where no count was seen to begin anew.
    midnight: Option<Midnight>,
    /// What the meter last counted of today.
    metered: Option<Count>,
    /// What the gateway last counted of today for its inverters.
    counted: Option<Count>,
}

/// Where the day begins, as far as it is known, in Unix seconds by the gateway's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Midnight {
    /// The latest time of which it is known to be of the day before.
    after: i64,
    /// The earliest time of which it is known to be of this day.
    until: i64,
}

/// A count of today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count {
    /// When it was shown, in Unix seconds.
    pub(super) at: i64,
    pub(super) wh: Quantity,
}

impl Count {
    /// What an inverter's report shows, at this time; none where it does not count.
    pub(super) fn of(report: &Inverter, at: i64) -> Option<Self> {
        let wh = report.detail.as_ref()?.energy_today_wh?;
        Some(Self { at, wh })
    }

    /// Whether this one, which was shown after that, is of another day.
    fn is_of_a_day_after(self, before: Self) -> bool {
        // Of a day that nobody watched it shows much, too.
        let was_unwatched = self.at.saturating_sub(before.at) > TOGETHER;
        let (wh, before) = (self.wh.get(), before.wh.get());
        is_new_day(before, wh) || (was_unwatched && wh < before - LITTLE_WH)
    }
}

/// Whether a count of today that was `before` and is `now`, in watt-hours, has begun anew: it falls by most of what it
/// showed, and by less when it is rounded.
pub(crate) fn is_new_day(before: f64, now: f64) -> bool {
    now < before / 2.0
}

impl Day {
    /// A count of today was shown, and another before.
    pub(super) fn takes(&mut self, before: Count, now: Count) {
        if now.is_of_a_day_after(before) {
            // By a clock that was set back in between it may have been shown later.
            self.begins_between(before.at.min(now.at - 1), now.at);
        }
    }

    /// A count has begun anew after the one of these times, in Unix seconds, and until the other.
    fn begins_between(&mut self, after: i64, until: i64) {
        match &mut self.midnight {
            Some(midnight) if after < midnight.until => {
                if until > midnight.after {
                    midnight.after = midnight.after.max(after);
                    midnight.until = midnight.until.min(until);
                }
            }
            Some(midnight) if until.saturating_sub(midnight.after) <= SAME_DAY => {}
            _ => self.midnight = Some(Midnight { after, until }),
        }
    }

    /// This is what the gateway itself counts now, in Unix seconds.
    pub(super) fn counts(&mut self, metered: Option<&Flow>, counted: Option<&Flow>, now: i64) {
        let count = |flow: Option<&Flow>| {
            let flow = flow?;
            let wh = flow.energy_today_wh?;
            // After a start some show nothing for minutes, of a life neither.
            let shows_nothing =
                wh == Quantity::ZERO && flow.energy_lifetime_wh == Some(Quantity::ZERO);
            (!shows_nothing).then_some(Count { at: now, wh })
        };
        let (metered, counted) = (count(metered), count(counted));
        let shown = [(&mut self.metered, metered), (&mut self.counted, counted)];
        // What is not asked for in this poll stays what it was.
        let shown =
            shown.map(|(last, count)| count.and_then(|now| Some((last.replace(now)?, now))));
        for (before, now) in shown.into_iter().flatten() {
            self.takes(before, now);
        }
    }

    /// Whether what was reported at this time, in Unix seconds, is of this day.
    pub(super) fn has(&self, at: i64) -> bool {
        // No night is so short: what was reported shortly before something of this day is of it, too.
        self.midnight.is_none_or(|Midnight { after, until }| {
            at > after && at >= until.saturating_sub(TOGETHER)
        })
    }

    /// The gateway's clock shows `now`, in Unix seconds: a day that begins later was dated by one that was wrong.
    pub(super) fn clock(&mut self, now: i64) {
        self.midnight = self
            .midnight
            .filter(|midnight| !clock::is_ahead(midnight.until, now));
        for count in [&mut self.metered, &mut self.counted].into_iter().flatten() {
            count.at = count.at.min(now);
        }
    }
}
