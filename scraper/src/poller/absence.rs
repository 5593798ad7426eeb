//! For how long the Envoy has not answered, and from when on that counts.

use std::time::Duration;

use tokio::time::Instant;

/// Polls in a row that fail before the gateway counts as unreachable. One alone is nothing: gateways are slow
/// at times, and restart.
const POLLS: u32 = 3;

/// How long they have to fail, in intervals of polling, [`LONGEST`] at most.
const INTERVALS: u32 = 10;

/// After this time the gateway counts as unreachable whatever the interval. Its pause of some minutes each night,
/// shortly after 23:00, is nothing to tell anybody of.
const LONGEST: Duration = Duration::from_mins(10);

/// The polls since the last that was answered.
#[derive(Debug)]
pub(super) struct Absence {
    /// When the last one was answered; none before the first.
    answered: Option<Instant>,
    failed: u32,
    may_last: Duration,
}

impl Absence {
    /// None yet, of a gateway that is polled so often.
    pub(super) fn new(every: Duration) -> Self {
        Self {
            answered: None,
            failed: 0,
            may_last: (every * INTERVALS).min(LONGEST),
        }
    }

    /// A poll was answered.
    pub(super) fn is_over(&mut self, now: Instant) {
        self.answered = Some(now);
        self.failed = 0;
    }

    /// A poll failed, or was left out. Whether the gateway counts as unreachable: at once where it has never answered
    /// this process, since nobody knows how old what is shown of it is.
    pub(super) fn goes_on(&mut self, now: Instant) -> bool {
        self.failed = self.failed.saturating_add(1);
        self.answered
            .is_none_or(|at| self.failed >= POLLS && now >= at + self.may_last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    /// After how many minutes one that is polled so often, and then is away, counts as unreachable.
    fn counts_after(every: Duration) -> Duration {
        let answered = Instant::now();
        let mut absence = Absence::new(every);
        absence.is_over(answered);
        let mut away = Duration::ZERO;
        loop {
            away += every;
            if absence.goes_on(answered + away) {
                return away;
            }
        }
    }

    #[test]
    fn a_gateway_that_pauses_for_some_minutes_is_not_unreachable() {
        assert_eq!(counts_after(MINUTE), 10 * MINUTE);
        assert_eq!(counts_after(2 * MINUTE), 10 * MINUTE);
    }

    #[test]
    fn three_polls_have_to_fail_however_seldom_they_are() {
        assert_eq!(counts_after(15 * MINUTE), 45 * MINUTE);
    }

    #[test]
    fn what_has_never_answered_is_unreachable_at_once() {
        assert!(Absence::new(MINUTE).goes_on(Instant::now()));
    }
}
