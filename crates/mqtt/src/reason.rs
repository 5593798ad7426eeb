//! Why there is no connection.

use crate::broker::BrokerUrl;

/// Why there is no connection: a sentence, and what to do where something can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The broker's name has no address.
    #[error(
        "the name '{host}' does not resolve; check the host in the broker's address and this machine's DNS"
    )]
    NameNotFound {
        /// The name.
        host: String,
    },
    /// Nothing listens there.
    #[error("{broker} refuses the connection; check that the broker runs and the port is right")]
    Refused {
        /// Where we tried.
        broker: BrokerUrl,
    },
    /// There is no way to it.
    #[error("{broker} can't be reached ({detail}); check address, network and firewall")]
    Unreachable {
        /// Where we tried.
        broker: BrokerUrl,
        /// What the operating system says.
        detail: String,
    },
    /// Connecting took too long.
    #[error(
        "{broker} does not answer within {} s; check address, network and firewall",
        crate::client::CONNECT_WITHIN
    )]
    NoAnswer {
        /// Where we tried.
        broker: BrokerUrl,
    },
    /// The connection was made, and closed before the broker had answered.
    #[error(
        "{broker} closes the connection before it answers; check that this port is MQTT{}",
        if broker.is_tls() { " over TLS" } else { " without TLS (mqtts:// is with TLS)" }
    )]
    ClosedBeforeAnswer {
        /// Where we tried.
        broker: BrokerUrl,
    },

    /// No CA that we trust has signed the broker's certificate.
    #[error(
        "the certificate of '{host}' is signed by a CA that is not trusted here; give the CA's PEM file as CA file"
    )]
    UnknownCa {
        /// The broker's name.
        host: String,
    },
    /// The broker's certificate is for other names.
    #[error(
        "the certificate of the broker is not for the name '{host}'; use a name that it has, or renew it with this one"
    )]
    WrongName {
        /// The name that we used.
        host: String,
    },
    /// The broker's certificate is not valid any more.
    #[error(
        "the certificate of '{host}' has expired; renew it on the broker (or check this machine's clock)"
    )]
    Expired {
        /// The broker's name.
        host: String,
    },
    /// The broker's certificate is not valid yet.
    #[error("the certificate of '{host}' is not valid yet; check this machine's clock")]
    NotYetValid {
        /// The broker's name.
        host: String,
    },
    /// What answers does not speak TLS.
    #[error("{broker} does not speak TLS; check the port, or use mqtt:// without TLS")]
    NotTls {
        /// Where we tried.
        broker: BrokerUrl,
    },
    /// TLS fails in another way.
    #[error("TLS with '{host}' fails: {detail}")]
    Tls {
        /// The broker's name.
        host: String,
        /// What rustls says.
        detail: String,
    },

    /// The broker does not accept user name and password.
    #[error("the broker does not accept the user name or password of {}; check both", account(user.as_deref()))]
    Credentials {
        /// The user name, if one was given.
        user: Option<String>,
    },
    /// The broker does not let this account in.
    #[error(
        "the broker does not let {} in; check user name and password (Mosquitto answers so to a wrong one, too) and the account's rights",
        account(user.as_deref())
    )]
    NotAuthorised {
        /// The user name, if one was given.
        user: Option<String>,
    },
    /// The broker does not accept the client id.
    #[error("the broker does not accept the client id '{client_id}'")]
    ClientId {
        /// The client id.
        client_id: String,
    },
    /// The broker says that it can't serve now.
    #[error("the broker says that it is unavailable; it is tried again")]
    Unavailable,

    /// The broker, or something between, closed a connection that had worked.
    #[error("the broker closed the connection")]
    Closed,
    /// The network lost a connection that had worked.
    #[error("the connection was lost ({detail})")]
    Lost {
        /// What the operating system says.
        detail: String,
    },
    /// A ping was not answered, or nothing could be sent any more.
    #[error("the broker no longer answers; the network or the broker hangs")]
    Silent,
    /// The broker answers pings, but not what we publish.
    #[error("the broker has acknowledged nothing for {} s; it may be overloaded", crate::supervisor::OWED_WITHIN.as_secs())]
    Stalled,
    /// The broker delivered more than the protocol lets it before anything was taken.
    #[error("more messages came than could be held; what was not acknowledged comes again")]
    Overrun,
    /// The broker sent a packet that is too large for us.
    #[error(
        "the broker sent a packet of {bytes} bytes, more than {}; remove the retained message that is too large",
        crate::client::MAX_PACKET
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// What answers does not keep to MQTT 3.1.1.
    #[error(
        "the broker does not keep to MQTT 3.1.1 ({detail}); check that an MQTT broker is at this address"
    )]
    Protocol {
        /// What was wrong.
        detail: String,
    },
}

impl Reason {
    /// Whether this does not pass by itself: somebody has to change something.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::UnknownCa { .. }
            | Self::WrongName { .. }
            | Self::Expired { .. }
            | Self::NotTls { .. }
            | Self::Tls { .. }
            | Self::Credentials { .. }
            | Self::NotAuthorised { .. }
            | Self::ClientId { .. }
            | Self::TooLarge { .. } => true,
            Self::NameNotFound { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::NoAnswer { .. }
            | Self::ClosedBeforeAnswer { .. }
            // A machine without a battery for its clock starts like this, and sets it later.
            | Self::NotYetValid { .. }
            | Self::Unavailable
            | Self::Closed
            | Self::Lost { .. }
            | Self::Silent
            | Self::Stalled
            | Self::Overrun
            | Self::Protocol { .. } => false,
        }
    }

    pub(crate) fn protocol(detail: impl Into<String>) -> Self {
        Self::Protocol {
            detail: detail.into(),
        }
    }
}

fn account(user: Option<&str>) -> String {
    user.map_or_else(
        || "a client without user name".to_owned(),
        |user| format!("'{user}'"),
    )
}
