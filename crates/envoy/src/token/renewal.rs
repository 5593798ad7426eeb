//! When a token is renewed, and how often that is tried: pure, from times.
//!
//! The cloud locks out whoever logs in too often, so attempts are rare, and rarer with each failure.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::CloudError;
use crate::error::Credentials;

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

impl From<NotYet> for Credentials {
    fn from(not_yet: NotYet) -> Self {
        match not_yet.because {
            Some(reason) => Self::NotFetched { reason },
            None => Self::NotFetchedYet {
                again_at: not_yet.again_at,
            },
        }
    }
}

impl Attempts {
    /// Those of an earlier process, as [`saved`](Self::saved) wrote them; none where it is something else.
    pub(super) fn of(saved: &str) -> Self {
        let read = || {
            let mut words = saved.split_whitespace();
            let not_before = Timestamp::from_second(words.next()?.parse().ok()?).ok()?;
            let failures = words.next()?.parse().ok()?;
            let refused = words.next().map_or(Some(0), |word| word.parse().ok())?;
            Some(Self {
                failures,
                refused,
                is_refused: refused > 0,
                not_before: Some(not_before),
                not_before_restarted: Some(not_before),
                ..Self::default()
            })
        };
        read().unwrap_or_default()
    }

    /// What the next process has to know: when the next one may be made, in Unix seconds; how many failed; how
    /// many tokens in a row the Envoy refused.
    pub(super) fn saved(&self) -> String {
        let not_before = self.not_before_restarted.unwrap_or(Timestamp::UNIX_EPOCH);
        self.words(not_before, self.failures)
    }

    /// The same, while one is under way.
    pub(super) fn saved_before(&self, now: Timestamp) -> String {
        self.words(now + FIRST, self.failures.saturating_add(1))
    }

    fn words(&self, not_before: Timestamp, failures: u32) -> String {
        format!("{} {failures} {}", not_before.as_second(), self.refused)
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
        let restarted = if error.needs_a_person() && !error.wants_rest() {
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
    /// another one will hardly be better. Whether that changes anything.
    pub(super) fn refused(&mut self, now: Timestamp) -> bool {
        let is_new = |fetched_at: &Timestamp| (now - *fetched_at).abs() < AFTER_SUCCESS;
        let Some(fetched_at) = self.fetched_at.filter(is_new) else {
            return false;
        };
        let is_first = !std::mem::replace(&mut self.is_refused, true);
        if is_first {
            self.refused = self.refused.saturating_add(1);
            let pause = (0..self.refused.min(16)).fold(AFTER_SUCCESS, |pause, _| pause * 2);
            self.not_before = Some(fetched_at + pause.min(LONGEST));
            self.not_before_restarted = self.not_before;
        }
        is_first
    }
}

/// Up to a quarter longer.
fn spread(pause: SignedDuration, chance: f64) -> SignedDuration {
    pause + SignedDuration::from_secs_f64(pause.as_secs_f64() * chance.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests;
