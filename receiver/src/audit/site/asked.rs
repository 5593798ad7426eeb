//! A request that is out, and what becomes of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use store::Marks;
use tokio::time::Instant;
use wire::JournalId;

use super::super::announced::Announced;
use super::super::line::count;
use super::{PIECE, Site};

/// The fewest, after pieces of which only a part came: some queue on the way is as short as that.
const SMALLEST_PIECE: u64 = 20;

/// The longest pause between two requests while nothing comes.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// A request that is out.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) journal: JournalId,
    pub(super) ranges: Vec<RangeInclusive<u64>>,
    /// How many readings were asked for.
    pub(super) readings: u64,
    /// How many of these are not stored yet.
    pub(super) left: u64,
    /// When it was sent.
    pub(super) since: Instant,
    /// When it was sent, or something of it was stored last.
    pub(super) moved: Instant,
}

impl Site {
    /// Whether a request is out that its scraper may be about to answer; no longer where it has let time pass, though it
    /// sends a little now and then.
    pub(in crate::audit) fn is_answering(&self, now: Instant) -> bool {
        let asked = self.asked.as_ref();
        asked.is_some_and(|asked| now < asked.since + self.wait)
    }

    /// Whether nothing of what was asked for last has come for a while.
    pub(in crate::audit) fn was_in_vain(&self, now: Instant) -> bool {
        let asked = self.asked.as_ref();
        self.pause > self.wait || asked.is_some_and(|asked| now >= asked.moved + self.wait)
    }

    /// Whether a request is out that may still be answered.
    pub(super) fn is_busy(&mut self, marks: &Marks, now: Instant) -> bool {
        let Some(asked) = &mut self.asked else {
            return false;
        };
        // What has left the journal meanwhile will not come.
        let held = self.journals.iter().find(|one| *one.id() == asked.journal);
        let first = held.map_or(u64::MAX, Announced::first);
        let still = |range: &RangeInclusive<u64>| {
            let held = first.max(*range.start())..=*range.end();
            marks.missing(&self.envoy, &asked.journal, &held)
        };
        let left: Vec<RangeInclusive<u64>> = asked.ranges.iter().flat_map(still).collect();
        if count(&left) < asked.left {
            asked.left = count(&left);
            asked.moved = now;
            self.pause = self.wait;
        }
        if left.is_empty() {
            self.piece = (2 * self.piece).min(PIECE);
            self.asked = None;
            return false;
        }
        if now < asked.moved + self.pause {
            return true;
        }
        let came = asked.readings - asked.left;
        if came > 0 {
            self.piece = came.clamp(SMALLEST_PIECE, PIECE);
        } else {
            self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        }
        let journal = asked.journal.clone();
        self.asked = None;
        self.line.defer(journal, left);
        false
    }
}
