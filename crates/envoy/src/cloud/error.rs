//! Why the cloud gives no token, and what to do about it.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use url::Url;

use super::host;

/// Why no token could be fetched. No message holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// No answer came.
    #[error("{host} can't be reached: check this machine's way to the internet")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What the connection said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody can vouch for the cloud.
    #[error("Enphase's cloud can't be asked: {0}")]
    NoCas(String),
    /// The account is refused.
    #[error(
        "Enphase does not let this account in: user name (an e-mail address) and password are those of \
         the Enphase app; check them there"
    )]
    BadCredentials,
    /// A second factor is wanted.
    #[error(
        "this account wants a second factor (MFA) at each login, which no program has: get a token by \
         hand at https://entrez.enphaseenergy.com once a year and give that one, or use an account \
         without MFA"
    )]
    SecondFactor,
    /// Enlighten counts sessions and lets nobody in any more.
    #[error(
        "Enphase says that this account has too many sessions: sign out in app and browser, or wait \
         some hours; until then a token can be got by hand at https://entrez.enphaseenergy.com"
    )]
    TooManySessions,
    /// It lets this account in no more, or not now, for a reason of its own.
    #[error(
        "Enphase turns this account away and says {said:?}: log in at https://enlighten.enphaseenergy.com in a \
         browser and see what it wants; meanwhile a token can be got by hand at https://entrez.enphaseenergy.com"
    )]
    TurnedAway {
        /// How its message begins, without what is secret.
        said: String,
    },
    /// Too many attempts.
    #[error("{host} wants fewer attempts (status 429): leave it alone for some hours")]
    TooOften {
        /// Who was asked.
        host: String,
        /// How long it wants to be left alone, if it says so.
        wait: Option<Duration>,
    },
    /// It is not well.
    #[error(
        "{host} answers with the status {status}: it is out of order; if it lasts, a token can be got by hand at \
         https://entrez.enphaseenergy.com"
    )]
    Down {
        /// Who was asked.
        host: String,
        /// What it answered.
        status: u16,
        /// How long it wants to be left alone, if it says so.
        wait: Option<Duration>,
    },
    /// The account has no right to this Envoy.
    #[error(
        "this account gets no token for the Envoy {serial}: the Envoy must be part of the account's \
         system (look in the Enphase app); check the serial and the account"
    )]
    NotYours {
        /// The Envoy's serial.
        serial: String,
    },
    /// A token came that is for another Envoy.
    #[error("the token that came is for the Envoy {found}, not {serial}: check the serial")]
    OfAnother {
        /// The serial in the token.
        found: String,
        /// The serial that was asked for.
        serial: String,
    },
    /// Something else came than a token.
    #[error(
        "what {host} answers (status {status}) is no token: Enphase has changed its pages, or its \
         address is wrong; get a token by hand at https://entrez.enphaseenergy.com"
    )]
    Unexpected {
        /// Who was asked.
        host: String,
        /// What it answered.
        status: u16,
    },
}

impl CloudError {
    /// What an answer with this status means, whatever was asked for; `None` where it is to be read.
    pub(super) fn of_status(url: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let (host, status, wait) = (host(url), status.as_u16(), wait(headers));
        match status {
            429 => Some(Self::TooOften { host, wait }),
            500.. => Some(Self::Down { host, status, wait }),
            _ => None,
        }
    }

    /// An answer without what was asked for.
    pub(super) fn unexpected(url: &Url, status: StatusCode) -> Self {
        let (host, status) = (host(url), status.as_u16());
        Self::Unexpected { host, status }
    }

    /// A good answer without what was asked for.
    pub(super) fn no_token(url: &Url) -> Self {
        Self::unexpected(url, StatusCode::OK)
    }

    /// Whether the form for people may give what the first way did not.
    pub(super) fn leaves_the_form(&self) -> bool {
        matches!(
            self,
            Self::TooManySessions | Self::NotYours { .. } | Self::Unexpected { .. }
        )
    }

    /// Which of two failures to go on with: this one, of Enlighten, or that of the form, which was tried
    /// because of it. What Enlighten said is what people know and can change, unless it said nothing that is
    /// understood. A wish to be left alone counts wherever it comes from.
    pub(super) fn or_of_form(self, form: Self) -> Self {
        let wants_fewer = matches!(form, Self::TooOften { .. }) || form.wait().is_some();
        let tells_more =
            matches!(self, Self::Unexpected { .. }) && !matches!(form, Self::BadCredentials);
        if wants_fewer || tells_more {
            form
        } else {
            self
        }
    }

    /// Whether nothing was sent, since no connection came about.
    pub(super) fn is_of_no_connection(&self) -> bool {
        let Self::Unreachable { source, .. } = self else {
            return false;
        };
        let error = source.downcast_ref::<reqwest::Error>();
        error.is_some_and(reqwest::Error::is_connect)
    }

    /// How long the cloud wants to be left alone, if it says so.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooOften { wait, .. } | Self::Down { wait, .. } => *wait,
            _ => None,
        }
    }

    /// Whether the cloud counts attempts and has had too many, or may count them.
    pub(crate) fn wants_rest(&self) -> bool {
        matches!(
            self,
            Self::TooManySessions | Self::TurnedAway { .. } | Self::TooOften { .. }
        )
    }

    /// Whether it will fail just the same until somebody changes something.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. }
                | Self::TooManySessions
                | Self::TooOften { .. }
                | Self::Down { .. }
        )
    }
}

/// What `Retry-After` says, in seconds; the other form of it, a date, is not worth a parser of its own.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn read(status: u16, retry_after: Option<&'static str>) -> Option<CloudError> {
        let url = "https://enlighten.example".parse().expect("a URL");
        let status = StatusCode::from_u16(status).expect("a status");
        let value = retry_after.map(|value| (RETRY_AFTER, HeaderValue::from_static(value)));
        CloudError::of_status(&url, status, &value.into_iter().collect())
    }

    #[test]
    fn a_cloud_that_wants_to_be_left_alone_says_for_how_long() {
        let wait = |status, value| read(status, value).expect("an error").wait();
        assert_eq!(wait(429, Some("7200")), Some(Duration::from_hours(2)));
        assert_eq!(wait(503, Some(" 30 ")), Some(Duration::from_secs(30)));
        assert_eq!(wait(503, Some("Wed, 21 Oct 2026 07:28:00 GMT")), None);
        assert_eq!(wait(429, None), None);
    }

    #[test]
    fn one_that_is_out_of_order_is_told_apart_from_one_that_wants_fewer_attempts() {
        for (status, expected) in [
            (429, "fewer attempts"),
            (500, "out of order"),
            (503, "out of order"),
        ] {
            let said = read(status, None).expect("an error").to_string();
            assert!(said.contains(expected), "{status}: {said}");
        }
        for status in [200, 302, 401, 403, 404] {
            assert!(read(status, None).is_none(), "{status}");
        }
    }
}
