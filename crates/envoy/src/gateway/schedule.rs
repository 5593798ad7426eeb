//! When each endpoint beside the inverters is asked.

use std::time::Duration;

use tokio::time::Instant;

use crate::endpoints::{batteries, device_data, meters, production, totals};
use crate::error::{Error, Fault, Why};
use crate::measured::Failure;

/// How long something that this Envoy does not have is left alone, unless its firmware changes.
const MISSING: Duration = Duration::from_hours(6);

/// How long something that hangs or breaks is left alone.
const BROKEN: Duration = Duration::from_mins(15);

/// What is asked beside the inverters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Details,
    Totals,
    Meters,
    Readings,
    Batteries,
    BatteryPower,
    Production,
}

/// One endpoint.
pub(super) struct Row {
    pub(super) part: Part,
    pub(super) path: &'static str,
    /// At most once in this time.
    pub(super) every: Duration,
    /// So long is waited for an answer.
    pub(super) limit: Duration,
}

const fn row(part: Part, path: &'static str, every: Duration, limit_s: u64) -> Row {
    let limit = Duration::from_secs(limit_s);
    Row {
        part,
        path,
        every,
        limit,
    }
}

const ALWAYS: Duration = Duration::ZERO;

/// All of them, in the order in which they are asked: what belongs to the inverters' reports first, the
/// slow ones last. A new endpoint is a line here, and a file below `endpoints/`.
pub(super) const ROWS: [Row; 7] = [
    row(Part::Details, device_data::PATH, ALWAYS, 15),
    row(Part::Totals, totals::PATH, ALWAYS, 10),
    row(Part::Meters, meters::PATH, Duration::from_mins(10), 10),
    row(Part::Readings, meters::READINGS, ALWAYS, 10),
    row(Part::Batteries, batteries::PATH, ALWAYS, 10),
    row(Part::BatteryPower, batteries::POWER, ALWAYS, 10),
    row(
        Part::Production,
        production::PATH,
        Duration::from_mins(5),
        15,
    ),
];

/// Until when each is left alone.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    until: [Option<Instant>; ROWS.len()],
}

impl Schedule {
    pub(super) fn is_due(&self, place: usize, now: Instant) -> bool {
        self.until[place].is_none_or(|until| until <= now)
    }

    pub(super) fn answered(&mut self, place: usize, asked: Instant) {
        self.until[place] = Some(asked + ROWS[place].every);
    }

    pub(super) fn failed(&mut self, place: usize, failure: Failure, now: Instant) {
        let pause = match failure {
            Failure::Missing => MISSING,
            Failure::Slow | Failure::Broken => BROKEN,
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
