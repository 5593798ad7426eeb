//! Who a token makes of its bearer, and what that allows.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The claim `enphaseUser` of a token: what the account is to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Somebody with an account and no right to this site: the token is good, and nothing may be read with it.
    Anybody,
    /// The owner of the site, who may read everything but `/stream/meter` (from 7.6.175 on).
    Owner,
    /// Who has installed it.
    Installer,
}

/// The text is not a role.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a role: write owner, installer or anybody")]
pub struct NotARole(String);

impl Role {
    /// What Enphase gives the tokens of this role: a year, or 12 hours.
    #[must_use]
    pub fn token_lifetime(self) -> Duration {
        match self {
            Self::Anybody | Self::Owner => Duration::from_hours(365 * 24),
            Self::Installer => Duration::from_hours(12),
        }
    }

    /// Its name in tokens and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Owner => "owner",
            Self::Installer => "installer",
        }
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        let roles = [Self::Anybody, Self::Owner, Self::Installer].into_iter();
        let role = roles.into_iter().find(|role| role.name() == text);
        role.ok_or_else(|| NotARole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
