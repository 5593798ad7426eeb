//! Where the Envoy is: a host, a host and port, or a URL, as a person writes it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host as UrlHost, Url};

/// The longest address that is looked at; a DNS name has at most 253 characters.
const LONGEST: usize = 300;

/// The cloud's domains. People paste the address of the page on which they see their system.
const CLOUD: [&str; 2] = ["enphaseenergy.com", "enphase.com"];

/// The address of an Envoy in the home network.
///
/// Read from `envoy.local`, `192.168.1.20`, `192.168.1.20:8443`, `fd00::12`, `[fd00::12]:443`,
/// `http://envoy.local` and the like. Where no scheme is given, https is tried and then http;
/// where one is given, only that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    scheme: Option<Scheme>,
    name: UrlHost,
    port: Option<u16>,
}

/// How an Envoy is spoken to: firmware 7 and above by [`Https`](Self::Https), older ones by
/// [`Http`](Self::Http).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// With TLS, port 443.
    Https,
    /// Without, port 80.
    Http,
}

/// Why an address can't be one of an Envoy, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// There is nothing in it.
    #[error(
        "the Envoy's address is empty: give its name or IP address, such as envoy.local or 192.168.1.20"
    )]
    Empty,
    /// A person's account page, not the box in the home.
    #[error(
        "{0:?} is Enphase's cloud: give the address of the Envoy in your home network, such as envoy.local or 192.168.1.20"
    )]
    Cloud(String),
    /// Another scheme than http and https. The value is not repeated, it may hold a password.
    #[error(
        "an Envoy is not reached by {0:?}: write http:// or https:// before its address, or neither"
    )]
    Scheme(String),
    /// A scheme with a slip, as in `https//envoy.local`.
    #[error("{given:?} begins with a scheme that has a slip: write {instead:?}")]
    SchemeSlip {
        /// What was given.
        given: String,
        /// The same with the scheme put right.
        instead: String,
    },
    /// `user:password@` before the host. The value is not repeated for the same reason.
    #[error(
        "the Envoy's address holds a user name or password: leave them out and give them in their own settings"
    )]
    Credentials,
    /// A page of the Envoy.
    #[error("{given:?} has more than an address: write {instead:?}")]
    Path {
        /// What was given.
        given: String,
        /// The same without its path, query and fragment.
        instead: String,
    },
    /// A serial number, which is a setting of its own.
    #[error(
        "{0:?} is a number, not an address: if it is the Envoy's serial, give it as such, and as address something like envoy.local or 192.168.1.20"
    )]
    Number(String),
    /// Not a port.
    #[error(
        "{0:?} has no valid port: write a number from 1 to 65535 after the colon, or leave both out"
    )]
    Port(String),
    /// An IPv6 address of one network interface (`%eth0`), which a URL can't hold.
    #[error(
        "{0:?} names a network interface, which is not supported: give the Envoy's name or its IPv4 address"
    )]
    Zone(String),
    /// An IPv6 address of that kind (`fe80::`) without its interface, so that there is no way to it.
    #[error(
        "{0:?} is an address on one network interface alone, and names none, which is not supported either: give the \
         Envoy's name or its IPv4 address"
    )]
    LinkLocal(String),
    /// Anything else.
    #[error(
        "{0:?} is not an address: give a name or IP address, such as envoy.local or 192.168.1.20"
    )]
    Nonsense(String),
}

impl Host {
    /// The scheme, if the address names one; only that one is tried then.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// The port, if the address names one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The name or address, without brackets around an IPv6 address.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.name {
            UrlHost::Domain(name) => name.clone(),
            UrlHost::Ipv4(address) => address.to_string(),
            UrlHost::Ipv6(address) => address.to_string(),
        }
    }

    /// The same, by this scheme alone where none was given.
    pub(crate) fn or_by(&self, scheme: Scheme) -> Self {
        Self {
            scheme: self.scheme.or(Some(scheme)),
            ..self.clone()
        }
    }

    /// The URL of this Envoy by the given scheme, without a path.
    pub(crate) fn base(&self, scheme: Scheme) -> Url {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        Url::parse(&format!("{scheme}://{}{port}/", self.name))
            .expect("a URL of a parsed host and a port number is a URL")
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if text.len() > LONGEST {
            return Err(HostError::Nonsense(shortened(text)));
        }
        if let Some((scheme, rest)) = scheme_with_slip(text) {
            let meant: Self = format!("{scheme}://{rest}").parse()?;
            return Err(HostError::SchemeSlip {
                given: shortened(text.split(['?', '#']).next().unwrap_or_default()),
                instead: meant.to_string(),
            });
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.parse()?), rest),
            None => (None, text),
        };
        // Looked for first: no later message may repeat a password.
        if rest.contains('@') {
            return Err(HostError::Credentials);
        }
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = split_port(authority, text)?;
        let parsed = Self {
            scheme,
            name: parse_host(host, text)?,
            port,
        };
        if !matches!(path, "" | "/") {
            return Err(HostError::Path {
                // A query may hold a session or a token.
                given: shortened(text.split(['?', '#']).next().unwrap_or_default()),
                instead: parsed.to_string(),
            });
        }
        Ok(parsed)
    }
}

impl FromStr for Scheme {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        match text.to_ascii_lowercase().as_str() {
            "https" => Ok(Self::Https),
            "http" => Ok(Self::Http),
            _ => Err(HostError::Scheme(shortened(text))),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{scheme}://")?;
        }
        write!(f, "{}", self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https => "https",
            Self::Http => "http",
        })
    }
}

/// The scheme and the rest of `https//host`, `http:/host` and the like.
fn scheme_with_slip(text: &str) -> Option<(Scheme, &str)> {
    let is_mark = |character| matches!(character, ':' | ';' | '.' | '/' | '\\');
    let at = text.find(is_mark)?;
    let scheme = text[..at].parse().ok()?;
    let rest = text[at..].trim_start_matches(is_mark);
    let marks = &text[at..text.len() - rest.len()];
    // With a dot alone it is a name, with a colon alone a port behind one.
    let is_slip = marks != "://" && marks.contains(['/', '\\']) && !rest.is_empty();
    is_slip.then_some((scheme, rest))
}

/// The host and the port of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
fn split_port<'a>(authority: &'a str, text: &str) -> Result<(&'a str, Option<u16>), HostError> {
    let bare_v6 = authority.matches(':').count() > 1 && !authority.starts_with('[');
    let colon = match authority.rfind(':') {
        Some(at) if !bare_v6 && !authority[at..].contains(']') => at,
        _ => return Ok((authority, None)),
    };
    match authority[colon + 1..].parse() {
        Ok(port) if port != 0 => Ok((&authority[..colon], Some(port))),
        _ => Err(HostError::Port(text.to_owned())),
    }
}

fn parse_host(host: &str, text: &str) -> Result<UrlHost, HostError> {
    let nonsense = || HostError::Nonsense(text.to_owned());
    if host.contains(':') {
        if host.contains('%') {
            return Err(HostError::Zone(text.to_owned()));
        }
        let address: Ipv6Addr = host
            .strip_prefix('[')
            .map_or(Some(host), |inner| inner.strip_suffix(']'))
            .and_then(|inner| inner.parse().ok())
            .ok_or_else(nonsense)?;
        return if address.is_unicast_link_local() {
            Err(HostError::LinkLocal(text.to_owned()))
        } else if address.is_unspecified() || address.is_multicast() {
            Err(nonsense())
        } else {
            Ok(UrlHost::Ipv6(address))
        };
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return if address.is_unspecified() || address.is_broadcast() || address.is_multicast() {
            Err(nonsense())
        } else {
            Ok(UrlHost::Ipv4(address))
        };
    }
    if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError::Number(text.to_owned()));
    }
    match UrlHost::parse(host) {
        Ok(UrlHost::Domain(name)) if is_name(&name) => {
            if CLOUD.iter().any(|cloud| is_below(&name, cloud)) {
                return Err(HostError::Cloud(text.to_owned()));
            }
            Ok(UrlHost::Domain(name))
        }
        // Spellings such as 192.168.257 or 0x7f.1 are IPv4 addresses to a browser, typing
        // mistakes to everyone else.
        _ => Err(nonsense()),
    }
}

/// Whether this can be resolved: labels of letters, digits, `-` and `_`.
fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
}

fn is_below(name: &str, domain: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The beginning of a text that is too long to repeat.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
