//! Why the cloud gives no token, and what to do about it.

use reqwest::StatusCode;
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
    },
    /// It is not well.
    #[error("{host} answers with the status {status}: it is out of order; nothing to do here")]
    Down {
        /// Who was asked.
        host: String,
        /// What it answered.
        status: u16,
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
    /// An answer without what was asked for.
    pub(super) fn unexpected(url: &Url, status: StatusCode) -> Self {
        let (host, status) = (host(url), status.as_u16());
        match status {
            429 => Self::TooOften { host },
            500.. => Self::Down { host, status },
            _ => Self::Unexpected { host, status },
        }
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
