//! How much more fits into a file of bounded length.
//!
//! redb hands out pages, doubles the file when none is left, and uses a page that a transaction
//! gave up only after the next one. Records are appended in order, so that their pages are full but
//! for a few percent. Counting the pages means reading them all; so they are counted now and then,
//! and in between it is enough to add up what was appended.

/// redb's size of a page, in bytes.
pub(super) const PAGE: u64 = 4096;

/// Pages that an append may take beside those of its records: copies of the way to them in each
/// tree, redb's lists of pages given up, the same of the transaction before.
const RESERVE: u64 = 32;

/// Of its pages so many (a 20th) are emptied at a time, so that it need not be done at each append.
const SHARE: u64 = 20;

/// The file as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    /// The most that the file may have, in bytes.
    pub(super) size: u64,
    /// What it has, in bytes.
    pub(super) length: u64,
    /// Its pages in use.
    pub(super) used: u64,
}

/// What to do before records are appended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes may be appended before the pages have to be counted again.
    Append { room: u64 },
    /// The file may have this length, in bytes, which redb can't give it by doubling.
    Extend { length: u64 },
    /// So many bytes of the lowest records have to go.
    Prune { bytes: u64 },
}

impl Space {
    /// What to do before `bytes` of records are appended.
    pub(super) fn next(self, bytes: u64) -> Step {
        let pages = |length: u64| (length / PAGE).saturating_sub(1);
        let (present, most) = (pages(self.length), pages(self.size));
        let can_double = 2 * present <= most;
        let capacity = if can_double { 2 * present } else { present };
        // A byte of a record never takes up more than two of its pages.
        let wanted = 2 * bytes.div_ceil(PAGE) + RESERVE;
        let free = capacity.saturating_sub(self.used);
        if free >= wanted {
            return Step::Append {
                room: (free - RESERVE) * PAGE / 2,
            };
        }
        if present < most && capacity < most {
            // At the latest the file gets its full length, by which all doubling ends.
            let length = if can_double { 4 * present } else { most };
            return Step::Extend {
                length: (length.min(most) + 1) * PAGE,
            };
        }
        Step::Prune {
            bytes: (wanted - free).max(most / SHARE) * PAGE,
        }
    }
}
