//! One counter: which of its steps are believed.

use crate::site::{Counter, is_new_day};

/// What an inverter makes at most, in watts: twice what the largest do.
const INVERTER_W: f64 = 1000.0;

/// What a site makes or uses at most when its power was small at both ends of a step, in watts: a kettle and a car
/// come and go between two looks.
const SITE_W: f64 = 20_000.0;

/// By how much what was made between two looks exceeds the larger power at their ends, at most.
const BETWEEN: f64 = 4.0;

/// Steps of so little are never judged, in watt-hours: firmwares round, and write some counters late.
const LITTLE_WH: f64 = 100.0;

/// How long a counter may show something else and then go on as before, in seconds: three hours. After a start some
/// show nothing for minutes, and an inverter that reports each hour has one such report.
const PASSING: i64 = 3 * 3600;

/// Whose counters those of the site are: to go from one to the other makes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A meter's, which was carried on as that.
    Meter,
    /// That of the gateway for its inverters, or the sum of theirs.
    Inverters(Counter),
}

/// One counter.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// What is added to the gateway's count, in watt-hours.
    pub(super) offset: f64,
    /// What was said last, when, and with how much power.
    pub(super) said: Option<Said>,
    left: Option<Left>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) wh: f64,
    pub(super) at: i64,
    pub(super) power_w: f64,
    pub(super) source: Option<Source>,
}

/// A count that did not go on: it may yet.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// What was added to it, in watt-hours.
    offset: f64,
    /// What was said of it last.
    said: Said,
    /// When another one was shown in its place.
    since: i64,
    /// What that one showed, in watt-hours, where so much can have been made since: it is counted when that goes on.
    made: f64,
}

/// What comes with a counter's value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) at: i64,
    pub(super) power_w: f64,
    /// Whether it is of one inverter.
    pub(super) is_inverter: bool,
    /// Whether all counters show nothing, though one of a life did not before: after a start some do for minutes.
    pub(super) shows_nothing: bool,
    /// How much may come with it of what was made before, in watt-hours: a sum of inverters has that of one that was
    /// not heard of all at once.
    pub(super) caught_up_wh: f64,
    pub(super) source: Option<Source>,
}

impl Tally {
    /// What to say of what the gateway counts, in watt-hours.
    pub(super) fn carry(&mut self, counted: f64, daily: bool, look: Look) -> f64 {
        let wh = match self.said {
            None => counted + self.offset,
            Some(said) => self.after(said, counted, daily, look),
        };
        self.said = Some(Said {
            wh,
            at: look.at,
            power_w: look.power_w,
            source: look.source,
        });
        wh
    }

    fn after(&mut self, said: Said, counted: f64, daily: bool, look: Look) -> f64 {
        let passing = 0..=PASSING;
        self.left = self
            .left
            .filter(|left| passing.contains(&look.at.saturating_sub(left.since)));
        let carried = counted + self.offset;
        let step = carried - said.wh;
        let made = look.most_since(said);
        let caught_up = if daily { 0.0 } else { look.caught_up_wh };
        let is_same = said.source.is_none() || said.source == look.source;
        let is_carried = step >= 0.0 && said.source == Some(Source::Meter);
        if is_same && (is_carried || (0.0..=made + caught_up).contains(&step)) {
            return carried + self.go_on(step);
        }
        if is_same && let Some(wh) = self.go_back(said, counted, look) {
            return wh;
        }
        // A new day: what it shows was made since. Or the zeros of a start, after which it goes on.
        let is_new_day = is_new_day(said.wh, counted) || (0.0..=made).contains(&counted);
        if daily && step < 0.0 && is_new_day {
            if is_same {
                self.leave(said, 0.0, look);
            }
            self.offset = 0.0;
            return counted;
        }
        let is_rounding = is_same && (-LITTLE_WH..0.0).contains(&step);
        if !is_rounding {
            if is_same {
                self.restart(said, counted, made, look);
            }
            self.offset = said.wh - counted;
        }
        said.wh
    }

    /// Another count is shown. Where it is less, it may have begun anew since the last look: then what it shows was
    /// made. A single look does not tell that from a false one, so that it is counted once this one goes on. A sum of
    /// inverters also falls when one leaves it.
    fn restart(&mut self, said: Said, counted: f64, made: f64, look: Look) {
        let is_sum = look.source == Some(Source::Inverters(Counter::Inverters));
        let has_fallen = counted + self.offset < said.wh;
        let may_be_made = has_fallen && !is_sum && (0.0..=made).contains(&counted);
        let made = if may_be_made { counted } else { 0.0 };
        self.leave(said, made, look);
    }

    /// The count does not go on, and may yet. What the one in its place shows is counted when that one does.
    fn leave(&mut self, said: Said, made: f64, look: Look) {
        let left = self.left.unwrap_or(Left {
            offset: self.offset,
            said,
            since: look.at,
            made,
        });
        self.left = Some(Left { made, ..left });
    }

    /// The count goes on. What it showed when it began anew, which is made, too, in watt-hours.
    fn go_on(&mut self, step: f64) -> f64 {
        match &mut self.left {
            Some(left) if step > 0.0 => {
                let made = std::mem::take(&mut left.made);
                self.offset += made;
                made
            }
            _ => 0.0,
        }
    }

    /// The count that was left goes on: what to say of it, in watt-hours.
    fn go_back(&mut self, said: Said, counted: f64, look: Look) -> Option<f64> {
        let left = self.left?;
        let wh = counted + left.offset;
        // Of a day less was said meanwhile.
        let before = said.wh.max(left.said.wh);
        let goes_on = (0.0..=look.most_since(left.said)).contains(&(wh - before));
        goes_on.then(|| {
            self.offset = left.offset;
            self.left = None;
            wh
        })
    }

    /// What stays said of what was ever made while the gateway does not tell its own count, in watt-hours.
    pub(super) fn stays(&self, daily: bool, look: Look) -> Option<f64> {
        let said = self.said?;
        let is_gateways = look.source == Some(Source::Inverters(Counter::Gateway));
        (!daily && is_gateways && said.source == look.source).then_some(said.wh)
    }
}

impl Look {
    /// How much may have been made since then, in watt-hours.
    fn most_since(self, said: Said) -> f64 {
        let power_w = if self.is_inverter {
            INVERTER_W
        } else {
            SITE_W + BETWEEN * self.power_w.abs().max(said.power_w.abs())
        };
        #[allow(clippy::cast_precision_loss, reason = "decades have 2^30 seconds")]
        let hours = self.at.saturating_sub(said.at).max(0) as f64 / 3600.0;
        LITTLE_WH + power_w * hours
    }
}
