//! What can be changed while the cloud runs: `mfa on`, `role installer`, `lifetime 12h`.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use thiserror::Error;

use crate::access::Role;

/// A change of how the cloud behaves.
#[derive(Clone, Debug)]
pub enum CloudSwitch {
    /// `mfa on|off`: a login gives no session, because a code is asked for next.
    Mfa(bool),
    /// `too-many-sessions on|off|everywhere`: a login gives no session, with a message that says so.
    TooManySessions(TooMany),
    /// `blocked on|off`: neither a login nor the form lets the account in.
    Blocked(bool),
    /// `down on|off`: 503 to everything.
    Down(bool),
    /// `password NEW`: that of the account, which ends its sessions.
    Password(SecretString),
    /// `role owner|installer|anybody`: of tokens from now on.
    Role(Role),
    /// `lifetime LENGTH|default`: of tokens from now on, by the gateway's clock.
    Lifetime(Option<Duration>),
}

/// Where the account has too many sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMany {
    /// Nobody is turned away for it.
    Nowhere,
    /// Enlighten's login says so; the form of Entrez lets people in all the same.
    AtEnlighten,
    /// The form, too, lets nobody in.
    Everywhere,
}

/// The text changes nothing of the cloud.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{0:?} changes nothing of the cloud: write mfa on|off, too-many-sessions on|off|everywhere, \
     blocked on|off, down on|off, password NEW, role owner|installer|anybody, lifetime LENGTH|default"
)]
pub struct NotACloudSwitch(String);

impl FromStr for CloudSwitch {
    type Err = NotACloudSwitch;

    fn from_str(text: &str) -> Result<Self, NotACloudSwitch> {
        let (what, value) = text.split_once(' ').unwrap_or((text, ""));
        let switch = match what {
            "mfa" => on(value).map(Self::Mfa),
            "too-many-sessions" => too_many(value).map(Self::TooManySessions),
            "blocked" => on(value).map(Self::Blocked),
            "down" => on(value).map(Self::Down),
            "password" if !value.is_empty() => Some(Self::Password(value.into())),
            "role" => value.parse().ok().map(Self::Role),
            "lifetime" if value == "default" => Some(Self::Lifetime(None)),
            "lifetime" => seconds(value).map(Some).map(Self::Lifetime),
            _ => None,
        };
        switch.ok_or_else(|| NotACloudSwitch(text.to_owned()))
    }
}

fn on(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn too_many(text: &str) -> Option<TooMany> {
    match text {
        "on" => Some(TooMany::AtEnlighten),
        "everywhere" => Some(TooMany::Everywhere),
        "off" => Some(TooMany::Nowhere),
        _ => None,
    }
}

/// A length of time of at least a second: tokens know no shorter one.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let length: SignedDuration = text.parse().ok()?;
    let length = Duration::try_from(length).ok()?;
    (length >= Duration::from_secs(1)).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_switch_is_written_as_the_help_has_it() {
        for (text, switch) in [
            ("mfa on", "Mfa(true)"),
            ("too-many-sessions off", "TooManySessions(Nowhere)"),
            (
                "too-many-sessions everywhere",
                "TooManySessions(Everywhere)",
            ),
            ("blocked on", "Blocked(true)"),
            ("down on", "Down(true)"),
            ("role installer", "Role(Installer)"),
            ("lifetime 12h", "Lifetime(Some(43200s))"),
            ("lifetime default", "Lifetime(None)"),
        ] {
            let read: CloudSwitch = text.parse().expect(text);
            assert_eq!(format!("{read:?}"), switch);
        }
    }

    #[test]
    fn what_is_no_switch_is_refused_with_all_that_there_are() {
        for text in [
            "",
            "mfa",
            "mfa yes",
            "password ",
            "role king",
            "lifetime 5",
            "lifetime 1ms",
        ] {
            let refused = text.parse::<CloudSwitch>().expect_err(text);
            assert!(
                refused.to_string().contains("write mfa on|off, "),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let switch: CloudSwitch = "password very secret".parse().expect("a switch");
        assert!(!format!("{switch:?}").contains("secret"), "{switch:?}");
    }
}
