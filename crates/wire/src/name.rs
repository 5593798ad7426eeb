//! The names that may stand in a topic and in a line of line protocol.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// The longest name, in bytes.
const MAX_LENGTH: usize = 32;

/// A name that is empty, too long, or has a character outside `[A-Za-z0-9_-]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not {kind}: expected 1 to {MAX_LENGTH} of the characters A-Z a-z 0-9 _ -")]
pub struct InvalidName {
    kind: &'static str,
    value: String,
}

/// `value` for an error message: quoted, control characters escaped, and cut, since it came from
/// outside and may be of any length.
pub(crate) fn quoted(value: &str) -> String {
    const SHOWN: usize = 64;
    match value.char_indices().nth(SHOWN) {
        None => format!("{value:?}"),
        Some((end, _)) => format!("{:?}… ({} bytes)", &value[..end], value.len()),
    }
}

fn check(kind: &'static str, value: &str) -> Result<(), InvalidName> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=MAX_LENGTH).contains(&value.len()) && value.bytes().all(allowed) {
        Ok(())
    } else {
        Err(InvalidName {
            kind,
            value: quoted(value),
        })
    }
}

/// A name in place: a reading has three of them, and a receiver thousands of readings at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Short {
    /// Zeros behind the name, below all that it may have: the order is that of the text.
    bytes: [u8; MAX_LENGTH],
    length: u8,
}

impl Short {
    fn new(kind: &'static str, value: &str) -> Result<Self, InvalidName> {
        check(kind, value)?;
        let mut bytes = [0; MAX_LENGTH];
        bytes[..value.len()].copy_from_slice(value.as_bytes());
        let length = u8::try_from(value.len()).unwrap_or(0);
        Ok(Self { bytes, length })
    }

    fn as_str(&self) -> &str {
        let bytes = &self.bytes[..usize::from(self.length)];
        std::str::from_utf8(bytes).expect("only ASCII is let in")
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// Matches `[A-Za-z0-9_-]{1,32}`, so that it can't change the shape of what it is put into.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Short);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(value: &str) -> Result<Self, InvalidName> {
                Short::new($kind, value).map(Self)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::parsed(deserializer)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(value: String) -> Result<Self, InvalidName> {
                value.parse()
            }
        }

        impl TryFrom<&str> for $type {
            type Error = InvalidName;

            fn try_from(value: &str) -> Result<Self, InvalidName> {
                value.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.as_str().to_owned()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

name!(
    /// The serial number of an Envoy, an inverter or a battery, or a meter's number.
    Serial,
    "a serial number"
);
name!(
    /// The name of a receiver, in its topic and its MQTT client id.
    ReceiverName,
    "a receiver's name"
);
name!(
    /// The random id of a journal, made with its file.
    JournalId,
    "a journal id"
);
name!(
    /// The random id of one run of a scraper, by which it knows its own announcement again.
    InstanceId,
    "an instance id"
);
name!(
    /// A word that a gateway uses for a kind, a phase or a state (`net-consumption`).
    Word,
    "a word"
);
