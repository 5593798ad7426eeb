//! Why no complete answer came: what was found, and what to do.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::CertificateError;
use trust::OutOfDate;
use url::Url;

use crate::write::WriteError;

/// What a request came to that was not answered.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) problem: String,
    pub(super) remedy: String,
    /// Whether this does not pass by itself: somebody has to change something.
    pub(super) needs_a_person: bool,
    /// What the problem does not say itself.
    source: Option<reqwest::Error>,
}

impl Failure {
    /// One that lasts until somebody does something.
    pub(super) fn lasting(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            remedy: remedy.into(),
            needs_a_person: true,
            source: None,
        }
    }

    fn passing(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            needs_a_person: false,
            ..Self::lasting(problem, remedy)
        }
    }

    /// What became of a request to `url` that may take as long as `timeouts` say.
    pub(super) fn of(error: reqwest::Error, url: &Url, timeouts: Timeouts) -> Self {
        let server = url.origin().ascii_serialization();
        let host = url.host_str().unwrap_or_default();
        if error.is_dns() {
            return Self::passing(
                format!("the name '{host}' does not resolve"),
                "check the host in INFLUX_URL and this machine's DNS",
            );
        }
        if error.is_timeout() {
            return if error.is_connect() {
                Self::passing(
                    format!(
                        "{server} does not answer within {:?}",
                        timeouts.for_connecting()
                    ),
                    REACH_IT,
                )
            } else {
                Self::passing(
                    format!(
                        "{server} takes requests, but gives no answer in time ({:?})",
                        timeouts.0
                    ),
                    "if this lasts, see whether InfluxDB hangs or has too much to do",
                )
            };
        }
        match deepest(&error) {
            Some(Deepest::Tls(error)) => Self::tls(error, &server, host),
            Some(Deepest::Io(io)) if error.is_connect() => Self::connecting(io, &server),
            Some(Deepest::NotHttp) => Self::lasting(
                format!("what answers at {server} does not speak HTTP"),
                "check the port in INFLUX_URL, and write https:// there if the server uses TLS",
            ),
            _ => Self {
                source: Some(error.without_url()),
                ..Self::passing(
                    "the connection broke off before the answer was complete",
                    "if this lasts, look at InfluxDB's log, and at that of a proxy before it",
                )
            },
        }
    }

    fn connecting(error: &io::Error, server: &str) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::passing(
                format!("{server} refuses the connection"),
                "check that InfluxDB runs there, and the port in INFLUX_URL",
            ),
            // Only a server that does not know TLS hangs up on our first bytes.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Self::passing(
                format!("{server} closes the connection before it answers"),
                "check that the port in INFLUX_URL is InfluxDB's, and that it uses TLS (http:// \
                 is without)",
            ),
            _ => Self::passing(format!("{server} can't be reached ({error})"), REACH_IT),
        }
    }

    fn tls(error: &rustls::Error, server: &str, host: &str) -> Self {
        use CertificateError as Wrong;
        if let Some(ca) = OutOfDate::behind(error) {
            return if ca.has_expired() {
                Self::lasting(ca.to_string(), ca.remedy())
            } else {
                Self::passing(ca.to_string(), ca.remedy())
            };
        }
        let rustls::Error::InvalidCertificate(wrong) = error else {
            return match error {
                rustls::Error::InvalidMessage(_) => Self::lasting(
                    format!("{server} does not speak TLS"),
                    "check the port in INFLUX_URL, or write http:// for a server without TLS",
                ),
                _ => Self::unnamed_tls(error, host),
            };
        };
        match wrong {
            // A CA made anew under its old name is found by name, and did not sign.
            Wrong::UnknownIssuer | Wrong::BadSignature => Self::lasting(
                format!("the certificate of '{host}' is signed by a CA that is not trusted here"),
                "let INFLUX_CA_FILE name the PEM file of the CA that signed it",
            ),
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => Self::lasting(
                format!(
                    "the certificate of InfluxDB is not for the name '{host}'{}",
                    names(wrong)
                ),
                "use a name that it has in INFLUX_URL, or renew it with this one",
            ),
            Wrong::Expired | Wrong::ExpiredContext { .. } => Self::lasting(
                format!("the certificate of '{host}' has expired"),
                "renew it at InfluxDB (or check this machine's clock)",
            ),
            // A machine without a battery for its clock starts like this, and sets it later.
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => Self::passing(
                format!("the certificate of '{host}' is not valid yet"),
                "check this machine's clock",
            ),
            // What `openssl req -x509` makes: a CA, put to use as a server's certificate.
            _ if wrong.to_string().contains("CaUsedAsEndEntity") => Self::lasting(
                format!("the certificate of '{host}' is that of a CA, which no server may show"),
                "make it anew with basicConstraints=CA:FALSE, or sign another one with it; \
                 INFLUX_CA_FILE names the file of the one that signed",
            ),
            _ => Self::unnamed_tls(error, host),
        }
    }

    fn unnamed_tls(error: &rustls::Error, host: &str) -> Self {
        Self::lasting(
            format!("TLS with '{host}' fails: {error}"),
            "check INFLUX_URL, INFLUX_CA_FILE and the certificate of InfluxDB",
        )
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        let Failure {
            problem, remedy, ..
        } = failure;
        if failure.needs_a_person {
            Self::Configuration { problem, remedy }
        } else {
            Self::Unavailable {
                problem: format!("{problem}; {remedy}"),
                retry_after: None,
                source: failure.source.map(Into::into),
            }
        }
    }
}

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts(pub(super) Duration);

impl Timeouts {
    /// How long of that may pass before there is a connection: only so can a server that is away be
    /// told from one that hangs.
    pub(super) fn for_connecting(self) -> Duration {
        self.0 / 2
    }
}

const REACH_IT: &str = "check the address in INFLUX_URL, the network and the firewall";

/// The innermost cause that says anything.
enum Deepest<'a> {
    Tls(&'a rustls::Error),
    Io(&'a io::Error),
    NotHttp,
}

fn deepest<'a>(error: &'a (dyn StdError + 'static)) -> Option<Deepest<'a>> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(Deepest::Tls(error));
    }
    if let Some(io) = error.downcast_ref::<io::Error>() {
        // Its own `source` leaves out what it wraps.
        let wrapped = io.get_ref().and_then(|inner| deepest(inner));
        return Some(wrapped.unwrap_or(Deepest::Io(io)));
    }
    match error.source() {
        Some(cause) => deepest(cause),
        None => is_not_http(&error.to_string()).then_some(Deepest::NotHttp),
    }
}

/// hyper's words for bytes that are no HTTP, and for such that come before anything was asked (SSH,
/// mail); it has no other sign of them.
fn is_not_http(words: &str) -> bool {
    words.starts_with("invalid HTTP") || words.starts_with("received unexpected message")
}

/// The names that a certificate is for, where rustls says them.
fn names(wrong: &CertificateError) -> String {
    match wrong {
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!(" (it is for: {})", presented.join(", "))
        }
        _ => String::new(),
    }
}
