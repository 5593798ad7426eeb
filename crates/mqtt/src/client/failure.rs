//! rumqttc's errors as reasons that a person can use.

use std::io;

use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use rustls::CertificateError;

use crate::broker::BrokerUrl;
use crate::config::Config;
use crate::reason::Reason;

/// Why connecting failed.
pub(super) fn connecting(error: ConnectionError, config: &Config) -> Reason {
    let broker = config.broker.clone();
    match error {
        ConnectionError::Io(error) => tcp(&error, broker),
        ConnectionError::Tls(TlsError::Io(error)) => tls_io(&error, broker),
        ConnectionError::Tls(TlsError::TLS(error)) => tls(&error, broker),
        ConnectionError::Tls(error) => Reason::Tls {
            host: broker.host().into(),
            detail: error.to_string(),
        },
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            Reason::NoAnswer { broker }
        }
        ConnectionError::ConnectionRefused(code) => refused(code, config),
        ConnectionError::MqttState(
            StateError::ConnectionAborted
            | StateError::Io(_)
            | StateError::Deserialization(PacketError::Io(_)),
        ) => Reason::ClosedBeforeAnswer { broker },
        // The packet itself is not shown: it comes from something that is no broker.
        ConnectionError::NotConnAck(_) => Reason::protocol("its first packet is not a CONNACK"),
        error @ (ConnectionError::MqttState(_) | ConnectionError::RequestsDone) => {
            Reason::protocol(error.to_string())
        }
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
fn tls_io(error: &io::Error, broker: BrokerUrl) -> Reason {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(error) => tls(error, broker),
        None => Reason::ClosedBeforeAnswer { broker },
    }
}

fn tls(error: &rustls::Error, broker: BrokerUrl) -> Reason {
    use CertificateError as Wrong;
    let host = broker.server_name().to_owned();
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
        error => Reason::Tls {
            host,
            detail: error.to_string(),
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
        ConnectReturnCode::RefusedProtocolVersion => {
            Reason::protocol("it refuses the protocol's version")
        }
        // rumqttc reports a success as a connection, never as an error.
        ConnectReturnCode::Success => Reason::protocol("it refuses with the code of success"),
    }
}
