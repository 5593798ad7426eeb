//! Says that a token will expire, well before it does, once a day.

use envoy::Gateway;
use jiff::{SignedDuration, Timestamp};

/// The pause between two warnings.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Warnings about the token that nobody but a person renews, or that its account has long failed to renew.
#[derive(Debug, Default)]
pub(crate) struct Expiry {
    said_at: Option<Timestamp>,
}

impl Expiry {
    /// Warns of the token that was used last, where it is time for that.
    pub(crate) fn look_at(&mut self, gateway: &Gateway) {
        let renews = gateway.token_renews();
        let expires_at = gateway.token_expires_at();
        let ahead = gateway.token_is_due_ahead();
        let ahead = ahead.map(|ahead| if renews { ahead / 2 } else { ahead });
        let Some(left) = self.note(expires_at, ahead, gateway.clock().now()) else {
            return;
        };
        let what_to_do = if renews {
            "its account has not renewed it so far, and tries again and again; a new one can be got by hand, too \
             (settings: ENVOY_TOKEN, ENVOY_TOKEN_FILE)"
        } else {
            "get a new one (settings: ENVOY_TOKEN, ENVOY_TOKEN_FILE), or give an account that does \
             (settings: ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD)"
        };
        let expires_at = expires_at.and_then(|at| Timestamp::from_second(at).ok());
        let when = when(left);
        tracing::warn!(
            expires_at = expires_at.map(|time| time.to_string()),
            "the Envoy's token {when}: {what_to_do}",
        );
    }

    /// How long the token is still good, where that is to be said now: from `ahead` before its expiry on.
    fn note(
        &mut self,
        expires_at: Option<i64>,
        ahead: Option<SignedDuration>,
        now: Timestamp,
    ) -> Option<SignedDuration> {
        let left = SignedDuration::from_secs(expires_at?.saturating_sub(now.as_second()));
        if left > ahead? {
            self.said_at = None;
            return None;
        }
        // A clock that was set back is no reason to be silent.
        let is_said = |said_at: Timestamp| (now - said_at).abs() < AGAIN_AFTER;
        if self.said_at.is_some_and(is_said) {
            return None;
        }
        self.said_at = Some(now);
        Some(left)
    }
}

/// What becomes of a token that is good for so long.
fn when(left: SignedDuration) -> String {
    if left.is_positive() {
        format!("expires in {}", in_words(left))
    } else {
        "has expired, and is taken only since the Envoy's clock is behind".to_owned()
    }
}

/// A length of time as people say it.
pub(crate) fn in_words(left: SignedDuration) -> String {
    let hours = left.as_hours();
    match hours {
        ..=0 => format!("{} min", left.as_mins().max(0)),
        1..=47 => format!("{hours} h"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn a_token_that_has_expired_is_not_said_to_expire_in_no_time() {
        assert_eq!(when(SignedDuration::from_mins(5)), "expires in 5 min");
        for left in [0, -90] {
            let said = when(SignedDuration::from_secs(left));
            assert!(said.starts_with("has expired"), "{said}");
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    #[test]
    fn it_is_said_once_a_day_from_a_month_before_on() {
        let month = Some(SignedDuration::from_hours(30 * 24));
        let mut expiry = Expiry::default();
        let said: Vec<i64> = (0..365 * DAY)
            .step_by(60)
            .filter(|&now| expiry.note(Some(365 * DAY), month, at(now)).is_some())
            .collect();
        assert_eq!(said.len(), 30);
        assert_eq!(said.first(), Some(&(335 * DAY)));
    }

    #[test]
    fn another_token_ends_it_and_one_without_an_expiry_never_begins_it() {
        let ahead = Some(SignedDuration::from_hours(1));
        let mut expiry = Expiry::default();
        assert!(expiry.note(Some(3_000), ahead, at(0)).is_some());
        assert!(expiry.note(Some(DAY), ahead, at(60)).is_none());
        assert!(expiry.note(Some(3_000), ahead, at(120)).is_some());
        assert!(expiry.note(None, ahead, at(0)).is_none());
        assert!(expiry.note(Some(0), None, at(0)).is_none());
    }

    #[test]
    fn the_time_that_is_left_is_said_in_words() {
        for (seconds, words) in [
            (-5, "0 min"),
            (1_800, "30 min"),
            (7_200, "2 h"),
            (20 * DAY + 5, "20 days"),
        ] {
            assert_eq!(in_words(SignedDuration::from_secs(seconds)), words);
        }
    }
}
