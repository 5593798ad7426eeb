//! What became of a run, and its table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::accounts::{Accounts, Comparison};
use crate::fault::Fault;

/// How often a reading may be written on average.
const MOST_WRITES: f64 = 3.0;

/// How long half of the rounds may take at most.
const LONGEST_MEDIAN: Duration = Duration::from_secs(15);

/// A run of so many rounds is a long one.
const LONG: usize = 60;

/// In a long run each fault has to have struck so often while something was at stake.
const LEAST_INJECTIONS: usize = 3;

/// A fault that was let happen.
#[derive(Debug, Clone)]
pub struct Injection {
    /// What it was.
    pub fault: Fault,
    /// Whose readings it concerned; all when it has none.
    pub envoy: Option<String>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many readings were shown and not stored meanwhile.
    pub at_stake: usize,
    /// Live messages that stepped back in its round.
    pub steps_back: usize,
    /// How long its round took from the last fault's end until everything was stored.
    pub recovery: Duration,
}

/// What is told of a round.
#[derive(Debug, Clone)]
pub struct RoundTold {
    /// From 1.
    pub number: usize,
    /// How many readings were at stake, by fault, in the order in which they struck.
    pub at_stake: Vec<(Fault, usize)>,
    /// How long it took.
    pub took: Duration,
    /// How long after the last fault's end everything was stored.
    pub recovery: Duration,
    /// Whether it was, in time.
    pub quiet: bool,
    /// Live messages that stepped back in time, where nothing excuses them.
    pub steps_back: usize,
}

/// What became of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Each round.
    pub rounds: Vec<RoundTold>,
    /// Each fault.
    pub injections: Vec<Injection>,
    /// How many readings were shown.
    pub readings: usize,
    /// How many of them are not stored.
    pub lost: usize,
    /// How many are not stored since only a journal had them that was taken away.
    pub lost_with_journal: usize,
    /// How many are stored with other values.
    pub altered: usize,
    /// How many are stored and were never shown.
    pub strange: usize,
    /// Plain topics that do not end with the newest reading.
    pub stale: usize,
    /// Live messages that stepped back after the last round.
    pub late_steps_back: usize,
    /// Steps back that can't be helped.
    pub steps_back_excused: usize,
    /// How often a reading was written, on average.
    pub writes_per_reading: f64,
    lost_by_injection: Vec<usize>,
    altered_by_injection: Vec<usize>,
}

impl Outcome {
    /// Enters what was lost and altered, and at which faults it was at stake.
    pub fn blame(&mut self, accounts: &Accounts, comparison: &Comparison) {
        let of = |keys, each: &Injection| {
            accounts.of_these(keys, each.from, each.until, each.envoy.as_deref())
        };
        let injections = self.injections.iter();
        self.lost_by_injection = injections
            .clone()
            .map(|each| of(&comparison.lost, each))
            .collect();
        self.altered_by_injection = injections
            .map(|each| of(&comparison.altered, each))
            .collect();
        self.lost = comparison.lost.len();
        self.altered = comparison.altered.len();
        self.strange = comparison.strange;
        self.lost_with_journal = comparison.lost_with_journal;
    }

    /// Live messages that stepped back in time, where nothing excuses them.
    #[must_use]
    pub fn steps_back(&self) -> usize {
        let in_rounds = self.rounds.iter().map(|round| round.steps_back);
        in_rounds.sum::<usize>() + self.late_steps_back
    }

    /// What is wrong with it; nothing when the promise was kept and put to the test.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let counts = [
            (self.lost, "readings were lost"),
            (self.altered, "readings were altered"),
            (self.strange, "points were never shown"),
            (self.steps_back(), "live messages stepped back in time"),
            (
                self.stale,
                "plain topics do not end with the newest reading",
            ),
        ];
        for (count, what) in counts {
            if count > 0 {
                failures.push(format!("{count} {what}"));
            }
        }
        if self.writes_per_reading > MOST_WRITES {
            let writes = self.writes_per_reading;
            failures.push(format!(
                "a reading was written {writes:.2} times on average"
            ));
        }
        let never_quiet = self.rounds.iter().filter(|round| !round.quiet).count();
        if never_quiet > 0 {
            failures.push(format!("{never_quiet} rounds did not come to rest"));
        }
        if self.rounds.len() >= LONG {
            let median = self.median();
            if median > LONGEST_MEDIAN {
                failures.push(format!(
                    "the median round took {:.1} s",
                    median.as_secs_f64()
                ));
            }
            let rows = self.rows();
            for fault in Fault::ALL {
                let counted = rows.get(&fault).map_or(0, |row| row.with_stakes);
                if counted < LEAST_INJECTIONS {
                    failures.push(format!("{fault}: only {counted} with something at stake"));
                }
            }
        }
        failures
    }

    /// The rounds in which something was at stake: others prove nothing.
    fn counted(&self) -> usize {
        let rounds = self.rounds.iter();
        rounds
            .filter(|round| round.at_stake.iter().any(|(_, at_stake)| *at_stake > 0))
            .count()
    }

    fn median(&self) -> Duration {
        let mut took: Vec<Duration> = self.rounds.iter().map(|round| round.took).collect();
        took.sort();
        took.get(took.len() / 2).copied().unwrap_or_default()
    }

    fn rows(&self) -> BTreeMap<Fault, Row> {
        let mut rows: BTreeMap<Fault, Row> = BTreeMap::new();
        for (at, injection) in self.injections.iter().enumerate() {
            let row = rows.entry(injection.fault).or_default();
            row.injections += 1;
            row.with_stakes += usize::from(injection.at_stake > 0);
            row.at_stake += injection.at_stake;
            row.lost += self.lost_by_injection.get(at).copied().unwrap_or(0);
            row.altered += self.altered_by_injection.get(at).copied().unwrap_or(0);
            row.steps_back += injection.steps_back;
            row.recovery = row.recovery.max(injection.recovery);
        }
        rows
    }
}

/// A line of the table.
#[derive(Debug, Default)]
struct Row {
    injections: usize,
    with_stakes: usize,
    at_stake: usize,
    lost: usize,
    altered: usize,
    steps_back: usize,
    recovery: Duration,
}

impl fmt::Display for RoundTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_stake = self.at_stake.iter();
        let at_stake: Vec<String> = at_stake
            .map(|(fault, readings)| format!("{fault} {readings}"))
            .collect();
        write!(
            f,
            "  took {:.1} s, stored {:.1} s after the last fault; at stake: {}",
            self.took.as_secs_f64(),
            self.recovery.as_secs_f64(),
            at_stake.join(", "),
        )?;
        if self.quiet {
            Ok(())
        } else {
            f.write_str("; NOT AT REST")
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<26} {:>5} {:>10} {:>9} {:>5} {:>8} {:>10} {:>17}",
            "fault",
            "dealt",
            "injections",
            "at stake",
            "lost",
            "altered",
            "steps back",
            "longest recovery"
        )?;
        for (fault, row) in self.rows() {
            writeln!(
                f,
                "{:<26} {:>5} {:>10} {:>9} {:>5} {:>8} {:>10} {:>15.1} s",
                fault,
                row.injections,
                row.with_stakes,
                row.at_stake,
                row.lost,
                row.altered,
                row.steps_back,
                row.recovery.as_secs_f64()
            )?;
        }
        writeln!(
            f,
            "steps back and recovery are those of a fault's whole round, whichever of its faults they come of"
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "median round {:.1} s; {:.2} writes per reading; {} strange; {} stale topics",
            self.median().as_secs_f64(),
            self.writes_per_reading,
            self.strange,
            self.stale
        )?;
        writeln!(
            f,
            "not counted: {} rounds in which nothing was at stake; counted apart: {} readings that only a removed journal had, {} steps back that can't be helped",
            self.rounds.len() - self.counted(),
            self.lost_with_journal,
            self.steps_back_excused
        )?;
        for failure in self.failures() {
            writeln!(f, "FAILED: {failure}")?;
        }
        write!(
            f,
            "{} rounds, {} readings, {} lost, {} altered, {} steps back",
            self.counted(),
            self.readings,
            self.lost,
            self.altered,
            self.steps_back()
        )
    }
}
