//! What can go wrong with an Envoy, by what can be done about it. No message holds a secret.

mod credentials;

use std::path::PathBuf;
use std::time::Duration;

use crate::certificate::{CertificateChanged, PinError};
use crate::endpoints::Malformed;
use crate::excerpt::Excerpt;
use crate::firmware::Firmware;
pub use credentials::Credentials;
pub(crate) use credentials::moment;

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
        "the Envoy at {address} has the serial {found}, not {expected}{}",
        if *is_configured {
            ": check the address, or change the serial if the Envoy was replaced, and start again"
        } else {
            " as before: check the address, or start again if the Envoy was replaced"
        }
    )]
    WrongSerial {
        /// What was asked.
        address: String,
        /// The serial that was configured, or that the Envoy had at first.
        expected: String,
        /// The serial of the one that answers now.
        found: String,
        /// Whether the expected one is configured.
        is_configured: bool,
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
    /// Certificates are pinned, and the one that is remembered is another Envoy's, where no serial says which one
    /// is meant.
    #[error(
        "the Envoy at {address} says that it is {found}, but what is pinned is the certificate of {pinned}, so nothing \
         secret was sent to it: if it is in the place of that one, {}; if both are yours, give the serial of the one \
         that is meant; if not, look who answers at this address",
        match path {
            Some(path) => format!("remove {}", path.display()),
            None => "start again".to_owned(),
        }
    )]
    OtherPinned {
        /// What was asked.
        address: String,
        /// The serial that it claims.
        found: String,
        /// The serial of the one whose certificate is pinned.
        pinned: String,
        /// The file with that; none where it is known to this process alone.
        path: Option<PathBuf>,
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
    #[error("the Envoy at {address} is busy, as for some minutes after a start: leave it alone for {} s, and ask again then", wait.as_secs())]
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

impl Error {
    /// The status of the answer, where it is that which can't be used. 401 and 403 are about who is asking.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Busy { .. } => Some(503),
            Self::BadAnswer {
                fault: Fault::Status(status),
                ..
            } => Some(*status),
            _ => None,
        }
    }
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
    #[error(
        "it is there but does not answer in time; restart it if this lasts for an hour, and check that no other \
         device has this address"
    )]
    Silent,
    /// The port is open, but TLS fails.
    #[error("no encrypted connection comes about; check that this port is the Envoy's for https")]
    Tls,
    /// Something came that is no HTTP, such as the greeting of an SSH server.
    #[error(
        "what it sends is no HTTP; check that address and port are the Envoy's and not another device's"
    )]
    NotHttp,
    /// Another certificate than the one that was accepted just before.
    #[error("it shows another certificate than a moment ago; the next poll asks anew who it is")]
    OtherCertificate,
    /// Its certificate has a key that can't be checked.
    #[error(
        "its certificate can't be used: no key of 2,048 bits or more is in it, and with less nobody can tell who it \
         is; a newer firmware makes a better one"
    )]
    UnusableKey,
    /// No CA of the system stands for its certificate.
    #[error(
        "its certificate is not signed by a CA of this system for this address, as no Envoy's own one \
         is; pin it instead"
    )]
    NotTrusted,
    /// The connection ended before the answer did.
    #[error(
        "the connection broke off before the answer was complete; if this lasts, check that address and port are the Envoy's and not another \
         device's"
    )]
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

impl Error {
    /// The address of an [`Unreachable`](Self::Unreachable) that failed for this reason.
    pub(crate) fn why(&self) -> Option<Why> {
        match self {
            Self::Unreachable { why, .. } => Some(*why),
            _ => None,
        }
    }
}
