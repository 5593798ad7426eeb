//! Says when something that a daemon needs goes away and when it is back: two lines, whatever the
//! length.
//!
//! More lines come only of what is news: a reason that needs a person, and a reason that is another
//! one after a minute (what a restart goes through in its seconds is one story). What comes and goes
//! all the time is one long outage, not many.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// Reasons that are told apart during one outage; further ones are not said.
const REASONS: usize = 8;

/// From when on a further reason is said that passes by itself.
const SETTLED: Duration = Duration::from_mins(1);

/// What was well for less than this before it failed was not: whoever breaks off each connection as soon as it is
/// made is away. The end of such an outage is said when things have been well for as long.
const BRIEF: Duration = Duration::from_secs(2);

/// What was well for this long is steady.
const STEADY: Duration = Duration::from_mins(10);

/// Outages with no steady time between them that are said one by one. The next one lasts until
/// things are steady.
const RELAPSES: u32 = 5;

/// An outage, if there is one.
#[derive(Debug)]
pub struct Outage {
    began: &'static str,
    current: Option<Current>,
    /// Since when things are well, while there is no outage.
    well_since: Option<Instant>,
    /// When the last one ended.
    ended: Option<Instant>,
    relapses: u32,
}

#[derive(Debug)]
struct Current {
    since: Instant,
    failures: u64,
    said: BTreeSet<String>,
    unsteady: bool,
    /// Things have to be well for this long before it is over.
    holds: Duration,
    well_since: Option<Instant>,
}

/// An outage that is over; whoever had it says so, with what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    lasted: Duration,
    /// Attempts that failed.
    pub failures: u64,
}

impl Ended {
    /// How long it lasted, in seconds: with tenths below ten seconds, whole above.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let seconds = self.lasted.as_secs_f64();
        if seconds < 10.0 {
            (seconds * 10.0).round() / 10.0
        } else {
            seconds.round()
        }
    }
}

impl Outage {
    /// None yet. `began` is what its first line says.
    #[must_use]
    pub fn new(began: &'static str) -> Self {
        Self {
            began,
            current: None,
            well_since: None,
            ended: None,
            relapses: 0,
        }
    }

    /// An attempt failed: at ERROR when it lasts until a person does something.
    pub fn failed(&mut self, reason: &str, needs_a_person: bool) {
        let begins = self.current.is_none();
        let news = self.note(reason, needs_a_person);
        let unsteady = self.current.as_ref().is_some_and(|now| now.unsteady);
        let began = self.began;
        let goes_on = if begins && unsteady {
            "; it comes and goes, and is said again when it was well for ten minutes"
        } else {
            ""
        };
        match (news, needs_a_person) {
            (false, _) => tracing::debug!(%reason, "{began}"),
            (true, true) => tracing::error!(%reason, "{began}{goes_on}"),
            (true, false) => tracing::warn!(%reason, "{began}{goes_on}"),
        }
    }

    /// An attempt was left out because of the outage.
    pub fn missed(&mut self) {
        if let Some(current) = &mut self.current {
            current.failures += 1;
        }
    }

    /// Counts a failed attempt; whether its reason is to be said.
    fn note(&mut self, reason: &str, needs_a_person: bool) -> bool {
        let now = Instant::now();
        let begins = self.current.is_none();
        if begins {
            let relapse = self.ended.is_some_and(|ended| now - ended < STEADY);
            self.relapses = if relapse { self.relapses + 1 } else { 0 };
        }
        let unsteady = self.relapses >= RELAPSES;
        let well_since = self.well_since.take();
        let holds = match well_since {
            _ if unsteady => STEADY,
            Some(since) if now - since < BRIEF => BRIEF,
            _ => Duration::ZERO,
        };
        let current = self.current.get_or_insert_with(|| Current {
            since: now,
            failures: 0,
            said: BTreeSet::new(),
            unsteady,
            holds,
            well_since: None,
        });
        current.failures += 1;
        current.well_since = None;
        let is_due = begins || needs_a_person || now - current.since >= SETTLED;
        is_due && current.said.len() < REASONS && current.said.insert(without_numbers(reason))
    }

    /// When [`over`](Self::over) would give the outage, if things stay as well as they are; none where they are not.
    #[must_use]
    pub fn ends(&self) -> Option<Instant> {
        let current = self.current.as_ref()?;
        Some(current.well_since? + current.holds)
    }

    /// Things are well. Told again and again, it gives each outage once, when it is over: at once, but
    /// one that comes and goes only when things have been well for long, and one of what is well for moments only when
    /// that has held.
    pub fn over(&mut self) -> Option<Ended> {
        let now = Instant::now();
        let Some(current) = self.current.as_mut() else {
            self.well_since.get_or_insert(now);
            return None;
        };
        let well_since = *current.well_since.get_or_insert(now);
        if now - well_since < current.holds {
            return None;
        }
        let ended = self.current.take()?;
        self.ended = Some(now);
        self.well_since = Some(well_since);
        Some(Ended {
            lasted: well_since - ended.since,
            failures: ended.failures,
        })
    }
}

/// Reasons that differ in their numbers only are one: the beginning of an answer, as it is quoted,
/// has times in it.
fn without_numbers(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests;
