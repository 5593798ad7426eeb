//! What a receiver asks a scraper to send again.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::name::JournalId;
use crate::payload::{MAX_SEQ, PayloadError, from_json};

/// The most ranges in one request: 1,000 single readings. With the longest numbers they take 35 KB.
pub const MAX_RANGES: usize = 1_000;

/// The content of a `replay` topic: `{"journal":"k3x9m2pq","ranges":[[1712,1733],[1840,1841]]}`.
///
/// Asks for these readings once more, on the backlog topics. Nobody answers for what is not in the
/// journal any more: the next announcement tells that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRequest", into = "RawRequest")]
pub struct ReplayRequest {
    journal: JournalId,
    ranges: Vec<RangeInclusive<u64>>,
}

/// Ranges that no request can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// More than [`MAX_RANGES`], or none.
    #[error("{0} ranges are asked for: expected 1 to {MAX_RANGES}")]
    Number(usize),
    /// The wrong way round, or with a number that no reading has.
    #[error("{0} to {1} is no range of readings: expected 1 to {MAX_SEQ}, the lower number first")]
    Range(u64, u64),
}

impl ReplayRequest {
    /// A request for the readings of `journal` in `ranges`: 1 to [`MAX_RANGES`] of them, each within
    /// 1 to [`MAX_SEQ`]. They may overlap and come in any order.
    pub fn new(
        journal: JournalId,
        ranges: Vec<RangeInclusive<u64>>,
    ) -> Result<Self, InvalidRequest> {
        if !(1..=MAX_RANGES).contains(&ranges.len()) {
            return Err(InvalidRequest::Number(ranges.len()));
        }
        for range in &ranges {
            let (first, last) = (*range.start(), *range.end());
            if first < 1 || last < first || last > MAX_SEQ {
                return Err(InvalidRequest::Range(first, last));
            }
        }
        Ok(Self { journal, ranges })
    }

    /// The journal that they are in.
    #[must_use]
    pub fn journal(&self) -> &JournalId {
        &self.journal
    }

    /// The numbers asked for, both ends included. They come from outside and may be as wide as all
    /// numbers there are.
    #[must_use]
    pub fn ranges(&self) -> &[RangeInclusive<u64>] {
        &self.ranges
    }

    /// The payload, one line of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self)
            .expect("text and whole numbers under text keys can always be written as JSON")
    }

    /// The request in `payload`, bounded in size and number.
    pub fn decode(payload: &[u8]) -> Result<Self, PayloadError> {
        from_json("a request to send readings again", payload)
    }
}

#[derive(Serialize, Deserialize)]
struct RawRequest {
    journal: JournalId,
    ranges: Vec<(u64, u64)>,
}

impl TryFrom<RawRequest> for ReplayRequest {
    type Error = InvalidRequest;

    fn try_from(raw: RawRequest) -> Result<Self, InvalidRequest> {
        let ranges = raw.ranges.into_iter().map(|(first, last)| first..=last);
        Self::new(raw.journal, ranges.collect())
    }
}

impl From<ReplayRequest> for RawRequest {
    fn from(request: ReplayRequest) -> Self {
        let ranges = request.ranges.into_iter().map(RangeInclusive::into_inner);
        Self {
            journal: request.journal,
            ranges: ranges.collect(),
        }
    }
}
