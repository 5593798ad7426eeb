//! What all payloads share: their bounds and why one is refused.

use serde::Deserialize;

use crate::name::Serial;

/// The longest payload that is looked at, in bytes, but for that of `health`: more than three times the largest that is
/// sent today.
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// The same of `health`, which has some 140 bytes for each inverter: as much as the shipped broker takes.
pub const MAX_HEALTH: usize = 512 * 1024;

/// The highest `seq`: the last whole number that JavaScript, and so Node-RED, counts exactly.
pub const MAX_SEQ: u64 = (1 << 53) - 1;

/// A payload that breaks the contract. No other attempt can mend it: it is a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Larger than [`MAX_PAYLOAD`], or [`MAX_HEALTH`].
    #[error("the payload has {bytes} bytes, more than the {most} that are read")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many are read.
        most: usize,
    },
    /// Not JSON, or a key that is missing or has an impossible value.
    #[error("the payload is not {expected}")]
    Malformed {
        /// What the topic calls for.
        expected: &'static str,
        /// Names the value at fault and its place.
        source: serde_json::Error,
    },
    /// The payload names another Envoy or inverter than its topic.
    #[error("the payload says {key} {payload}, its topic {topic}")]
    OtherThanTopic {
        /// `envoy`, `serial` or `eid`.
        key: &'static str,
        /// The payload's.
        payload: Serial,
        /// The topic's.
        topic: Serial,
    },
    /// The topic is not one that carries this kind of payload.
    #[error("the topic carries no {0}")]
    OtherKind(&'static str),
    /// Neither `online` nor `offline`.
    #[error("the status {0} is neither online nor offline")]
    UnknownStatus(String),
    /// More journals than an announcement may name.
    #[error("{0} journals are announced, more than {max}", max = crate::MAX_JOURNALS)]
    TooManyJournals(usize),
    /// The same journal twice in one announcement.
    #[error("the journal {0} is announced twice")]
    RepeatedJournal(crate::JournalId),
}

pub(crate) fn from_json<'a, T: Deserialize<'a>>(
    expected: &'static str,
    payload: &'a [u8],
) -> Result<T, PayloadError> {
    from_json_of(MAX_PAYLOAD, expected, payload)
}

/// The same with a bound of its own, in bytes.
pub(crate) fn from_json_of<'a, T: Deserialize<'a>>(
    most: usize,
    expected: &'static str,
    payload: &'a [u8],
) -> Result<T, PayloadError> {
    let bytes = payload.len();
    if bytes > most {
        return Err(PayloadError::TooLarge { bytes, most });
    }
    serde_json::from_slice(payload).map_err(|source| PayloadError::Malformed { expected, source })
}

pub(crate) fn same_serial(
    key: &'static str,
    payload: &Serial,
    topic: &Serial,
) -> Result<(), PayloadError> {
    if payload == topic {
        return Ok(());
    }
    Err(PayloadError::OtherThanTopic {
        key,
        payload: payload.clone(),
        topic: topic.clone(),
    })
}
