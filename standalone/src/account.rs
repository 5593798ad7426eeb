//! The one account that page or broker may ask for, and where each of them listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use daemon::settings::{Key, Settings};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

/// A user name and a secret.
#[derive(Clone)]
pub struct Account {
    username: String,
    password: SecretString,
}

impl Account {
    /// An account.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Its secret.
    #[must_use]
    pub fn password(&self) -> &SecretString {
        &self.password
    }

    /// Whether somebody gave this name and this secret. How long the answer takes says nothing about how much
    /// of them was right: their digests are compared, which nobody can choose bit by bit.
    #[must_use]
    pub fn admits(&self, username: &[u8], password: &[u8]) -> bool {
        let own = self.password.expose_secret().as_bytes();
        let name = hash(self.username.as_bytes()) == hash(username);
        let secret = hash(own) == hash(password);
        name && secret
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.username)
    }
}

fn hash(text: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text).as_ref());
    hash
}

/// Where one of them listens, and for whom.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The address, if one was chosen. Only with an account it is another one than the loopback interface's.
    pub listen: Option<SocketAddr>,
    /// Whom it is for; without one, for everybody at this machine.
    pub account: Option<Account>,
}

/// The address at which this machine reaches what listens there.
pub(crate) fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    (ip, address.port()).into()
}

/// The keys that say so, with a word for what listens and the address that it has unless chosen otherwise.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) listen: Key,
    pub(crate) username: Key,
    pub(crate) password: Key,
    pub(crate) customary: &'static str,
}

impl Place {
    /// Reads them; whoever is in the network is let in with an account only.
    pub(crate) fn read(settings: &mut Settings, keys: &Keys) -> Option<Self> {
        let customary = keys.customary;
        let listen = settings.optional(&keys.listen, |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| format!("is not an address and a port; write {customary}"))
        });
        let username = settings.optional(&keys.username, |text| {
            if text.contains(':') {
                Err("has a colon, which ends a name where a browser sends it; choose another name")
            } else {
                daemon::settings::text(text)
            }
        });
        let (names, secrets) = (
            settings.is_set(&keys.username),
            settings.is_set(&keys.password),
        );
        let password = settings.secret(&keys.password);
        let (user_key, secret_key) = (keys.username.env, keys.password.env);
        match (names, secrets) {
            (true, false) => {
                let message = format!("set without {secret_key}; set both, or neither");
                settings.reject(&keys.username, message);
                return None;
            }
            (false, true) => {
                let message = format!("set without {user_key}; set both, or neither");
                settings.reject(&keys.password, message);
                return None;
            }
            _ => {}
        }
        if let Some(address) = listen.filter(|address| !address.ip().is_loopback() && !names) {
            let message = format!(
                "\"{address}\" can be reached from the network, so it needs {user_key} and {secret_key}; for \
                 this machine alone write {customary}"
            );
            settings.reject(&keys.listen, message);
            return None;
        }
        let account = match (username, password) {
            (Some(username), Some(password)) => match password.reveal() {
                Ok(password) => Some(Account::new(username, password)),
                Err(problem) => {
                    settings.reject(&keys.password, problem);
                    return None;
                }
            },
            // What is set and wrong has been said.
            _ if names => return None,
            _ => None,
        };
        Some(Self { listen, account })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_admits_its_own_name_and_secret_alone() {
        let account = Account::new("ada", "hush");
        assert!(account.admits(b"ada", b"hush"));
        for (username, password) in [
            ("ada", "hus"),
            ("ad", "hush"),
            ("", ""),
            ("ada", "hush\0"),
            ("adahush", ""),
        ] {
            assert!(
                !account.admits(username.as_bytes(), password.as_bytes()),
                "{username}"
            );
        }
        assert_eq!(format!("{account:?}"), "Account(ada)");
    }
}
