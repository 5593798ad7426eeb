//! How fast readings are sent again on request.
//!
//! A broker keeps a bounded queue for each subscriber and drops what is more without a word, and a
//! receiver stores one batch at a time. So a replay goes out in small bursts: a week of a hundred
//! inverters takes some minutes, and a new reading is never behind more than one burst.

use std::time::Duration;

use tokio::time::Instant;

/// Readings of one burst.
const BURST: usize = 50;

/// The time between two bursts.
const EVERY: Duration = Duration::from_millis(100);

/// Where the current burst stands.
#[derive(Debug)]
pub(super) struct Pace {
    left: usize,
    next: Instant,
}

impl Pace {
    /// A burst may begin at once.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            next: now + EVERY,
        }
    }

    /// Whether one more reading may be sent now.
    pub(super) fn allows(&self, now: Instant) -> bool {
        self.left > 0 || now >= self.next
    }

    /// One was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        if now >= self.next {
            *self = Self::new(now);
        }
        self.left -= 1;
    }

    /// When the next reading may be sent, if none may now.
    pub(super) fn pause_until(&self) -> Option<Instant> {
        (self.left == 0).then_some(self.next)
    }
}
