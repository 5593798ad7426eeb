//! What a scraper's journals hold, so that a receiver can find what it lacks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::name::{InstanceId, JournalId};
use crate::payload::{MAX_SEQ, PayloadError, from_json};

/// The most journals in one announcement. A scraper has one or two; receivers keep marks for 16.
pub const MAX_JOURNALS: usize = 16;

/// The content of the retained `journal` topic:
/// `{"instance":"p7…","journals":[{"id":"k3x9m2pq","first":1,"last":1841}],"waiting":0}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Random for each run of a scraper: its own announcement coming back proves that it may
    /// publish, another one that there is a second scraper for this Envoy.
    pub instance: InstanceId,
    /// The journals held, each once, at most [`MAX_JOURNALS`].
    pub journals: Vec<JournalSpan>,
    /// How many readings wait to be taken by the broker.
    pub waiting: u64,
}

impl Announcement {
    /// The payload, one line of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self)
            .expect("text and whole numbers under text keys can always be written as JSON")
    }

    /// The announcement in `payload`, bounded and free of contradictions.
    pub fn decode(payload: &[u8]) -> Result<Self, PayloadError> {
        let announcement: Self = from_json("an announcement", payload)?;
        if announcement.journals.len() > MAX_JOURNALS {
            return Err(PayloadError::TooManyJournals(announcement.journals.len()));
        }
        let mut seen = BTreeSet::new();
        for span in &announcement.journals {
            if !seen.insert(span.id()) {
                return Err(PayloadError::RepeatedJournal(span.id().clone()));
            }
        }
        Ok(announcement)
    }
}

/// A journal and the readings it still holds: all from `first` to `last`, both included.
///
/// A journal that holds none has `last` = `first` − 1: a new one `first` 1 and `last` 0, one
/// whose readings have all left it the next number as `first`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSpan")]
pub struct JournalSpan {
    id: JournalId,
    first: u64,
    last: u64,
}

/// A first and last number that no journal can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal {id} can't hold {first} to {last}: first is at least 1, last at least first - 1 \
     and at most {MAX_SEQ}"
)]
pub struct InvalidSpan {
    id: JournalId,
    first: u64,
    last: u64,
}

impl JournalSpan {
    /// The journal `id` with the readings `first` to `last`.
    pub fn new(id: JournalId, first: u64, last: u64) -> Result<Self, InvalidSpan> {
        if first >= 1 && last <= MAX_SEQ && first - 1 <= last {
            Ok(Self { id, first, last })
        } else {
            Err(InvalidSpan { id, first, last })
        }
    }

    /// The journal's id.
    #[must_use]
    pub fn id(&self) -> &JournalId {
        &self.id
    }

    /// The lowest number held, 1 or more; `last() + 1` when the journal holds none.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The highest number ever given out, at most [`MAX_SEQ`]; 0 in a new journal.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many readings the journal holds.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.last + 1 - self.first
    }

    /// Whether the journal holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Deserialize)]
struct RawSpan {
    id: JournalId,
    first: u64,
    last: u64,
}

impl TryFrom<RawSpan> for JournalSpan {
    type Error = InvalidSpan;

    fn try_from(raw: RawSpan) -> Result<Self, InvalidSpan> {
        Self::new(raw.id, raw.first, raw.last)
    }
}
