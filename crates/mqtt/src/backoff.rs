//! The pauses between two attempts to connect.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::limits::SOUND_AFTER;

/// The first pause, before jitter.
const FIRST: Duration = Duration::from_secs(1);

/// Pauses that double up to a cap, each with jitter, so that many clients of one broker do not come
/// back in step.
#[derive(Debug)]
pub(crate) struct Backoff {
    builder: ExponentialBuilder,
    pauses: ExponentialBackoff,
    cap: Duration,
}

impl Backoff {
    /// Pauses of at most `cap`.
    pub(crate) fn new(cap: Duration) -> Self {
        // The jitter adds up to as much again, so the doubling ends at half the cap.
        let longest = cap / 2;
        let builder = ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(FIRST.min(longest))
            .with_max_delay(longest)
            .without_max_times();
        Self {
            builder,
            pauses: builder.build(),
            cap,
        }
    }

    /// The pause after a connection that held for `connected`; zero when it was never made.
    ///
    /// Only after a sound connection do pauses begin anew: two clients with the same id throw each
    /// other out right after connecting, and with a reset at each success they would do so without a
    /// pause.
    pub(crate) fn after(&mut self, connected: Duration) -> Duration {
        if connected >= SOUND_AFTER {
            self.pauses = self.builder.build();
        }
        self.pauses.next().unwrap_or(self.cap)
    }

    /// The pause after an end that would only come again at once: as long as pauses get, without the
    /// way up.
    pub(crate) fn longest(&mut self) -> Duration {
        self.pauses = self.builder.with_min_delay(self.cap / 2).build();
        self.pauses.next().unwrap_or(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_mins(1);
    const NEVER: Duration = Duration::ZERO;

    #[test]
    fn pauses_double_up_to_the_cap_and_have_jitter() {
        let mut backoff = Backoff::new(CAP);
        for base in [1, 2, 4, 8, 16, 30, 30, 30, 30] {
            let pause = backoff.after(NEVER);
            let base = Duration::from_secs(base);
            assert!(
                (base..=base * 2).contains(&pause),
                "{pause:?} after {base:?}"
            );
        }
        let mut others: Vec<_> = (0..10).map(|_| Backoff::new(CAP).after(NEVER)).collect();
        others.dedup();
        assert!(others.len() > 1, "ten clients in step: {others:?}");
    }

    #[test]
    fn only_a_minute_of_connection_begins_anew() {
        let mut backoff = Backoff::new(CAP);
        for _ in 0..10 {
            backoff.after(NEVER);
        }
        assert!(backoff.after(Duration::from_secs(59)) >= Duration::from_secs(30));
        assert!(backoff.after(Duration::from_mins(1)) <= Duration::from_secs(2));
    }

    #[test]
    fn the_longest_pause_needs_no_way_up_and_is_not_left_by_the_next() {
        let mut backoff = Backoff::new(CAP);
        let longest = Duration::from_secs(30)..=CAP;
        assert!(longest.contains(&backoff.longest()));
        assert!(longest.contains(&backoff.after(NEVER)));
        assert!(backoff.after(SOUND_AFTER) <= Duration::from_secs(2));
    }

    #[test]
    fn a_short_cap_is_kept_from_the_first_pause_on() {
        let mut backoff = Backoff::new(Duration::from_millis(100));
        for _ in 0..20 {
            let pause = backoff.after(NEVER);
            assert!(pause >= Duration::from_millis(50) && pause <= Duration::from_millis(100));
        }
    }
}
