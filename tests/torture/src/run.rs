//! A run: round after round, and what became of it.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use jiff::Timestamp;
use rig::wait;
use tokio::time::{Instant, sleep_until};

use crate::outcome::{Injection, Outcome, RoundTold};
use crate::schedule::{BEGINS_MS, Planned, Round, Schedule};
use crate::settings::Switch;
use crate::site::Site;
use crate::watch::StepBack;

/// How long everything may take to start.
const START: Duration = Duration::from_mins(1);

/// How long a fault is held back for a moment at which something is at stake: several times as long as an
/// inverter takes from one report to the next, and longer than another fault lasts that lets nothing new
/// be shown.
const WORTH_WAITING: Duration = Duration::from_secs(6);

/// Between two looks for it: less than a reading takes from the Envoy to the database.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// After so many rounds the broker's disk is copied.
const SNAPSHOT_EVERY: usize = 4;

/// Runs a schedule, and says so on `out`. `None` where there are no servers.
///
/// # Panics
/// When something does not start, and where a skip is a failure.
pub async fn run(
    name: &str,
    schedule: &Schedule,
    switch: &Switch,
    out: &mut (dyn Write + Send),
) -> Option<Outcome> {
    let site = Site::start(name, switch).await?;
    let mut run = Run {
        site,
        outcome: Outcome::default(),
        patience: schedule.patience,
        out,
    };
    run.begin().await;
    for (number, round) in schedule.rounds.iter().enumerate() {
        if number % SNAPSHOT_EVERY == 0 {
            run.site.take_snapshot().await;
        }
        run.round(number + 1, round).await;
    }
    Some(run.end().await)
}

struct Run<'a> {
    site: Site,
    outcome: Outcome,
    patience: Duration,
    out: &'a mut (dyn Write + Send),
}

/// What happens at a moment of a round.
#[derive(Clone, Copy)]
enum Event<'a> {
    /// A fault that is held back for a moment at which something is at stake, until then at most.
    Strikes(&'a Planned, Instant),
    Ends(usize, &'a Planned),
    Dusk,
}

impl Run<'_> {
    /// Waits until readings flow.
    async fn begin(&mut self) {
        wait::until_true("the first readings", START, async || {
            self.site.account();
            !self.site.accounts().is_empty() && self.site.accounts().missing().is_empty()
        })
        .await;
        self.site.copy_journals().await;
        let _ = self.site.watch().steps_back();
    }

    async fn round(&mut self, number: usize, round: &Round) {
        let began = Instant::now();
        // A day that goes on would end by itself, and then nothing was at stake.
        self.say(&format!("round {number:3}: {round}"));
        let forgets = |planned: &Planned| planned.fault.makes_the_broker_forget();
        let forgets = round.faults.iter().any(forgets);
        self.site.broker_forgets(forgets);
        let late = Duration::from_millis(2 * BEGINS_MS);
        let dusk = round.dusk.or(self.site.is_late().then_some(late));
        let mut injections = self.faults(round, dusk).await;
        let healed = Instant::now();
        let ends = dusk.is_some();
        let quiet = self.until_quiet(healed + self.patience, ends).await;
        let (recovery, took) = (healed.elapsed(), began.elapsed());
        for injection in &mut injections {
            let envoy = injection.envoy.as_deref();
            let accounts = self.site.accounts();
            injection.at_stake = accounts.at_stake(injection.from, injection.until, envoy);
            injection.recovery = recovery;
        }
        let steps_back = self.steps_back(round, &mut injections);
        let told = RoundTold {
            number,
            at_stake: injections
                .iter()
                .map(|each| (each.fault, each.at_stake))
                .collect(),
            took,
            recovery,
            quiet,
            steps_back,
        };
        self.say(&told.to_string());
        self.outcome.rounds.push(told);
        self.outcome.injections.append(&mut injections);
        if ends {
            if self.site.is_late() {
                self.site.next_morning().await;
            } else {
                self.site.dusk(false).await;
            }
        }
    }

    /// Everything that happens in a round, each at its time.
    async fn faults(&mut self, round: &Round, dusk: Option<Duration>) -> Vec<Injection> {
        let began = Instant::now();
        let mut events: Vec<(Instant, Event<'_>)> = Vec::new();
        events.extend(dusk.map(|at| (began + at, Event::Dusk)));
        for planned in &round.faults {
            let at = began + planned.after;
            events.push((at, Event::Strikes(planned, at + WORTH_WAITING)));
        }
        let mut injections = Vec::new();
        loop {
            // The last is the next one.
            events.sort_by_key(|(at, _)| Reverse(*at));
            let Some((at, event)) = events.pop() else {
                return injections;
            };
            sleep_until(at).await;
            match event {
                Event::Dusk => {
                    let strikes = |(_, event): &(_, Event<'_>)| matches!(event, Event::Strikes(..));
                    if events.iter().any(strikes) {
                        events.push((Instant::now() + LOOK_EVERY, Event::Dusk));
                    } else {
                        self.site.dusk(true).await;
                    }
                }
                Event::Strikes(planned, at_the_latest) => {
                    let envoy = planned.concerns();
                    let envoy = envoy.map(|at| self.site.homes()[at].serial.clone());
                    self.site.account();
                    let from = Timestamp::now();
                    let at_stake = self.site.accounts().at_stake(from, from, envoy.as_deref());
                    if at_stake == 0 && Instant::now() < at_the_latest {
                        let again = Event::Strikes(planned, at_the_latest);
                        events.push((Instant::now() + LOOK_EVERY, again));
                        continue;
                    }
                    self.site.strike(planned).await;
                    // From when it is there: to bring it about takes time, too.
                    let ends = Instant::now() + planned.lasts;
                    events.push((ends, Event::Ends(injections.len(), planned)));
                    injections.push(Injection {
                        fault: planned.fault,
                        envoy,
                        from,
                        until: from,
                        at_stake: 0,
                        steps_back: 0,
                        recovery: Duration::ZERO,
                    });
                }
                Event::Ends(number, planned) => {
                    self.site.heal(planned).await;
                    injections[number].until = Timestamp::now();
                }
            }
        }
    }

    /// Waits until what was shown is stored, and at the end of a day until the plain topics show it. Whether
    /// it was in time.
    async fn until_quiet(&mut self, deadline: Instant, day_is_over: bool) -> bool {
        self.site.account();
        let shown: BTreeSet<_> = self.site.accounts().missing().into_iter().collect();
        let mut pause = tokio::time::interval(Duration::from_millis(100));
        loop {
            pause.tick().await;
            self.site.account();
            let missing = self.site.accounts().missing();
            let is_stored = if day_is_over {
                missing.is_empty()
            } else {
                // More is shown all the time.
                missing.iter().all(|key| !shown.contains(key))
            };
            let is_stored = is_stored && !self.site.is_in_memory();
            if is_stored && (!day_is_over || self.site.stale().await == 0) {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
        }
    }

    /// Live messages that stepped back in this round, where nothing excuses them.
    fn steps_back(&mut self, round: &Round, injections: &mut [Injection]) -> usize {
        let excused: Vec<String> = round
            .faults
            .iter()
            .filter(|planned| planned.fault.excuses_steps_back())
            .map(|planned| self.site.homes()[planned.envoy].serial.clone())
            .collect();
        let steps: Vec<StepBack> = self.site.watch().steps_back();
        for envoy in &excused {
            self.site.watch().forget(envoy);
        }
        let (excused, steps): (Vec<StepBack>, Vec<StepBack>) = steps
            .into_iter()
            .partition(|step| excused.contains(&step.envoy));
        self.outcome.steps_back_excused += excused.len();
        for step in &steps {
            let (from, to) = step.times;
            self.say(&format!(
                "  stepped back: {} from {from} to {to}",
                step.topic
            ));
        }
        for injection in injections {
            let of_it = |step: &&StepBack| {
                injection
                    .envoy
                    .as_ref()
                    .is_none_or(|envoy| *envoy == step.envoy)
            };
            injection.steps_back = steps.iter().filter(of_it).count();
        }
        steps.len()
    }

    /// Nothing new is shown any more; waits, and compares.
    async fn end(mut self) -> Outcome {
        self.site.dusk(true).await;
        self.until_quiet(Instant::now() + self.patience, true).await;
        let stale = self.site.stale().await;
        let late_steps = self.site.watch().steps_back().len();
        let stored = self.site.stored().await;
        self.site.account();
        let accounts = self.site.accounts();
        let comparison = accounts.compare(&stored);
        for (envoy, inverter, at) in comparison.lost.iter().take(20) {
            let line = format!("  lost: {envoy} {inverter} {at}");
            let _ = writeln!(self.out, "{line}");
        }
        let mut outcome = self.outcome;
        outcome.readings = accounts.len();
        outcome.stale = stale;
        outcome.late_steps_back = late_steps;
        outcome.writes_per_reading = accounts.writes_per_reading();
        outcome.blame(accounts, &comparison);
        outcome
    }

    fn say(&mut self, line: &str) {
        // Nobody may be reading any more, and the run goes on.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}
