//! How the Envoy's certificate came to be accepted.

use super::fingerprint::Fingerprint;
use super::pins::LostPin;

/// The certificate of the Envoy that answered, and how it came to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Which one it is; that of a certificate that the system's CAs stand for is not looked at.
    pub fingerprint: Option<Fingerprint>,
    /// Why it is accepted.
    pub standing: Standing,
}

/// Why a certificate is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the one that was pinned before.
    Pinned,
    /// None was pinned yet.
    First,
    /// It came in the place of this one.
    Changed(Fingerprint),
    /// It came in the place of one that nobody knows any more.
    Lost(LostPin),
    /// There is none, by http, in the place of this one.
    Gone(Fingerprint),
    /// A CA of the system stands for it.
    Verified,
    /// Any is.
    Unchecked,
}

/// What is known of the certificate that an Envoy had before.
pub(super) enum Known {
    /// It had none, as far as we know.
    None,
    /// This one.
    This(Fingerprint),
    /// It had one, but which one can't be told any more.
    Lost(LostPin),
}
