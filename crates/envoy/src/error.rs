//! What can go wrong with an Envoy, by what can be done about it. No message holds a secret.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::certificate::{CertificateChanged, PinError};
use crate::cloud::CloudError;
use crate::digest::Unanswerable;
use crate::endpoints::Malformed;
use crate::excerpt::Excerpt;
use crate::firmware::Firmware;

/// Why the Envoy could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No complete answer came. The next poll is the retry.
    #[error("the Envoy can't be read at {address}: {why}")]
    Unreachable {
        /// What was tried: scheme, host, and port where it is not the usual one.
        address: String,
        /// What happened, and what to look at.
        why: Why,
        /// What the connection said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something else answers at this address.
    #[error("what answers at {address} is not an Envoy ({excerpt}): check the address")]
    NotAnEnvoy {
        /// What was asked.
        address: String,
        /// How its answer begins.
        excerpt: Excerpt,
        /// What is wrong with its answer.
        #[source]
        fault: Fault,
    },
    /// The Envoy at this address is not the expected one, so nothing of it is used.
    #[error(
        "the Envoy at {address} has the serial {found}, not {expected}: check the address, or \
         change the serial if the Envoy was replaced, and start again"
    )]
    WrongSerial {
        /// What was asked.
        address: String,
        /// The serial that was configured, or that the Envoy had at first.
        expected: String,
        /// The serial of the one that answers now.
        found: String,
    },
    /// An address with `http://` of an Envoy that takes tokens, which are never sent in clear.
    #[error(
        "the Envoy at {address} wants to be asked by https: write https:// before its address, \
         or leave http:// out"
    )]
    HttpsNeeded {
        /// What was asked.
        address: String,
    },
    /// The Envoy has another certificate than the pinned one, or none.
    #[error(transparent)]
    CertificateChanged(Box<CertificateChanged>),
    /// Which certificate is pinned is not known, so none is accepted.
    #[error(
        "which certificate of the Envoy is pinned can't be read from {}, so nothing secret was sent to it: {}",
        path.display(), source.remedy()
    )]
    Pin {
        /// What was asked.
        address: String,
        /// The serial that it claims.
        serial: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PinError,
    },
    /// The Envoy refuses who is asking.
    #[error(transparent)]
    Credentials(#[from] Credentials),
    /// A token is needed and none is given.
    #[error(
        "the Envoy {serial} has firmware {firmware}, which wants a token, and none is given: get \
         one at https://entrez.enphaseenergy.com, for the serial {serial}, with the account that \
         sees this system in the Enphase app"
    )]
    TokenMissing {
        /// The Envoy's serial, for which the token must be.
        serial: String,
        /// Its firmware.
        firmware: Firmware,
    },
    /// The Envoy has just started, or has too much to do.
    #[error("the Envoy at {address} is busy: it is left alone for {} s at least, and asked again then", wait.as_secs())]
    Busy {
        /// What was asked.
        address: String,
        /// How long to leave it alone; at least 30 s.
        wait: Duration,
    },
    /// An answer came that can't be used.
    #[error(
        "the answer of {endpoint} can't be used ({excerpt}): if this lasts, restart the Envoy and \
         check that its firmware is 3.9 or newer"
    )]
    BadAnswer {
        /// The whole URL.
        endpoint: String,
        /// How the answer begins.
        excerpt: Excerpt,
        /// What is wrong with it.
        #[source]
        fault: Fault,
    },
}

/// Why no complete answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// The name does not resolve.
    #[error("its name is not known here; check it, or give the IP address")]
    Name,
    /// Nothing listens on that port.
    #[error("nothing listens there; check the address, and that the Envoy is running")]
    Refused,
    /// The network knows no way to it.
    #[error("there is no way to it from here; check the address and the network")]
    NoRoute,
    /// No connection came about in time.
    #[error("it does not respond; check the address, and that the Envoy is running")]
    TimedOut,
    /// A connection, but no complete answer in time. Some firmwares hang for minutes, at 23:00.
    #[error("it is there but does not answer in time; restart it if this lasts for an hour")]
    Silent,
    /// The port is open, but TLS fails.
    #[error("no encrypted connection comes about; check that this port is the Envoy's for https")]
    Tls,
    /// Another certificate than the one that was accepted just before.
    #[error("it shows another certificate than a moment ago; the next poll asks anew who it is")]
    OtherCertificate,
    /// No CA of the system stands for its certificate.
    #[error(
        "its certificate is not signed by a CA of this system for this address, as no Envoy's own one \
         is; pin it instead"
    )]
    NotTrusted,
    /// The connection ended before the answer did.
    #[error("the connection broke off before the answer was complete; the next poll tries again")]
    Broken,
}

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Any status that stands for no answer.
    #[error("it has the status {0}")]
    Status(u16),
    /// A redirect, which is never followed.
    #[error("it leads elsewhere: {0}")]
    Redirect(Excerpt),
    /// A body that is larger than any real one.
    #[error("it has more than {0} bytes")]
    TooLong(usize),
    /// A body that does not say what it should.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

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
        "what is given as the Envoy's token is not a token: it is one long word that begins with \
         eyJ; copy it anew from https://entrez.enphaseenergy.com"
    )]
    NotAToken,
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

impl Error {
    /// The address of an [`Unreachable`](Self::Unreachable) that failed for this reason.
    pub(crate) fn why(&self) -> Option<Why> {
        match self {
            Self::Unreachable { why, .. } => Some(*why),
            _ => None,
        }
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
