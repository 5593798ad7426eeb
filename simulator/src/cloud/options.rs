//! What a simulated cloud is to be.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::access::Role;

/// Where the cloud listens, and its one account, which owns the simulated gateway.
#[derive(Clone, Debug)]
pub struct CloudOptions {
    /// Where to listen, in plain HTTP; port 0 takes a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The account's name. Default [`CloudOptions::USERNAME`].
    pub username: String,
    /// The account's password. Default [`CloudOptions::PASSWORD`], which is public and protects nothing.
    pub password: SecretString,
    /// What the account is to the gateway. Default owner.
    pub role: Role,
    /// How long its tokens are good for, by the gateway's clock. Default that of the role: a year, or
    /// 12 hours.
    pub token_lifetime: Option<Duration>,
    /// A file to which every request is appended as a JSON line ([`CloudRequest`](crate::CloudRequest)),
    /// for those who run the program. Default none.
    pub requests: Option<PathBuf>,
}

impl CloudOptions {
    /// The name of the account, where no other is given.
    pub const USERNAME: &str = "owner@example.com";
    /// Its password, where no other is given.
    pub const PASSWORD: &str = "a-simulated-password";
}

impl Default for CloudOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            username: Self::USERNAME.to_owned(),
            password: Self::PASSWORD.into(),
            role: Role::Owner,
            token_lifetime: None,
            requests: None,
        }
    }
}
