//! What a client of an Envoy needs to know.

use std::time::Duration;

use secrecy::SecretString;

use crate::certificate::CertificatePolicy;
use crate::clock::Clock;
use crate::host::Host;
use crate::state_files::StateFiles;
use crate::token::TokenSource;

/// How to reach an Envoy, and who is asking.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub host: Host,
    /// The serial it must have. Unset, the first one that answers counts from then on.
    pub serial: Option<String>,
    /// The user below firmware 7; unset, `installer` and then `envoy` are tried.
    pub username: Option<String>,
    /// That user's password; unset, the one that follows from the serial.
    pub password: Option<SecretString>,
    /// The token from firmware 7 on.
    pub token: Option<TokenSource>,
    /// Which certificates are accepted.
    pub certificate: CertificatePolicy,
    /// Where it is remembered which one was.
    pub files: StateFiles,
    /// For a connection to come about, with TLS.
    pub connect_timeout: Duration,
    /// For a whole exchange, from connecting to the last byte: some firmwares hang for a minute
    /// once a day.
    pub read_timeout: Duration,
    /// What time it is.
    pub clock: Clock,
}

impl Settings {
    /// The defaults for an Envoy at this address: no token, factory passwords, a certificate that is
    /// pinned until the process ends, 10 s to connect, 45 s for an answer, the system's clock.
    #[must_use]
    pub fn new(host: Host) -> Self {
        Self {
            host,
            serial: None,
            username: None,
            password: None,
            token: None,
            certificate: CertificatePolicy::default(),
            files: StateFiles::nowhere(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(45),
            clock: Clock::system(),
        }
    }
}
