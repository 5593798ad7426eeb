//! Whether a scraper or a receiver is connected.

use std::fmt;

use crate::name::quoted;
use crate::payload::PayloadError;

/// The content of the retained `status` topics. [`Offline`](Self::Offline) is also the last will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Connected to the broker.
    Online,
    /// Ended, or cut off from the broker.
    Offline,
}

impl Status {
    /// The payload, a bare word.
    #[must_use]
    pub fn encode(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }

    /// The status in `payload`.
    pub fn decode(payload: &[u8]) -> Result<Self, PayloadError> {
        match payload {
            b"online" => Ok(Self::Online),
            b"offline" => Ok(Self::Offline),
            other => Err(PayloadError::UnknownStatus(quoted(
                &String::from_utf8_lossy(other),
            ))),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.encode())
    }
}
