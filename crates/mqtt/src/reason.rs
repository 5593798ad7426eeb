//! Why there is no connection.

mod stage;

use trust::OutOfDate;

use crate::broker::BrokerUrl;
use crate::limits::{CONNECT_WITHIN, MAX_PACKET, OWED_WITHIN, THROWN_OUT_AFTER};

pub use stage::Stage;

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
        "{broker} does not answer within {CONNECT_WITHIN} s; check address, network and firewall, and that the broker does not hang"
    )]
    NoAnswer {
        /// Where we tried.
        broker: BrokerUrl,
    },
    /// The connection was made, and closed before the broker had answered.
    #[error(
        "{broker} closes the connection before it answers; check that this port is MQTT {}",
        if broker.is_tls() {
            "over TLS (mqtt:// is without TLS), and whether the broker wants a client certificate"
        } else {
            "without TLS (mqtts:// is with TLS)"
        }
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
    /// The CA that has signed the broker's certificate is not valid now.
    #[error("{ca}; {}", ca.remedy())]
    CaOutOfDate {
        /// Which one, and since when or until when.
        ca: OutOfDate,
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
    /// The broker wants a certificate of ours, and none is set.
    #[error(
        "{broker} wants a client certificate; set the certificate and key files that belong to this account"
    )]
    CertificateWanted {
        /// Where we tried.
        broker: BrokerUrl,
    },
    /// The broker does not accept our certificate.
    #[error(
        "{broker} does not accept our client certificate ({detail}); check that it is valid now, and that the CA that signed it is the one the broker trusts for clients"
    )]
    CertificateRefused {
        /// Where we tried.
        broker: BrokerUrl,
        /// The alert that the broker sent.
        detail: String,
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
    /// What answers there is no MQTT 3.1.1 broker; a TLS port answers so to a client without TLS.
    #[error(
        "{broker} does not keep to MQTT 3.1.1 ({detail}); check that an MQTT broker is at this address{}",
        if broker.is_tls() { "" } else { " (a port with TLS needs mqtts://)" }
    )]
    NotMqtt {
        /// Where we tried.
        broker: BrokerUrl,
        /// What was wrong.
        detail: String,
    },

    /// The broker, or something between, closed a connection that had worked.
    #[error("the broker closed the connection")]
    Closed,
    /// The broker sent a DISCONNECT, which MQTT 3.1.1 lets clients alone send (section 3.14). `mqtt5`, the single
    /// process's broker, does so when it ends, and to a client whose id another one takes.
    #[error(
        "the broker says good-bye: it ends, or another client has taken the client id (then look for a second program \
         with the same name or serial)"
    )]
    Dismissed,
    /// The network lost a connection that had worked.
    #[error("the connection was lost ({detail})")]
    Lost {
        /// What the operating system says.
        detail: String,
    },
    /// The broker let us in and closed the connection soon after, several times in a row.
    #[error(
        "the broker has closed {THROWN_OUT_AFTER} connections or more in a row soon after it let us in: most likely another client has the client id '{client_id}' and both throw each other out; look for a second program with the same name or serial and stop it, or see in the broker's log why it closes them"
    )]
    ThrownOut {
        /// The client id.
        client_id: String,
    },
    /// A ping was not answered, or nothing could be sent any more.
    #[error("the broker no longer answers; the network or the broker hangs")]
    Silent,
    /// The broker answers pings, but not what we publish.
    #[error("the broker has acknowledged nothing for {} s; it may be overloaded", OWED_WITHIN.as_secs())]
    Stalled,
    /// The broker delivered more than the protocol lets it before anything was taken.
    #[error("more messages came than could be held; what was not acknowledged comes again")]
    Overrun,
    /// The broker sent a packet that is too large for us.
    #[error(
        "the broker sent a packet of {bytes} bytes, more than {MAX_PACKET}; remove the retained message that is too large"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The broker, or what stands between, broke the protocol on a connection that had worked.
    #[error("the broker does not keep to MQTT 3.1.1 ({detail})")]
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
            | Self::CertificateWanted { .. }
            | Self::CertificateRefused { .. }
            | Self::Tls { .. }
            | Self::Credentials { .. }
            | Self::NotAuthorised { .. }
            | Self::ClientId { .. }
            | Self::ThrownOut { .. }
            | Self::TooLarge { .. } => true,
            Self::CaOutOfDate { ca } => ca.has_expired(),
            Self::NameNotFound { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::NoAnswer { .. }
            | Self::ClosedBeforeAnswer { .. }
            // A machine without a battery for its clock starts like this, and sets it later.
            | Self::NotYetValid { .. }
            | Self::Unavailable
            | Self::NotMqtt { .. }
            | Self::Closed
            | Self::Dismissed
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
