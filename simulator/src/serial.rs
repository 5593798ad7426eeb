//! The serial of a gateway, as printed on it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A gateway's serial: 12 digits on a real one; any 1 to 32 letters, digits, `_` or `-` here, because
/// recordings have theirs blackened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serial(String);

/// The text can't be the serial of a gateway.
#[derive(Debug, Error)]
#[error("{0:?} is not a serial: give the 12 digits of a gateway, such as 122012345678")]
pub struct NotASerial(String);

impl Serial {
    /// The serial as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last six characters: the password of the user `envoy` below firmware 7.
    pub(crate) fn last_six(&self) -> &str {
        &self.0[self.0.len().saturating_sub(6)..]
    }
}

impl FromStr for Serial {
    type Err = NotASerial;

    fn from_str(text: &str) -> Result<Self, NotASerial> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(valid) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotASerial(text.to_owned()))
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
