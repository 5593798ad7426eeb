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
            bytes: (self.used + wanted - capacity).max(most / SHARE) * PAGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with so many pages beside the first one, which no record is in.
    fn space(size: u64, length: u64, used: u64) -> Space {
        Space {
            size: (size + 1) * PAGE,
            length: (length + 1) * PAGE,
            used,
        }
    }

    #[test]
    fn a_file_that_can_be_doubled_is_left_to_redb() {
        let room = (200 - 90 - RESERVE) * PAGE / 2;
        assert_eq!(space(255, 100, 90).next(PAGE), Step::Append { room });
    }

    #[test]
    fn a_file_that_is_too_long_to_double_is_extended_to_its_size() {
        let length = 256 * PAGE;
        assert_eq!(space(255, 200, 190).next(PAGE), Step::Extend { length });
    }

    #[test]
    fn a_file_of_full_length_lets_a_twentieth_go_or_what_is_lacking() {
        let bytes = 12 * PAGE;
        assert_eq!(space(255, 255, 225).next(PAGE), Step::Prune { bytes });
        let bytes = (250 + 20 + RESERVE - 255) * PAGE;
        assert_eq!(space(255, 255, 250).next(10 * PAGE), Step::Prune { bytes });
    }

    #[test]
    fn what_may_be_appended_without_counting_leaves_the_reserve() {
        for used in 0..255 {
            if let Step::Append { room } = space(255, 255, used).next(1) {
                assert!(used + 2 * room / PAGE + RESERVE <= 255);
            }
        }
    }
}
