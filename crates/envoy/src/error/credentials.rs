//! Why an Envoy is not read although it is there: who is asking.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cloud::CloudError;
use crate::digest::Unanswerable;

/// Why the Envoy refuses who is asking.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Credentials {
    /// Firmware below 7: the password is wrong for every user that was tried.
    #[error("{}", describe_users(users, *given))]
    Password {
        /// The users that were tried.
        users: Vec<String>,
        /// Whether the password was configured; otherwise it was computed from the serial.
        given: bool,
        /// Where the Envoy's demand for a password could not be understood: some firmwares answer
        /// a wrong password with a broken one.
        source: Option<Unanswerable>,
    },
    /// The token's file can't be read.
    #[error("the token file {} can't be read: check its path and permissions", path.display())]
    TokenFile {
        /// The configured path.
        path: PathBuf,
        /// Why it can't be read.
        source: std::io::Error,
    },
    /// What is given as a token can't be one.
    #[error(
        "what is given as the Envoy's token is not one, since it {0}; it is one long word that begins with eyJ, made at \
         https://entrez.enphaseenergy.com"
    )]
    NotAToken(&'static str),
    /// The token was good until some time ago.
    #[error(
        "the Envoy's token expired at {}: get a new one at https://entrez.enphaseenergy.com",
        moment(*expired_at)
    )]
    TokenExpired {
        /// When, in Unix seconds.
        expired_at: i64,
    },
    /// The token was made for another Envoy.
    #[error(
        "the token is for the Envoy {found}, this one is {serial}: get one for {serial} at \
         https://entrez.enphaseenergy.com"
    )]
    TokenOfAnother {
        /// The serial in the token.
        found: String,
        /// The serial of the Envoy that answers.
        serial: String,
    },
    /// No token could be fetched.
    #[error("no token for the Envoy can be fetched")]
    NotFetched {
        /// What the last attempt came to.
        #[source]
        reason: Arc<CloudError>,
    },
    /// None is fetched now: the last attempt, which may have been an earlier process's, is too recent.
    #[error(
        "no token for the Envoy is fetched before {}: the last attempt is too recent, and Enphase's \
         cloud locks out whoever logs in too often", moment(again_at.as_second())
    )]
    NotFetchedYet {
        /// When the next attempt is made.
        again_at: Timestamp,
    },
    /// None is fetched yet, since the attempt can't be noted on disk: restarts would not know of it.
    #[error(
        "no token for the Envoy is fetched before {}, since the attempt can't be noted in {}: each restart would be \
         one more login, and Enphase's cloud locks out whoever logs in too often",
        moment(again_at.as_second()), path.display()
    )]
    NotNoted {
        /// When one is fetched all the same, as long as this process lasts until then.
        again_at: Timestamp,
        /// The file.
        path: PathBuf,
        /// Why it can't be written.
        source: std::io::Error,
    },
    /// The Envoy does not take what its account was given, and no other can be had just now.
    #[error(
        "the Envoy refuses the token{} that was fetched for it; another one is fetched by and by; if that does \
         not help, see in the Enphase app that the account is the system owner's, and the Envoy part of that system",
         of_role(role.as_deref())
    )]
    FetchedTokenRejected {
        /// Whose token it says it is: `owner`, `installer` and others.
        role: Option<String>,
        /// Why there is no other, where that was tried.
        #[source]
        because: Option<Box<Credentials>>,
    },
    /// The Envoy knows the token, but not for this.
    #[error(
        "the Envoy accepts the token, but does not let it{} read {path}: get one with the account of \
         the system's owner, at https://entrez.enphaseenergy.com", of_role(role.as_deref())
    )]
    TokenRole {
        /// Whose token it says it is: `owner`, `installer` and others.
        role: Option<String>,
        /// What was asked for.
        path: String,
    },
    /// The token looks good, but the Envoy does not take it.
    #[error(
        "the Envoy refuses the token{}: get a new one at https://entrez.enphaseenergy.com, with \
         the account of the system's owner", of_role(role.as_deref())
    )]
    TokenRejected {
        /// Whose token it says it is: `owner`, `installer` and others.
        role: Option<String>,
    },
}

impl Credentials {
    /// Whether an Envoy was asked and said no: whoever asks again and again may be locked out.
    #[must_use]
    pub fn were_refused(&self) -> bool {
        matches!(
            self,
            Self::Password { .. }
                | Self::TokenExpired { .. }
                | Self::TokenRole { .. }
                | Self::TokenRejected { .. }
                | Self::FetchedTokenRejected { .. }
        )
    }
}

fn describe_users(users: &[String], given: bool) -> String {
    let noun = if users.len() > 1 { "users" } else { "user" };
    let users = format!("{noun} {}", users.join(" and "));
    if given {
        format!("the Envoy refuses the {users} with the password given: check both")
    } else {
        format!(
            "the Envoy refuses the {users} with the password that follows from its serial: \
             give the user name and password with which its own web page lets you in"
        )
    }
}

fn of_role(role: Option<&str>) -> String {
    role.map(|role| format!(" (of the role {role:?})"))
        .unwrap_or_default()
}

pub(crate) fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_people_read_it() {
        let error = Credentials::TokenExpired {
            expired_at: 1_728_900_200,
        };
        assert!(
            error
                .to_string()
                .contains("expired at 2024-10-14T10:03:20Z"),
            "{error}"
        );
        let error = Credentials::TokenExpired {
            expired_at: i64::MAX,
        };
        assert!(error.to_string().contains("expired at 9223372036854775807"));
    }
}
