//! Times as the contract has them: whole seconds, UTC.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::name::quoted;
use crate::text;

/// 1970-01-01T00:00:01Z: a gateway says 0 for "never".
const EARLIEST: i64 = 1;
/// 2261-12-31T23:59:59Z: `InfluxDB` counts nanoseconds in 64 bits, which end a little later.
const LATEST: i64 = 9_214_646_399;

/// How far a gateway's clock has to fall back, in seconds, for what it dated before to count no more: a day. What it
/// dates further ahead of itself was not measured then; by less it is only late.
pub const SET_BACK_S: i64 = 24 * 3600;

/// Whether a gateway's clock that showed one time and shows an earlier one `now`, both in Unix seconds, fell back so far
/// that it was wrong before: by over [`SET_BACK_S`].
#[must_use]
pub fn is_set_back(before: i64, now: i64) -> bool {
    now < before.saturating_sub(SET_BACK_S)
}

/// A time that the contract can't carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// The text is no date and time of RFC 3339.
    #[error("{0} is not a time such as 2026-11-23T09:15:00Z")]
    Malformed(String),
    /// Only whole seconds identify a reading.
    #[error("{0} has a fraction of a second")]
    Fraction(String),
    /// Zero, negative, or later than a store can hold.
    #[error("{0} seconds since 1970 is outside 1970-01-01T00:00:01Z to 2261-12-31T23:59:59Z")]
    OutOfRange(i64),
}

fn parse(text: &str) -> Result<i64, InvalidTime> {
    let malformed = || InvalidTime::Malformed(quoted(text));
    if !looks_like_rfc3339(text) {
        return Err(malformed());
    }
    let time = Timestamp::from_str(text).map_err(|_| malformed())?;
    if time.subsec_nanosecond() != 0 {
        return Err(InvalidTime::Fraction(quoted(text)));
    }
    Ok(time.as_second())
}

/// jiff's parser takes more of ISO 8601 than RFC 3339 has: names of time zones, basic format,
/// times without seconds. What it makes of the numbers is left to it.
fn looks_like_rfc3339(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    text.len() > SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, &shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
        && text
            .bytes()
            .skip(SHAPE.len())
            .all(|byte| byte.is_ascii_digit() || b".Zz+-:".contains(&byte))
}

macro_rules! time {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        ///
        /// Whole seconds from 1970-01-01T00:00:01Z to 2261-12-31T23:59:59Z; written as RFC 3339
        /// in UTC (`2026-11-23T09:15:00Z`), read with any offset.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(into = "String")]
        pub struct $type(i64);

        impl $type {
            /// The earliest time that can be carried.
            pub const MIN: Self = Self(EARLIEST);
            /// The latest time that can be carried.
            pub const MAX: Self = Self(LATEST);

            /// The time that is `seconds` after 1970-01-01T00:00:00Z.
            pub fn from_unix_seconds(seconds: i64) -> Result<Self, InvalidTime> {
                if (EARLIEST..=LATEST).contains(&seconds) {
                    Ok(Self(seconds))
                } else {
                    Err(InvalidTime::OutOfRange(seconds))
                }
            }

            /// Seconds since 1970-01-01T00:00:00Z, always positive.
            #[must_use]
            pub fn unix_seconds(self) -> i64 {
                self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidTime;

            fn from_str(text: &str) -> Result<Self, InvalidTime> {
                Self::from_unix_seconds(parse(text)?)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::parsed(deserializer)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidTime;

            fn try_from(text: String) -> Result<Self, InvalidTime> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(time: $type) -> Self {
                time.to_string()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let time = Timestamp::from_second(self.0)
                    .expect("every second from 1970 to 2261 is within jiff's years -9999 to 9999");
                fmt::Display::fmt(&time, formatter)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($type), "({})"), self)
            }
        }
    };
}

time!(
    /// When an inverter reported, by its gateway's clock: the only time that reaches a store.
    ReportTime
);
impl ReportTime {
    /// Whether what a gateway dates with this time takes the place of what it dated with the one `before`: it is not
    /// older, or its clock was [set back](is_set_back) in between.
    #[must_use]
    pub fn supersedes(self, before: Self) -> bool {
        self >= before || is_set_back(before.0, self.0)
    }
}

time!(
    /// Any other time: of a poll, by our own clock, or of a token's end. A type of its own, so
    /// that none of these can become the time of a data point.
    ClockTime
);
