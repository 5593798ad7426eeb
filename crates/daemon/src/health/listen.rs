//! Where the server of health and metrics listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::settings::Key;

/// Where health and metrics are to be had.
pub const LISTEN: Key = Key::new("listen", "LISTEN")
    .flag("listen", "ADDRESS:PORT")
    .example("127.0.0.1:9464")
    .help(
        "where /healthz, /readyz and /metrics are served, such as 0.0.0.0:9464; nowhere when unset",
    );

/// An address and a port to listen at. The port 0 stands for any that is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// An IP address without brackets, or a name.
    host: String,
    port: u16,
}

impl Listen {
    /// What to bind.
    pub(super) fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Where somebody on the same machine reaches it.
    pub(super) fn seen_from_here(&self) -> (String, u16) {
        let host = match self.host.parse() {
            Ok(IpAddr::V4(address)) if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
            Ok(IpAddr::V6(address)) if address.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
            _ => self.host.clone(),
        };
        (host, self.port)
    }

    /// Whether the system is to choose the port.
    pub(super) fn is_any_port(&self) -> bool {
        self.port == 0
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self {
                host: address.ip().to_string(),
                port: address.port(),
            });
        }
        let port_alone = text.strip_prefix(':').unwrap_or(text);
        if !port_alone.is_empty() && port_alone.chars().all(|digit| digit.is_ascii_digit()) {
            return Err(format!(
                "is a port without an address; write 127.0.0.1:{port_alone} for this machine alone, \
                 0.0.0.0:{port_alone} for all that can reach it"
            ));
        }
        if text.contains("://") || text.contains('/') {
            return Err(
                "is a URL; write an address and a port alone, such as 127.0.0.1:9464".into(),
            );
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err("is an IPv6 address without a port; write [::1]:9464".into());
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(format!("has no port; write {text}:9464"));
        };
        let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
        if host.is_empty() || !host.chars().all(is_of_a_name) {
            return Err(
                "has no address that can be listened at; write 127.0.0.1:9464 or [::1]:9464".into(),
            );
        }
        let port = port.parse().map_err(
            |_| "has a port that is none; write a number up to 65535, such as 127.0.0.1:9464",
        )?;
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_either_kind_or_a_name_with_a_port_is_taken() {
        for text in ["0.0.0.0:9464", "[::1]:9464", "[::]:0", "localhost:9464"] {
            let listen: Listen = text.parse().expect(text);
            assert_eq!(listen.to_string(), text);
        }
    }

    #[test]
    fn what_lacks_a_part_is_refused_with_what_to_write_instead() {
        for (text, remedy) in [
            ("9464", "0.0.0.0:9464 for all"),
            (":9464", "127.0.0.1:9464 for this machine alone"),
            ("localhost", "write localhost:9464"),
            ("::1", "write [::1]:9464"),
            ("::1:9464", "write [::1]:9464"),
            ("http://localhost:9464", "is a URL"),
            ("0.0.0.0:99999", "up to 65535"),
            ("*:9464", "write 127.0.0.1:9464"),
        ] {
            let error = text.parse::<Listen>().expect_err(text);
            assert!(error.contains(remedy), "{text}: {error}");
        }
    }

    #[test]
    fn who_asks_on_the_same_machine_goes_to_its_loopback_interface() {
        for (text, host) in [
            ("0.0.0.0:9464", "127.0.0.1"),
            ("[::]:9464", "::1"),
            ("192.0.2.7:9464", "192.0.2.7"),
            ("localhost:9464", "localhost"),
        ] {
            let listen: Listen = text.parse().expect(text);
            assert_eq!(listen.seen_from_here(), (host.to_owned(), 9464));
        }
    }
}
