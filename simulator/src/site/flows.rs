//! What a home with meters makes, uses, stores and takes from the grid, minute by minute.
//!
//! Powers stand still for a minute, so that every counter is exactly the sum of what its meter has shown:
//! net = consumption − production, where a battery counts as consumption while it charges, because the
//! meters stand between it and the grid.

use super::home::home_w;

/// So long a power stands still, in seconds.
const STEP_S: i64 = 60;
const DAY_S: i64 = 24 * 3_600;
/// What an inverter draws in the dark, in watts: production meters show a few negative ones at night.
const STANDBY_W: f64 = 0.08;
/// How much of its content a battery takes or gives in an hour at most.
const RATE_PER_HOUR: f64 = 0.35;
/// What of the energy that charges a battery comes out again.
const EFFICIENCY: f64 = 0.92;
/// Batteries are never emptied below this share.
const RESERVE: f64 = 0.1;
/// What a battery holds at the beginning.
const AT_FIRST: f64 = 0.3;
/// What a home has used on an average day before the simulation, in Wh.
const USED_PER_DAY_WH: f64 = 12_000.0;

/// Powers in watts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Power {
    /// Of all inverters; a few negative ones at night.
    pub(crate) production: f64,
    /// What the home uses, without its batteries.
    pub(crate) home: f64,
    /// + discharging.
    pub(crate) battery: f64,
}

/// Counters in watt-hours, which only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Energy {
    pub(crate) produced: f64,
    /// What the inverters have drawn in the dark.
    pub(crate) drawn: f64,
    /// The total consumption. A counter of its own: worked out of the others, its rounding would let it
    /// fall by a hair while the batteries feed all of the home.
    pub(crate) consumed: f64,
    pub(crate) imported: f64,
    pub(crate) exported: f64,
    /// What the batteries gave, and took.
    pub(crate) discharged: f64,
    pub(crate) charged: f64,
}

/// What the meters and batteries show at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Metered {
    pub(crate) power: Power,
    pub(crate) energy: Energy,
    /// The counters since the site's midnight.
    pub(crate) today: Energy,
    /// What the batteries hold, in Wh.
    pub(crate) stored_wh: f64,
    /// What they can hold.
    pub(crate) capacity_wh: f64,
}

/// One day of a home, and what was counted before it.
#[derive(Debug)]
pub(super) struct Flows {
    seed: u64,
    capacity_wh: f64,
    standby_w: f64,
    begins: i64,
    /// What the panels give, minute by minute.
    panels_w: Vec<f64>,
    before: State,
    minutes: Vec<Minute>,
    /// What the counters show beyond what they have counted.
    ahead: Energy,
}

#[derive(Clone, Copy, Debug)]
struct State {
    energy: Energy,
    stored_wh: f64,
}

#[derive(Clone, Copy, Debug)]
struct Minute {
    power: Power,
    /// At its beginning.
    state: State,
}

impl Power {
    /// What is exchanged with the grid: + taken from it.
    pub(crate) fn net(&self) -> f64 {
        self.home - self.production - self.battery
    }

    /// What the gateway calls the total consumption: charging batteries are part of it.
    pub(crate) fn consumption(&self) -> f64 {
        self.net() + self.production
    }
}

impl Energy {
    /// The difference of both directions: what `/production.json` counts as net.
    pub(crate) fn net(&self) -> f64 {
        self.imported - self.exported
    }

    fn each(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            produced: of(self.produced, other.produced),
            drawn: of(self.drawn, other.drawn),
            consumed: of(self.consumed, other.consumed),
            imported: of(self.imported, other.imported),
            exported: of(self.exported, other.exported),
            discharged: of(self.discharged, other.discharged),
            charged: of(self.charged, other.charged),
        }
    }
}

impl Flows {
    /// A home whose inverters have made `produced_wh` in the `days` since they were installed. The day begins
    /// at `begins` (Unix seconds) and has no panels yet.
    pub(super) fn new(
        seed: u64,
        (inverters, capacity_wh): (usize, f64),
        (produced, days): (f64, f64),
        begins: i64,
    ) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "thousands at most")]
        let standby_w = STANDBY_W * inverters as f64;
        let used = USED_PER_DAY_WH * days;
        let used_at_once = (0.4 * produced).min(0.3 * used);
        let drawn = standby_w * 10.0 * days;
        let energy = Energy {
            produced,
            drawn,
            consumed: used - drawn,
            imported: used - used_at_once,
            exported: produced - used_at_once,
            ..Energy::default()
        };
        Self {
            seed,
            capacity_wh,
            standby_w,
            begins,
            panels_w: Vec::new(),
            before: State {
                energy,
                stored_wh: capacity_wh * AT_FIRST,
            },
            minutes: Vec::new(),
            ahead: Energy::default(),
        }
    }

    /// The ends of the minutes of the day that begins then, in Unix seconds: when panels are looked at.
    pub(super) fn minutes_of(begins: i64) -> impl Iterator<Item = i64> {
        (1..=DAY_S / STEP_S).map(move |minute| begins + minute * STEP_S)
    }

    /// Goes on to the day that begins then, with what the panels give in each of its minutes, in watts.
    pub(super) fn next_day(&mut self, begins: i64, panels_w: Vec<f64>) {
        if let Some(last) = self.minutes.last() {
            self.before = self.after(last, STEP_S);
        }
        self.begins = begins;
        self.panels_w = panels_w;
        self.work_out();
    }

    /// The panels give this from then on (Unix seconds).
    pub(super) fn change_panels(&mut self, from: i64, panels_w: Vec<f64>) {
        let first = self.index(from) + 1;
        for (minute, power_w) in panels_w.into_iter().enumerate().skip(first) {
            self.panels_w[minute] = power_w;
        }
        self.work_out();
    }

    /// All counters show this at that moment (Unix seconds), and count on.
    pub(super) fn count_from(&mut self, wh: f64, at: i64) {
        let counted = self
            .at(at)
            .energy
            .each(self.ahead, |shown, ahead| shown - ahead);
        self.ahead = counted.each(counted, |counted, _| wh - counted);
    }

    /// What is shown at that moment of the day, in Unix seconds.
    pub(super) fn at(&self, at: i64) -> Metered {
        let minute = self.minutes[self.index(at)];
        let state = self.after(&minute, (at - self.begins).rem_euclid(STEP_S));
        Metered {
            power: minute.power,
            energy: state
                .energy
                .each(self.ahead, |counted, ahead| counted + ahead),
            today: state
                .energy
                .each(self.before.energy, |now, before| now - before),
            stored_wh: state.stored_wh,
            capacity_wh: self.capacity_wh,
        }
    }

    fn index(&self, at: i64) -> usize {
        let minute = usize::try_from((at - self.begins) / STEP_S).unwrap_or(0);
        minute.min(self.panels_w.len().saturating_sub(1))
    }

    fn work_out(&mut self) {
        self.minutes.clear();
        let mut state = self.before;
        for (begins, panels_w) in (self.begins..).step_by(60).zip(&self.panels_w) {
            let production = if *panels_w < 1.0 {
                -self.standby_w
            } else {
                *panels_w
            };
            let home = home_w(self.seed, begins, begins - self.begins);
            // What inverters draw in the dark comes from the grid: a battery follows what the home uses.
            let battery = self.battery_w(production.max(0.0) - home, state.stored_wh);
            let power = Power {
                production,
                home,
                battery,
            };
            let minute = Minute { power, state };
            state = self.after(&minute, STEP_S);
            self.minutes.push(minute);
        }
    }

    /// What the batteries do with what is left over, or missing: + discharging.
    fn battery_w(&self, surplus_w: f64, stored_wh: f64) -> f64 {
        let most_w = self.capacity_wh * RATE_PER_HOUR;
        // What a minute can take or give without going beyond the limits.
        let per_hour = 60.0;
        let room_w = (self.capacity_wh - stored_wh) * per_hour / EFFICIENCY;
        let left_w = (stored_wh - self.capacity_wh * RESERVE).max(0.0) * per_hour;
        if surplus_w > 0.0 {
            -surplus_w.min(most_w).min(room_w)
        } else {
            (-surplus_w).min(most_w).min(left_w)
        }
    }

    /// The state so many seconds after a minute's beginning.
    fn after(&self, minute: &Minute, seconds: i64) -> State {
        #[expect(clippy::cast_precision_loss, reason = "a minute at most")]
        let hours = seconds as f64 / 3_600.0;
        let Power {
            production,
            battery,
            ..
        } = minute.power;
        let net = minute.power.net();
        let counted = Energy {
            produced: production.max(0.0) * hours,
            drawn: (-production).max(0.0) * hours,
            consumed: minute.power.consumption().max(0.0) * hours,
            imported: net.max(0.0) * hours,
            exported: (-net).max(0.0) * hours,
            discharged: battery.max(0.0) * hours,
            charged: (-battery).max(0.0) * hours,
        };
        let stored = if battery < 0.0 {
            -battery * EFFICIENCY
        } else {
            -battery
        };
        State {
            energy: minute
                .state
                .energy
                .each(counted, |before, more| before + more),
            stored_wh: (minute.state.stored_wh + stored * hours).clamp(0.0, self.capacity_wh),
        }
    }
}

#[cfg(test)]
mod tests;
