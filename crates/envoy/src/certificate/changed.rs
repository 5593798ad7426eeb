//! A certificate that is not accepted.

use super::fingerprint::Fingerprint;

/// The Envoy has another certificate than the pinned one, or none. Nothing secret was sent to it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the Envoy {serial} at {address} shows {}, but {pinned} is pinned, so nothing secret was sent to \
     it: if its firmware was updated, or its certificate is about a year old, it has made itself a new \
     one, which you accept like this: {remedy}; if not, look who answers at this address",
    named(shown.as_ref())
)]
pub struct CertificateChanged {
    /// What was asked.
    pub address: String,
    /// The serial that it claims.
    pub serial: String,
    /// The accepted certificate.
    pub pinned: Fingerprint,
    /// The one that it shows; none by http.
    pub shown: Option<Fingerprint>,
    /// How to accept it.
    pub remedy: String,
}

fn named(shown: Option<&Fingerprint>) -> String {
    shown.map_or_else(
        || "no certificate".to_owned(),
        |shown| format!("the certificate {shown}"),
    )
}
