//! Energy counters carried on, so that what a reader sums up is what was made.
//!
//! A gateway's counters are set back by updates and replacements, wrap at 2^32 joules, and jump when an inverter
//! joins or leaves a sum. Whoever takes differences, as Home Assistant does with each `total_increasing`, would
//! count a whole life as made in a minute, or take it away again. So a step that nobody can have made is none: the
//! value stays where it was, and goes on from there. What was made at that moment is not known, and not counted, but
//! where the gateway tells it (`step.rs`): a counter that begins anew shows what was made since, and one that
//! showed nothing for minutes after a start counts on.
//!
//! A step is judged by the time that it took. Only the difference to the gateway's own count has to be remembered
//! ([`Tallies::offsets`]); where even that is lost, the newest reading tells from where to go on.

mod step;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use wire::{Basis, Flow, Measured, Quantity, Reading, Subject};

use crate::site::Counter;
use step::{Look, Said, Source, Tally};

/// Which counter of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Which {
    Today,
    Lifetime,
    Imported,
    Exported,
    Delivered,
    Received,
}

impl Which {
    /// Whether it begins anew with each day.
    fn is_daily(self) -> bool {
        self == Self::Today
    }

    fn name(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Lifetime => "lifetime",
            Self::Imported => "imported",
            Self::Exported => "exported",
            Self::Delivered => "delivered",
            Self::Received => "received",
        }
    }
}

/// Whether a counter of this name counts on from day to day.
pub(super) fn is_of_a_life(which: &str) -> bool {
    which != Which::Today.name()
}

/// Which counter of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    subject: Subject,
    which: Which,
}

impl Key {
    /// Whether it counts all that was ever made or used, and not of one inverter, which may be new.
    fn is_lifetime_of_many(&self) -> bool {
        self.which == Which::Lifetime && !matches!(self.subject, Subject::Inverter(_))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.subject, self.which.name())
    }
}

/// All counters that readers sum up.
#[derive(Debug, Default)]
pub(super) struct Tallies(HashMap<Key, Tally>);

impl Tallies {
    /// Those that go on from the newest readings, with what was remembered of the differences to the gateway's
    /// counts, as [`offsets`](Self::offsets) gave them.
    pub(super) fn after(
        newest: &[Reading],
        offsets: &BTreeMap<String, Quantity>,
        counter: Option<Counter>,
    ) -> Self {
        let mut tallies = Self::default();
        for reading in newest {
            let mut measured = reading.measured.clone();
            let source = source(&measured, counter);
            tallies.each(&mut measured, source, 0.0, |tally, key, value, look| {
                let offset = offsets.get(&key.to_string());
                // Nobody knows of which day that of a day was.
                let is_good = value.is_some() || !key.which.is_daily();
                tally.offset = offset.filter(|_| is_good).map_or(0.0, |wh| wh.get());
                tally.said = value.map(|wh| Said {
                    wh: wh.get(),
                    at: look.at,
                    power_w: look.power_w,
                    source: look.source,
                });
                value
            });
        }
        tallies
    }

    /// Puts what is to be said in the place of what the gateway counts.
    pub(super) fn carry(&mut self, measured: &mut Measured) {
        self.carry_sum(measured, None, 0.0);
    }

    /// The same of a site. `counter` is whose sum its energy is, where no meter shows it, and `caught_up_wh` what its
    /// inverters may have made before that comes with it now, in watt-hours.
    pub(super) fn carry_sum(
        &mut self,
        measured: &mut Measured,
        counter: Option<Counter>,
        caught_up_wh: f64,
    ) {
        let source = source(measured, counter);
        self.each(measured, source, caught_up_wh, |tally, key, value, look| {
            let daily = key.which.is_daily();
            let wh = match value {
                // At midnight the count of a life goes on.
                Some(_) if daily && look.shows_nothing && tally.said.is_some() => {
                    tally.said.map(|said| said.wh)
                }
                // Some never count, others not for minutes after a start.
                Some(Quantity::ZERO) if tally.said.is_none() && key.is_lifetime_of_many() => None,
                Some(now) => Some(tally.carry(now.get(), daily, look)),
                None => tally.stays(daily, look),
            };
            Quantity::new(wh?).ok()
        });
    }

    /// The differences to the gateway's counts, where there are some.
    pub(super) fn offsets(&self) -> BTreeMap<String, Quantity> {
        let offsets = self.0.iter().filter_map(|(key, tally)| {
            let offset = Quantity::new(tally.offset).ok()?;
            (offset != Quantity::ZERO).then(|| (key.to_string(), offset))
        });
        offsets.collect()
    }

    fn each(
        &mut self,
        measured: &mut Measured,
        source: Option<Source>,
        caught_up_wh: f64,
        mut change: impl FnMut(&mut Tally, &Key, Option<Quantity>, Look) -> Option<Quantity>,
    ) {
        let subject = measured.subject();
        let at = measured.at().unix_seconds();
        let is_sum = matches!(measured, Measured::Site(site) if site.basis == Basis::Inverters);
        let Some((power_w, counters)) = counters(measured) else {
            return;
        };
        let is_zero = |(_, value): &(Which, &mut Option<Quantity>)| **value == Some(Quantity::ZERO);
        let life = Key {
            subject: subject.clone(),
            which: Which::Lifetime,
        };
        let was_counted = self.0.get(&life).and_then(|tally| tally.said);
        let was_counted = was_counted.is_some_and(|said| said.wh > 0.0);
        let look = Look {
            at,
            power_w,
            shows_nothing: was_counted && counters.iter().all(is_zero),
            is_inverter: matches!(subject, Subject::Inverter(_)),
            caught_up_wh: if is_sum { caught_up_wh } else { 0.0 },
            source,
        };
        for (which, value) in counters {
            let key = Key {
                subject: subject.clone(),
                which,
            };
            let tally = self.0.entry(key.clone()).or_default();
            *value = change(tally, &key, *value, look);
        }
    }
}

fn source(measured: &Measured, counter: Option<Counter>) -> Option<Source> {
    match measured {
        Measured::Site(site) => match site.basis {
            Basis::Meter => Some(Source::Meter),
            Basis::Inverters => counter.map(Source::Inverters),
        },
        _ => None,
    }
}

type Counters<'a> = (f64, [(Which, &'a mut Option<Quantity>); 2]);

/// The power that goes with the counters of a reading, and these. Those of a meter are as the gateway gives them, but
/// for the meter of batteries: nothing else tells their energy.
fn counters(measured: &mut Measured) -> Option<Counters<'_>> {
    let (power_w, first, second) = match measured {
        Measured::Inverter(inverter) => {
            let detail = inverter.detail.as_mut()?;
            (
                inverter.power_w.into(),
                (Which::Today, &mut detail.energy_today_wh),
                (Which::Lifetime, &mut detail.energy_lifetime_wh),
            )
        }
        Measured::Site(site) => (
            site.power_w.get(),
            (Which::Today, &mut site.energy_today_wh),
            (Which::Lifetime, &mut site.energy_lifetime_wh),
        ),
        Measured::Production(flow) | Measured::Consumption(flow) => {
            let Flow {
                power_w,
                energy_today_wh,
                energy_lifetime_wh,
                ..
            } = flow;
            (
                power_w.get(),
                (Which::Today, energy_today_wh),
                (Which::Lifetime, energy_lifetime_wh),
            )
        }
        Measured::Net(net) => (
            net.power_w.get(),
            (Which::Imported, &mut net.energy_imported_wh),
            (Which::Exported, &mut net.energy_exported_wh),
        ),
        Measured::Meter(meter) if meter.is_storage() => (
            meter.power_w.get(),
            (Which::Delivered, &mut meter.energy_delivered_wh),
            (Which::Received, &mut meter.energy_received_wh),
        ),
        Measured::Meter(_) | Measured::Battery(_) => return None,
    };
    Some((power_w, [first, second]))
}

#[cfg(test)]
mod tests;
