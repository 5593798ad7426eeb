//! When a token is renewed, and how often that is tried: pure, from times.
//!
//! The cloud locks out whoever logs in too often, so attempts are rare, and rarer with each failure.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::CloudError;

/// The longest time before its expiry at which a token is renewed.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Of its lifetime, this part is left when it is renewed: a month of a year, an hour of twelve.
const PART: i32 = 12;

/// The first pause after a failure that passes by itself.
const FIRST: SignedDuration = SignedDuration::from_mins(1);

/// The one after a failure that needs a person.
const FIRST_FOR_A_PERSON: SignedDuration = SignedDuration::from_mins(15);

/// The one after too many attempts.
const FIRST_OF_REST: SignedDuration = SignedDuration::from_hours(1);

/// The longest pause of our own choice.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// The longest one that the cloud may ask for, with `Retry-After`.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(24);

/// After a success, too: whatever the Envoy says of the new token. Each one that it refuses soon doubles
/// it.
const AFTER_SUCCESS: SignedDuration = SignedDuration::from_mins(30);

/// How long before its expiry a token is to be renewed, by the times that it says of itself, in Unix
/// seconds.
pub(crate) fn ahead(issued_at: Option<i64>, expires_at: i64) -> SignedDuration {
    let lifetime = issued_at.map(|issued_at| expires_at.saturating_sub(issued_at).max(0));
    lifetime.map_or(AHEAD, |seconds| {
        (SignedDuration::from_secs(seconds) / PART).min(AHEAD)
    })
}

/// Whether it is time.
pub(super) fn is_due(issued_at: Option<i64>, expires_at: i64, now: Timestamp) -> bool {
    let left = expires_at.saturating_sub(now.as_second());
    SignedDuration::from_secs(left) <= ahead(issued_at, expires_at)
}

/// The attempts to fetch a token.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: u32,
    not_before: Option<Timestamp>,
    /// The same for a process that is started in this pause: whoever put the account right and starts it
    /// again does not wait for hours.
    not_before_restarted: Option<Timestamp>,
    last: Option<Arc<CloudError>>,
    /// When one gave a token.
    fetched_at: Option<Timestamp>,
    /// How many tokens in a row the Envoy has refused as soon as they were there.
    refused: u32,
    /// Whether the newest is one of them.
    is_refused: bool,
}

/// No attempt is made now.
#[derive(Clone, Debug)]
pub(super) struct NotYet {
    /// Why the last one failed, if it did.
    pub(super) because: Option<Arc<CloudError>>,
    /// When the next one is made.
    pub(super) again_at: Timestamp,
}

impl Attempts {
    /// Those of an earlier process, as [`saved`](Self::saved) wrote them; none where it is something else.
    pub(super) fn of(saved: &str) -> Self {
        let read = || {
            let (not_before, failures) = saved.trim().split_once(' ')?;
            let not_before = Timestamp::from_second(not_before.parse().ok()?).ok()?;
            Some(Self {
                failures: failures.parse().ok()?,
                not_before: Some(not_before),
                not_before_restarted: Some(not_before),
                ..Self::default()
            })
        };
        read().unwrap_or_default()
    }

    /// What the next process has to know: when the next one may be made, in Unix seconds, and how many
    /// failed.
    pub(super) fn saved(&self) -> String {
        let not_before = self.not_before_restarted.unwrap_or(Timestamp::UNIX_EPOCH);
        format!("{} {}", not_before.as_second(), self.failures)
    }

    /// Whether one may be made.
    pub(super) fn may(&self, now: Timestamp) -> Result<(), NotYet> {
        match self.not_before {
            // A clock that was set back is no reason to wait for a year.
            Some(again_at) if now < again_at && again_at - now <= LONGEST_ASKED => Err(NotYet {
                because: self.last.clone(),
                again_at,
            }),
            _ => Ok(()),
        }
    }

    /// One failed. `chance`, from 0 to 1, spreads those of many homes after an outage of the cloud.
    pub(super) fn failed(&mut self, error: CloudError, now: Timestamp, chance: f64) -> NotYet {
        let first = if error.wants_rest() {
            FIRST_OF_REST
        } else if error.needs_a_person() {
            FIRST_FOR_A_PERSON
        } else {
            FIRST
        };
        let pause = (0..self.failures.min(16)).fold(first, |pause, _| (pause * 2).min(LONGEST));
        self.failures = self.failures.saturating_add(1);
        let asked = error.wait().map_or(SignedDuration::ZERO, |wait| {
            SignedDuration::try_from(wait).map_or(LONGEST_ASKED, |wait| wait.min(LONGEST_ASKED))
        });
        let again_at = now + spread(pause, chance).max(asked);
        let restarted = if error.needs_a_person() {
            again_at.min(now + FIRST_FOR_A_PERSON)
        } else {
            again_at
        };
        let because = Arc::new(error);
        (self.not_before, self.last) = (Some(again_at), Some(Arc::clone(&because)));
        self.not_before_restarted = Some(restarted);
        NotYet {
            because: Some(because),
            again_at,
        }
    }

    /// One gave a token.
    pub(super) fn succeeded(&mut self, now: Timestamp) {
        *self = Self {
            not_before: Some(now + AFTER_SUCCESS),
            not_before_restarted: Some(now + AFTER_SUCCESS),
            fetched_at: Some(now),
            refused: if self.is_refused { self.refused } else { 0 },
            ..Self::default()
        };
    }

    /// The Envoy refuses the token that the last one gave; told again and again. If it has never taken it,
    /// another one will hardly be better.
    pub(super) fn refused(&mut self, now: Timestamp) {
        let is_new = |fetched_at: &Timestamp| (now - *fetched_at).abs() < AFTER_SUCCESS;
        let Some(fetched_at) = self.fetched_at.filter(is_new) else {
            return;
        };
        if !std::mem::replace(&mut self.is_refused, true) {
            self.refused = self.refused.saturating_add(1);
            let pause = (0..self.refused.min(16)).fold(AFTER_SUCCESS, |pause, _| pause * 2);
            self.not_before = Some(fetched_at + pause.min(LONGEST));
            self.not_before_restarted = self.not_before;
        }
    }
}

/// Up to a quarter longer.
fn spread(pause: SignedDuration, chance: f64) -> SignedDuration {
    pause + SignedDuration::from_secs_f64(pause.as_secs_f64() * chance.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: i64 = 31_536_000;
    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    fn down() -> CloudError {
        CloudError::Down {
            host: "https://enlighten.example".to_owned(),
            status: 503,
            wait: None,
        }
    }

    #[test]
    fn an_owner_s_token_is_renewed_a_month_ahead_and_an_installer_s_an_hour() {
        assert!(!is_due(Some(0), YEAR, at(YEAR - 30 * DAY - 1)));
        assert!(is_due(Some(0), YEAR, at(YEAR - 30 * DAY)));
        assert!(!is_due(Some(0), 43_200, at(39_599)));
        assert!(is_due(Some(0), 43_200, at(39_600)));
        assert!(is_due(None, YEAR, at(YEAR - 30 * DAY)), "by its end alone");
        assert!(is_due(Some(5), 5, at(5)));
        assert_eq!(
            ahead(Some(i64::MIN), i64::MAX),
            AHEAD,
            "nonsense is no panic"
        );
    }

    #[test]
    fn attempts_that_fail_become_rare_and_are_never_given_up() {
        for (error, first_hour) in [
            (down as fn() -> _, 6),
            (|| CloudError::SecondFactor, 3),
            (|| CloudError::TooManySessions, 1),
        ] {
            let mut attempts = Attempts::default();
            let made: Vec<i64> = (0..4 * DAY)
                .step_by(60)
                .filter(|&second| {
                    let now = at(second);
                    let may = attempts.may(now).is_ok();
                    if may {
                        attempts.failed(error(), now, 0.0);
                    }
                    may
                })
                .collect();
            let within = |from, until| made.iter().filter(|at| (from..until).contains(*at)).count();
            assert_eq!(within(0, 3_600), first_hour);
            assert_eq!(within(3 * DAY, 4 * DAY), 4);
        }
    }

    #[test]
    fn tokens_that_the_envoy_refuses_are_fetched_ever_more_rarely() {
        let mut attempts = Attempts::default();
        let mut fetch = |from: i64, until: i64| {
            let minutes = (from..until).step_by(60).map(at);
            let fetched = minutes.filter(|&now| {
                attempts.refused(now);
                let may = attempts.may(now).is_ok();
                if may {
                    attempts.succeeded(now);
                }
                may
            });
            fetched.count()
        };
        assert_eq!(fetch(0, 3_600), 1);
        assert!(fetch(3_600, DAY) < 6);
        assert_eq!(fetch(3 * DAY, 4 * DAY), 4);
        // One that was good for long is replaced at once.
        attempts.succeeded(at(5 * DAY));
        attempts.refused(at(9 * DAY));
        assert!(attempts.may(at(9 * DAY)).is_ok());
        attempts.succeeded(at(9 * DAY));
        assert!(attempts.may(at(9 * DAY + 1_800)).is_ok());
    }

    #[test]
    fn the_reason_of_the_last_failure_is_there_until_the_next_attempt() {
        let mut attempts = Attempts::default();
        attempts.failed(down(), at(0), 1.0);
        let not_yet = attempts.may(at(74)).expect_err("too early");
        assert_eq!(not_yet.again_at, at(75));
        assert!(not_yet.because.is_some());
        assert!(attempts.may(at(75)).is_ok());
        attempts.succeeded(at(75));
        let not_yet = attempts.may(at(1_874)).expect_err("too early");
        assert!(not_yet.because.is_none());
        assert!(attempts.may(at(1_875)).is_ok());
    }

    #[test]
    fn the_cloud_is_left_alone_for_as_long_as_it_asks_but_no_longer_than_a_day() {
        for (asked, seconds) in [(7_200, 7_200), (10, 60), (u64::MAX, DAY)] {
            let mut attempts = Attempts::default();
            let host = "https://enlighten.example".to_owned();
            let wait = Some(std::time::Duration::from_secs(asked));
            let error = CloudError::Down {
                host,
                status: 503,
                wait,
            };
            attempts.failed(error, at(0), 0.0);
            assert!(attempts.may(at(seconds - 1)).is_err(), "{asked}");
            assert!(attempts.may(at(seconds)).is_ok(), "{asked}");
        }
    }

    #[test]
    fn attempts_outlive_the_process_and_who_put_the_account_right_waits_a_quarter_of_an_hour() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            attempts.failed(CloudError::SecondFactor, at(0), 0.0);
        }
        let mut next = Attempts::of(&attempts.saved());
        assert!(attempts.may(at(3_600)).is_err());
        let not_yet = next.may(at(899)).expect_err("too early");
        assert_eq!(
            (not_yet.again_at, not_yet.because.is_none()),
            (at(900), true)
        );
        assert!(next.may(at(900)).is_ok());
        // Nor does it begin from the first pause again.
        next.failed(CloudError::SecondFactor, at(900), 0.0);
        assert!(next.may(at(900 + 5 * 3_600)).is_err());

        attempts.failed(CloudError::TooManySessions, at(DAY), 0.0);
        let next = Attempts::of(&attempts.saved());
        assert!(next.may(at(DAY + 3 * 3_600)).is_err());
    }

    #[test]
    fn what_is_no_saved_attempts_holds_nothing_up() {
        for text in [
            "",
            "x",
            "1",
            "1 x",
            "9223372036854775807 1",
            "99999999999 2",
        ] {
            assert!(Attempts::of(text).may(at(0)).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up_for_long() {
        let mut attempts = Attempts::default();
        attempts.failed(down(), at(YEAR), 0.5);
        assert!(attempts.may(at(0)).is_ok());
    }
}
