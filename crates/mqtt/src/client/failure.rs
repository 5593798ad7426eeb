//! rumqttc's errors as reasons that a person can use.

use std::io;

use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use rustls::{AlertDescription, CertificateError};
use trust::OutOfDate;

use crate::broker::BrokerUrl;
use crate::config::Config;
use crate::reason::Reason;
use crate::tls::Tls;

/// Why connecting failed.
pub(super) fn connecting(error: ConnectionError, config: &Config) -> Reason {
    let broker = config.broker.clone();
    match error {
        ConnectionError::Io(error) => tcp(&error, broker),
        ConnectionError::Tls(TlsError::TLS(error)) => tls(&error, config),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            Reason::NoAnswer { broker }
        }
        ConnectionError::ConnectionRefused(code) => refused(code, config),
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            Reason::ClosedBeforeAnswer { broker }
        }
        // With TLS 1.3 the handshake is complete for us before the broker has judged our certificate,
        // so what TLS says may come when we wait for the CONNACK.
        ConnectionError::Tls(TlsError::Io(error))
        | ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)),
        ) => tls_io(&error, config),
        ConnectionError::Tls(error) => Reason::Tls {
            host: broker.host().into(),
            detail: error.to_string(),
        },
        // The packet itself is not shown: it comes from something that is no broker.
        ConnectionError::NotConnAck(_) => no_connack(&broker),
        error @ (ConnectionError::MqttState(_) | ConnectionError::RequestsDone) => {
            Reason::NotMqtt {
                broker,
                detail: error.to_string(),
            }
        }
    }
}

/// The first packet is another one than a CONNACK.
pub(super) fn no_connack(broker: &BrokerUrl) -> Reason {
    Reason::NotMqtt {
        broker: broker.clone(),
        detail: "its first packet is not a CONNACK".into(),
    }
}

/// Why a connection that had been made has ended.
pub(super) fn connected(error: ConnectionError) -> Reason {
    match error {
        ConnectionError::MqttState(StateError::ConnectionAborted) => Reason::Closed,
        ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)),
        )
        | ConnectionError::Io(error) => match error.kind() {
            // TLS without its close_notify, which most programs don't send when they end.
            io::ErrorKind::UnexpectedEof => Reason::Closed,
            _ => Reason::Lost {
                detail: error.to_string(),
            },
        },
        ConnectionError::MqttState(StateError::AwaitPingResp)
        | ConnectionError::FlushTimeout
        | ConnectionError::NetworkTimeout => Reason::Silent,
        ConnectionError::MqttState(StateError::Deserialization(
            PacketError::PayloadSizeLimitExceeded(bytes),
        )) => Reason::TooLarge { bytes },
        error => Reason::protocol(error.to_string()),
    }
}

fn tcp(error: &io::Error, broker: BrokerUrl) -> Reason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Reason::Refused { broker },
        io::ErrorKind::TimedOut => Reason::NoAnswer { broker },
        // A lookup fails with a code of the resolver, everything else with one of the system.
        _ if error.raw_os_error().is_none() => Reason::NameNotFound {
            host: broker.host().into(),
        },
        _ => Reason::Unreachable {
            broker,
            detail: error.to_string(),
        },
    }
}

/// tokio-rustls wraps what rustls says in an I/O error; without that it is one: hung up.
fn tls_io(error: &io::Error, config: &Config) -> Reason {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(error) => tls(error, config),
        None => Reason::ClosedBeforeAnswer {
            broker: config.broker.clone(),
        },
    }
}

fn tls(error: &rustls::Error, config: &Config) -> Reason {
    use CertificateError as Wrong;
    let broker = config.broker.clone();
    let host = broker.server_name().to_owned();
    if let Some(ca) = OutOfDate::behind(error) {
        return Reason::CaOutOfDate { ca: ca.clone() };
    }
    match error {
        rustls::Error::InvalidMessage(_) => Reason::NotTls { broker },
        // A CA made anew under its old name is found by name, and did not sign.
        rustls::Error::InvalidCertificate(Wrong::UnknownIssuer | Wrong::BadSignature) => {
            Reason::UnknownCa { host }
        }
        rustls::Error::InvalidCertificate(
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. },
        ) => Reason::WrongName { host },
        rustls::Error::InvalidCertificate(Wrong::Expired | Wrong::ExpiredContext { .. }) => {
            Reason::Expired { host }
        }
        rustls::Error::InvalidCertificate(
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. },
        ) => Reason::NotYetValid { host },
        rustls::Error::AlertReceived(alert) => alerted(*alert, config),
        error => Reason::Tls {
            host,
            detail: error.to_string(),
        },
    }
}

/// What the broker has against us. Which alert means what differs between TLS libraries and versions,
/// so only the kind is told apart here.
fn alerted(alert: AlertDescription, config: &Config) -> Reason {
    use AlertDescription as Alert;
    let broker = config.broker.clone();
    let has_certificate = config.tls.as_ref().is_some_and(Tls::has_certificate);
    match alert {
        Alert::CertificateRequired | Alert::NoCertificate => Reason::CertificateWanted { broker },
        Alert::BadCertificate if !has_certificate => Reason::CertificateWanted { broker },
        // TLS 1.2 has no alert of its own for a certificate that is missing; OpenSSL sends this one.
        Alert::HandshakeFailure if !has_certificate => Reason::Tls {
            host: broker.server_name().to_owned(),
            detail: "no agreement with the broker; it may want a client certificate".into(),
        },
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied
        | Alert::DecryptError
            if has_certificate =>
        {
            Reason::CertificateRefused {
                broker,
                detail: format!("{alert:?}"),
            }
        }
        alert => Reason::Tls {
            host: broker.server_name().to_owned(),
            detail: format!("the broker ends it with the alert {alert:?}"),
        },
    }
}

fn refused(code: ConnectReturnCode, config: &Config) -> Reason {
    let user = config
        .credentials
        .as_ref()
        .map(|credentials| credentials.username.clone());
    match code {
        ConnectReturnCode::BadUserNamePassword => Reason::Credentials { user },
        ConnectReturnCode::NotAuthorized => Reason::NotAuthorised { user },
        ConnectReturnCode::BadClientId => Reason::ClientId {
            client_id: config.client_id.clone(),
        },
        ConnectReturnCode::ServiceUnavailable => Reason::Unavailable,
        ConnectReturnCode::RefusedProtocolVersion => Reason::NotMqtt {
            broker: config.broker.clone(),
            detail: "it refuses the protocol's version".into(),
        },
        // rumqttc reports a success as a connection, never as an error.
        ConnectReturnCode::Success => Reason::NotMqtt {
            broker: config.broker.clone(),
            detail: "it refuses with the code of success".into(),
        },
    }
}
