//! How often it is said that an Envoy has another certificate.
//!
//! Firmware updates bring a new one, and each is worth a line. Two devices that answer in turns, since both
//! have the Envoy's address, would be worth one each minute.

use jiff::{SignedDuration, Timestamp};

/// A change that comes sooner after another one belongs to it; and the pause between two lines.
const STEADY: SignedDuration = SignedDuration::from_hours(24);

/// So many changes in a row are said one by one: an update may go by a firmware in between.
const SINGLE: u32 = 2;

/// The changes of one Envoy's certificate, as far as they follow each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    in_a_row: u32,
    last: Option<Timestamp>,
    said: Option<Timestamp>,
}

/// How one change is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// As any other.
    Plainly,
    /// As one of many, of which the next ones are not said for a day.
    Repeated,
    /// Not at all: one like it was said less than a day ago.
    Before,
}

impl Changes {
    /// Says that another certificate is there, or none any more: `plainly`, unless that goes on and on.
    pub(super) fn say(
        &mut self,
        serial: &str,
        address: &str,
        now: Timestamp,
        plainly: impl FnOnce(),
    ) {
        match self.changed(now) {
            Said::Plainly => plainly(),
            Said::Repeated => tracing::warn!(
                serial,
                address,
                "the Envoy's certificate changes again and again, as where two devices answer in turns: look who \
                 answers at this address; said once a day, until it has been the same for a day"
            ),
            Said::Before => tracing::debug!(serial, address, "another certificate once more"),
        }
    }

    /// There is another one.
    fn changed(&mut self, now: Timestamp) -> Said {
        let follows = self.last.is_some_and(|last| is_within_a_day(last, now));
        self.in_a_row = if follows {
            self.in_a_row.saturating_add(1)
        } else {
            1
        };
        self.last = Some(now);
        if self.in_a_row <= SINGLE {
            return Said::Plainly;
        }
        let is_first = self.in_a_row == SINGLE + 1;
        if !is_first && self.said.is_some_and(|said| is_within_a_day(said, now)) {
            return Said::Before;
        }
        self.said = Some(now);
        Said::Repeated
    }

    /// The Envoy was read; whether it is to be said that its certificate changes no more. Told again and
    /// again, it is so once.
    pub(super) fn are_over(&mut self, now: Timestamp) -> bool {
        if self.last.is_some_and(|last| is_within_a_day(last, now)) {
            return false;
        }
        std::mem::take(self).in_a_row > SINGLE
    }
}

/// A clock that was set back is no reason to be silent for long.
fn is_within_a_day(before: Timestamp, now: Timestamp) -> bool {
    (now - before).abs() < STEADY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).expect("a small number of hours")
    }

    #[test]
    fn certificates_that_updates_bring_are_said_one_by_one() {
        let mut changes = Changes::default();
        for hour in [0, 1, 1_000, 9_000] {
            assert_eq!(changes.changed(at(hour)), Said::Plainly, "{hour}");
            assert!(!changes.are_over(at(hour + 30)), "nothing had to end");
        }
    }

    #[test]
    fn two_that_alternate_are_said_once_a_day_and_once_more_when_that_is_over() {
        let mut changes = Changes::default();
        let said: Vec<Said> = (0..72).map(|hour| changes.changed(at(hour))).collect();
        let count = |wanted| said.iter().filter(|said| **said == wanted).count();
        assert_eq!((count(Said::Plainly), count(Said::Repeated)), (2, 3));
        assert!(!changes.are_over(at(94)), "not for sure");
        let over = (95..200).filter(|&hour| changes.are_over(at(hour)));
        assert_eq!(over.count(), 1);
        assert_eq!(changes.changed(at(201)), Said::Plainly);
    }
}
