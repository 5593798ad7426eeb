//! The broker's address.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use rustls::pki_types::ServerName;

/// The registered ports of MQTT, plain and over TLS.
const PLAIN_PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

/// Where the broker is, and whether it is spoken to over TLS: `mqtt://host[:port]` (port 1883) or
/// `mqtts://host[:port]` (TLS, port 8883). Without user info, path, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    tls: bool,
    /// A name or an address; an IPv6 address without its brackets.
    host: String,
    port: u16,
}

impl BrokerUrl {
    /// The broker's name or address; an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The broker's TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection is encrypted and the broker's certificate checked.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The broker's name as certificates have it.
    pub(crate) fn server_name(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        if self.host.parse::<Ipv6Addr>().is_ok() {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// Why a text is no broker's address. Values are shown without user info, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// Neither `mqtt://` nor `mqtts://`.
    #[error(
        "'{0}' does not begin with mqtt:// or mqtts:// (TLS); write for example mqtt://broker.local:1883"
    )]
    Scheme(String),
    /// User name or password in the address, where logs would show them.
    #[error("'{0}' has a user name or password in it; give them in settings of their own")]
    UserInfo(String),
    /// A path, query or fragment, which MQTT has no use for.
    #[error("'{0}' has something behind the host and port; leave it out")]
    Path(String),
    /// No host, or one that can be neither name nor address.
    #[error(
        "'{0}' has no usable host; write for example mqtt://broker.local or mqtt://192.168.1.20"
    )]
    Host(String),
    /// A port outside of 1 to 65535.
    #[error("'{0}' has no usable port; it is a number from 1 to 65535")]
    Port(String),
}

impl FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use BrokerUrlError as Wrong;
        let shown = without_user_info(text);
        if text.contains('@') {
            return Err(Wrong::UserInfo(shown));
        }
        let url = match url::Url::parse(text) {
            Ok(url) => url,
            Err(url::ParseError::InvalidPort) => return Err(Wrong::Port(shown)),
            Err(url::ParseError::RelativeUrlWithoutBase) => return Err(Wrong::Scheme(shown)),
            Err(_) => return Err(Wrong::Host(shown)),
        };
        let tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(Wrong::Scheme(shown)),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(Wrong::Path(shown));
        }
        let host = match url.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(Wrong::Host(shown)),
        };
        if ServerName::try_from(host.as_str()).is_err() {
            return Err(Wrong::Host(shown));
        }
        let port = url
            .port()
            .unwrap_or(if tls { TLS_PORT } else { PLAIN_PORT });
        if port == 0 {
            return Err(Wrong::Port(shown));
        }
        Ok(Self { tls, host, port })
    }
}

fn without_user_info(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (None, Some((_, host))) => format!("…@{host}"),
        (_, None) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<BrokerUrl>()
            .map_or_else(|error| error.to_string(), |url| url.to_string())
    }

    #[test]
    fn addresses_get_the_port_of_their_scheme() {
        for (text, expected) in [
            ("mqtt://broker.local", "mqtt://broker.local:1883"),
            ("mqtts://broker.local/", "mqtts://broker.local:8883"),
            ("mqtt://192.168.1.20:1884", "mqtt://192.168.1.20:1884"),
            ("mqtts://[fd00::1]:9000", "mqtts://[fd00::1]:9000"),
            ("mqtt://my_broker", "mqtt://my_broker:1883"),
        ] {
            assert_eq!(shown(text), expected);
        }
        let url: BrokerUrl = "mqtts://[fd00::1]".parse().expect("an address");
        assert_eq!(
            (url.host(), url.port(), url.is_tls()),
            ("fd00::1", 8883, true)
        );
    }

    #[test]
    fn each_mistake_is_named_with_its_remedy() {
        for (text, expected) in [
            ("broker.local", "does not begin with mqtt://"),
            ("broker.local:1883", "does not begin with mqtt://"),
            ("192.168.1.20:1883", "does not begin with mqtt://"),
            ("https://broker.local", "does not begin with mqtt://"),
            ("mqtt://", "no usable host"),
            ("mqtt://bro ker", "no usable host"),
            ("mqtt://brüker", "no usable host"),
            ("mqtt://broker:99999", "no usable port"),
            ("mqtt://broker:0", "no usable port"),
            ("mqtt://broker/envoy", "behind the host and port"),
            ("mqtt://broker?tls=1", "behind the host and port"),
        ] {
            let message = shown(text);
            assert!(
                message.contains(expected) && message.contains(text),
                "{text}: {message}"
            );
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_shown() {
        for text in [
            "mqtt://me:hunter2@broker",
            "mqtt://me:hunter2@bro ker:x",
            "me:hunter2@broker",
        ] {
            let message = shown(text);
            assert!(message.contains("settings of their own"), "{message}");
            assert!(
                !message.contains("hunter2") && !message.contains("me:"),
                "{message}"
            );
        }
    }
}
