//! How far connecting had come.

use super::Reason;

/// The steps of connecting, in their order: what is below a reason's stage had worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The broker's name gets an address.
    Name,
    /// The network leads to it, and something listens there.
    Reach,
    /// TLS, with the certificates of both sides; only with `mqtts://`.
    Tls,
    /// What listens there is a broker, and it lets us in.
    Login,
    /// There was a connection, and it has ended.
    Connected,
}

impl Reason {
    /// The step of connecting that has failed for this reason.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::NameNotFound { .. } => Stage::Name,
            // One limit holds for all steps up to the answer, and what stands in the way of packets
            // is by far the commonest that reaches it.
            Self::NoAnswer { .. } | Self::Refused { .. } | Self::Unreachable { .. } => Stage::Reach,
            // A port without TLS hangs up on a TLS greeting; a broker that wants a client
            // certificate may hang up when TLS 1.3 seems complete to us.
            Self::ClosedBeforeAnswer { broker } if broker.is_tls() => Stage::Tls,
            Self::UnknownCa { .. }
            | Self::CaOutOfDate { .. }
            | Self::WrongName { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::NotTls { .. }
            | Self::CertificateWanted { .. }
            | Self::CertificateRefused { .. }
            | Self::Tls { .. } => Stage::Tls,
            Self::ClosedBeforeAnswer { .. }
            | Self::NotMqtt { .. }
            | Self::Credentials { .. }
            | Self::NotAuthorised { .. }
            | Self::ClientId { .. }
            | Self::Unavailable => Stage::Login,
            Self::Closed
            | Self::Dismissed
            | Self::Lost { .. }
            | Self::ThrownOut { .. }
            | Self::Silent
            | Self::Stalled
            | Self::Overrun
            | Self::TooLarge { .. }
            | Self::Protocol { .. } => Stage::Connected,
        }
    }
}
