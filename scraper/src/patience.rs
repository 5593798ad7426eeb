//! How long an Envoy is left alone that refuses who is asking.

use std::time::Duration;

/// The longest pause, but for one between two polls that is longer. A new token, or a password that was put
/// right, is tried after that at the latest.
const LONGEST: Duration = Duration::from_mins(5);

/// So many doublings take the shortest pause beyond the longest.
const DOUBLINGS: u32 = 16;

/// Each refusal in a row makes the pause to the next login longer: some firmwares lock out whoever
/// guesses.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    refusals: u32,
}

impl Patience {
    /// The pause after one more refusal, where `every` is the time between two polls. Half of that less than
    /// some whole polls, since each comes a little earlier after an answer than after the one before.
    pub(crate) fn refused(&mut self, every: Duration) -> Duration {
        let polls = 1 << self.refusals.min(DOUBLINGS);
        self.refusals = self.refusals.saturating_add(1);
        let pause = every.saturating_mul(polls).min(LONGEST.max(every));
        pause.saturating_sub(every / 2)
    }

    /// Somebody was let in.
    pub(crate) fn accepted(&mut self) {
        self.refusals = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_mins(1);

    #[test]
    fn an_envoy_that_refuses_is_asked_fifteen_times_in_the_first_hour_and_twelve_times_in_others() {
        let mut patience = Patience::default();
        let mut logins = Vec::new();
        let mut at = Duration::ZERO;
        while at < Duration::from_hours(24) {
            logins.push(at);
            let pause = patience.refused(EVERY);
            // The next poll after it.
            let polls = pause.as_secs().div_ceil(EVERY.as_secs());
            at += Duration::from_secs(polls * EVERY.as_secs());
        }
        let in_hour = |hour: u64| {
            let hour = Duration::from_hours(hour)..Duration::from_hours(hour + 1);
            logins.iter().filter(|at| hour.contains(*at)).count()
        };
        assert!(in_hour(0) <= 15, "{}", in_hour(0));
        assert!((1..24).all(|hour| in_hour(hour) == 12));
    }

    #[test]
    fn an_envoy_that_is_polled_seldom_or_often_is_left_alone_for_no_longer_than_five_minutes_or_a_poll()
     {
        for (every, longest) in [
            (Duration::from_mins(15), Duration::from_mins(15)),
            (Duration::from_secs(1), Duration::from_mins(5)),
            (Duration::from_mins(2), Duration::from_mins(5)),
        ] {
            let mut patience = Patience::default();
            let pauses = (0..40).map(|_| patience.refused(every) + every / 2);
            assert_eq!(pauses.max(), Some(longest), "{every:?}");
        }
    }

    #[test]
    fn who_was_let_in_once_is_not_left_waiting_at_the_next_refusal() {
        let mut patience = Patience::default();
        for _ in 0..40 {
            patience.refused(EVERY);
        }
        patience.accepted();
        assert!(patience.refused(EVERY) < EVERY);
    }
}
