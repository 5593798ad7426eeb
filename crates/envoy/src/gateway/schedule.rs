//! When each endpoint beside the inverters is asked.

use std::time::Duration;

use tokio::time::Instant;

use crate::endpoints::UPDATERS;
use crate::error::{Error, Fault, Why};
use crate::measured::Failure;

/// How long something that has answered on this firmware is left alone after a first failure; twice as long after
/// each further one, and [`BROKEN`] at most. Pages, empty answers and refusals in its place pass, as after a start.
const FAILING: Duration = Duration::from_mins(1);

/// How long something that this Envoy does not have is left alone, unless its firmware changes.
const MISSING: Duration = Duration::from_hours(6);

/// How long something that hangs or breaks is left alone.
const BROKEN: Duration = Duration::from_mins(15);

/// Until when each is left alone.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    until: [Option<Instant>; UPDATERS.len()],
    /// How often each has failed since it last answered; none where it never has.
    failures: [Option<u32>; UPDATERS.len()],
}

impl Schedule {
    pub(super) fn is_due(&self, place: usize, now: Instant) -> bool {
        self.until[place].is_none_or(|until| until <= now)
    }

    pub(super) fn answered(&mut self, place: usize, asked: Instant) {
        self.until[place] = Some(asked + UPDATERS[place].every);
        self.failures[place] = Some(0);
    }

    /// What has answered on this firmware.
    pub(super) fn has_answered(&self) -> impl Iterator<Item = &'static str> {
        let places = UPDATERS.iter().zip(&self.failures);
        places.filter_map(|(updater, failures)| failures.map(|_| updater.path))
    }

    /// These have answered on this firmware before.
    pub(super) fn recall<'a>(&mut self, answered: impl IntoIterator<Item = &'a str>) {
        for path in answered {
            if let Some(place) = UPDATERS.iter().position(|updater| updater.path == path) {
                self.failures[place].get_or_insert(0);
            }
        }
    }

    pub(super) fn failed(&mut self, place: usize, failure: Failure, now: Instant) {
        let pause = match (&mut self.failures[place], failure) {
            // One that hangs holds up all that is asked after it.
            (_, Failure::Slow) | (None, Failure::Broken) => BROKEN,
            (None, Failure::Missing) => MISSING,
            (Some(failures), _) => {
                *failures += 1;
                let times = 1 << (*failures - 1).min(10);
                (FAILING * times).min(BROKEN)
            }
        };
        self.until[place] = Some(now + pause);
    }

    /// It is of no use here until the firmware changes, or for a few hours.
    pub(super) fn is_of_no_use(&mut self, place: usize, now: Instant) {
        self.failed(place, Failure::Missing, now);
    }
}

/// What kind of failure an error is.
pub(super) fn failure(error: &Error) -> Failure {
    match error {
        Error::Credentials(_) => Failure::Missing,
        Error::BadAnswer { fault, .. } => match fault {
            Fault::Status(500..) | Fault::TooLong(_) => Failure::Broken,
            _ => Failure::Missing,
        },
        Error::Unreachable {
            why: Why::Silent | Why::TimedOut,
            ..
        } => Failure::Slow,
        _ => Failure::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(schedule: &mut Schedule, failure: Failure) -> Duration {
        let now = Instant::now();
        schedule.failed(0, failure, now);
        schedule.until[0].expect("it is left alone") - now
    }

    #[test]
    fn what_answered_before_a_restart_is_left_alone_for_minutes_only() {
        let mut schedule = Schedule::default();
        schedule.answered(0, Instant::now());
        let answered: Vec<_> = schedule.has_answered().collect();
        assert_eq!(answered, [UPDATERS[0].path]);
        let mut schedule = Schedule::default();
        schedule.recall(answered.into_iter().chain(["/of/another/version"]));
        assert_eq!(pause(&mut schedule, Failure::Missing), FAILING);
        assert!(schedule.is_due(1, Instant::now()));
        assert_eq!(schedule.has_answered().count(), 1);
    }

    #[test]
    fn what_never_answered_is_left_alone_for_hours_and_what_has_for_minutes() {
        let mut schedule = Schedule::default();
        assert_eq!(pause(&mut schedule, Failure::Missing), MISSING);
        assert_eq!(pause(&mut schedule, Failure::Broken), BROKEN);
        schedule.answered(0, Instant::now());
        let minutes = [Failure::Missing, Failure::Broken, Failure::Missing]
            .map(|failure| pause(&mut schedule, failure).as_secs() / 60);
        assert_eq!(minutes, [1, 2, 4]);
        for _ in 0..40 {
            pause(&mut schedule, Failure::Missing);
        }
        assert_eq!(pause(&mut schedule, Failure::Missing), BROKEN);
        schedule.answered(0, Instant::now());
        assert_eq!(pause(&mut schedule, Failure::Missing), FAILING);
        assert_eq!(pause(&mut schedule, Failure::Slow), BROKEN);
    }
}
