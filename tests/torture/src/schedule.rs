//! What goes wrong when: pure, from a seed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::fault::Fault;

/// In how long after the beginning of a round its faults begin, in milliseconds.
pub(crate) const BEGINS_MS: u64 = 2_500;

/// How long a fault lasts, in milliseconds.
const LASTS_MS: std::ops::Range<u64> = 1_500..4_000;

/// How long one lasts that says nothing: more than one and a half keep-alives of two seconds.
const SILENT_MS: std::ops::Range<u64> = 3_200..4_500;

/// A reading is asked for a second time only after some pause, and a journal in memory returns to its
/// disk after a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// Of so many rounds one ends with nothing new to read.
const DUSK_IN: u32 = 3;

/// A link between two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// From a scraper to its Envoy.
    Envoy,
    /// From a scraper to the broker.
    Scraper,
    /// From the receiver to the broker.
    Receiver,
    /// From the receiver to the database.
    Store,
}

impl Line {
    const ALL: [Self; 4] = [Self::Envoy, Self::Scraper, Self::Receiver, Self::Store];
}

/// A fault with its time and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// What goes wrong.
    pub fault: Fault,
    /// When, after the beginning of the round.
    pub after: Duration,
    /// For how long.
    pub lasts: Duration,
    /// Where, of the two Envoys: 0 or 1.
    pub envoy: usize,
    /// Where, of the links.
    pub line: Line,
    /// How a copy of the journal is put back: over the files that are there, or as new ones.
    pub in_place: bool,
}

impl Planned {
    /// At the beginning of a round, for two seconds, at the first Envoy.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            after: Duration::ZERO,
            lasts: Duration::from_secs(2),
            envoy: 0,
            line: Line::Store,
            in_place: false,
        }
    }

    /// Between these times.
    #[must_use]
    pub fn between(self, begins_ms: u64, ends_ms: u64) -> Self {
        Self {
            after: Duration::from_millis(begins_ms),
            lasts: Duration::from_millis(ends_ms - begins_ms),
            ..self
        }
    }

    /// Whose readings it is about, if not about all: 0 or 1.
    #[must_use]
    pub fn concerns(&self) -> Option<usize> {
        let is_of_one = self.fault.is_of_one_envoy()
            || self.fault.is_of_a_link() && matches!(self.line, Line::Envoy | Line::Scraper);
        is_of_one.then_some(self.envoy)
    }

    fn dealt(fault: Fault, line: Line, rng: &mut StdRng) -> Self {
        let lasts_ms = if fault.is_silent() {
            rng.random_range(SILENT_MS)
        } else {
            rng.random_range(LASTS_MS)
        };
        Self {
            fault,
            after: Duration::from_millis(rng.random_range(0..BEGINS_MS)),
            lasts: Duration::from_millis(lasts_ms),
            envoy: rng.random_range(0..2),
            line,
            in_place: rng.random(),
        }
    }

    fn can_be_with(&self, other: &Self) -> bool {
        let parts = self.fault.parts();
        !parts.iter().any(|part| other.fault.parts().contains(part))
    }
}

/// Faults that happen together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// One to three.
    pub faults: Vec<Planned>,
    /// When the last reports of the day are shown, if they are in this round.
    pub dusk: Option<Duration>,
}

/// All rounds of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// In their order.
    pub rounds: Vec<Round>,
    /// How long after its last fault a round may take until everything is stored.
    pub patience: Duration,
}

impl Schedule {
    /// Dealt from a shuffled deck that has each fault once, shuffled again when it is used up.
    #[must_use]
    pub fn dealt(seed: u64, rounds: usize) -> Self {
        let mut dealer = Dealer {
            rng: StdRng::seed_from_u64(seed),
            deck: Vec::new(),
            dealt: BTreeMap::new(),
        };
        let rounds = (0..rounds).map(|_| dealer.round()).collect();
        Self {
            rounds,
            patience: PATIENCE,
        }
    }
}

struct Dealer {
    rng: StdRng,
    deck: Vec<Fault>,
    /// How often each was dealt.
    dealt: BTreeMap<Fault, usize>,
}

impl Dealer {
    fn round(&mut self) -> Round {
        // Two and a half on average: sixty rounds go through the deck more than four times.
        let wanted = [1, 2, 3, 3, 3, 3][self.rng.random_range(0..6)];
        let mut faults: Vec<Planned> = Vec::new();
        while faults.len() < wanted {
            if self.deck.len() < wanted {
                let mut more = Fault::ALL.to_vec();
                more.shuffle(&mut self.rng);
                // What is left comes first.
                more.append(&mut self.deck);
                self.deck = more;
            }
            let fits = |fault: &Fault| {
                let planned = Planned::new(*fault);
                faults.iter().all(|other| planned.can_be_with(other))
            };
            let Some(at) = self.deck.iter().rposition(fits) else {
                break;
            };
            let fault = self.deck.remove(at);
            let line = self.line(fault);
            faults.push(Planned::dealt(fault, line, &mut self.rng));
        }
        let dusk = self.rng.random_range(0..DUSK_IN) == 0;
        // After all faults have begun, or nothing would be at stake.
        let dusk = dusk.then(|| {
            let at_ms = self.rng.random_range(BEGINS_MS..BEGINS_MS * 2);
            Duration::from_millis(at_ms)
        });
        Round { faults, dusk }
    }

    /// One after the other, and each fault begins with another one: in four turns it comes to each.
    fn line(&mut self, fault: Fault) -> Line {
        let dealt = self.dealt.entry(fault).or_default();
        let line = Line::ALL[(*dealt + fault as usize) % Line::ALL.len()];
        *dealt += 1;
        line
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (after, ends) = (self.after, self.after + self.lasts);
        write!(f, "{} ", self.fault)?;
        if self.fault.is_of_a_link() {
            let line = match self.line {
                Line::Envoy => "Envoy to scraper",
                Line::Scraper => "scraper to broker",
                Line::Receiver => "receiver to broker",
                Line::Store => "receiver to InfluxDB",
            };
            write!(f, "({line}) ")?;
        }
        if let Some(envoy) = self.concerns() {
            write!(f, "at Envoy {} ", envoy + 1)?;
        }
        write!(
            f,
            "from {:.1} s to {:.1} s",
            after.as_secs_f64(),
            ends.as_secs_f64()
        )
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults.iter().map(Planned::to_string).collect();
        f.write_str(&faults.join("; "))?;
        match self.dusk {
            Some(dusk) => write!(f, "; dusk at {:.1} s", dusk.as_secs_f64()),
            None => Ok(()),
        }
    }
}

/// A round a line.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, round) in self.rounds.iter().enumerate() {
            writeln!(f, "round {:3}: {round}", at + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_schedule_and_another_one_another() {
        assert_eq!(Schedule::dealt(7, 60), Schedule::dealt(7, 60));
        assert_ne!(Schedule::dealt(7, 60), Schedule::dealt(8, 60));
    }

    #[test]
    fn each_fault_comes_about_equally_often_and_at_least_three_times_in_sixty_rounds() {
        for seed in 0..200 {
            let schedule = Schedule::dealt(seed, 60);
            let mut counts: BTreeMap<Fault, usize> = BTreeMap::new();
            for planned in schedule.rounds.iter().flat_map(|round| &round.faults) {
                *counts.entry(planned.fault).or_default() += 1;
            }
            let (least, most) = (counts.values().min(), counts.values().max());
            let (least, most) = (least.copied().unwrap_or(0), most.copied().unwrap_or(0));
            assert_eq!(counts.len(), Fault::ALL.len(), "seed {seed}");
            assert!(least >= 3 && most <= least + 2, "seed {seed}: {counts:?}");
        }
    }

    #[test]
    fn a_round_has_one_to_three_faults_of_different_parts() {
        for round in Schedule::dealt(3, 500).rounds {
            assert!((1..=3).contains(&round.faults.len()));
            for (at, planned) in round.faults.iter().enumerate() {
                let others = &round.faults[at + 1..];
                assert!(others.iter().all(|other| planned.can_be_with(other)));
            }
        }
    }
}
