//! The time of the month: it stands still but for the test, which moves it on once everything rests.
//!
//! Scraper and simulator run on one thread, on tokio's paused clock, and talk over real sockets. tokio
//! would move such a clock on by itself whenever all tasks wait, also while bytes are on their way, and
//! let a request time out that was just being answered. So that is held off (by a blocking task that
//! lasts as long as the month), and time passes only here: a step at a time, once nothing stirs any
//! more; and while a poll is under way only when it obviously waits for something.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Runtime;
use tokio::task::{spawn_blocking, yield_now};

use crate::log::Log;

/// How far time goes on while nothing is asked of the Envoy. All of the scraper's waits are longer, or
/// may end a little late.
const STEP: Duration = Duration::from_secs(20);

/// How far it does while a poll waits: below the shortest time-out, so that none of them ends because
/// the machine was slow.
const SMALL_STEP: Duration = Duration::from_secs(1);

/// Turns of the runtime, each with a look at all sockets, in which nothing may stir before time goes on.
const TURNS: u32 = 24;

/// How long nothing may stir, in real time, before a poll that is under way is taken for one that waits.
const WAITS: Duration = Duration::from_millis(1);

/// A poll that takes longer than this in real time is stuck, and the test with it.
const STUCK: Duration = Duration::from_mins(1);

/// What time it is in the month; cheap to clone.
#[derive(Clone, Debug)]
pub struct Time {
    began: Timestamp,
    passed_s: Arc<AtomicU64>,
}

impl Time {
    /// It is this time.
    #[must_use]
    pub fn beginning(began: Timestamp) -> Self {
        Self {
            began,
            passed_s: Arc::default(),
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.began + SignedDuration::from_secs(self.passed_s().cast_signed())
    }

    /// Seconds since the beginning.
    #[must_use]
    pub fn passed_s(&self) -> u64 {
        self.passed_s.load(Ordering::Relaxed)
    }

    async fn advance(&self, by: Duration) {
        self.passed_s.fetch_add(by.as_secs(), Ordering::Relaxed);
        tokio::time::advance(by).await;
    }
}

/// A runtime whose clock the [`Conductor`] moves: on one thread, with one more for files beside the one that holds the
/// clock, so that what is asked of it is done in order; with many the allocator would keep memory for each, too.
///
/// # Panics
/// When the system has no threads to give.
#[must_use]
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .max_blocking_threads(2)
        .build()
        .expect("a runtime")
}

/// Moves time on.
#[derive(Debug)]
pub struct Conductor {
    time: Time,
    log: Log,
    /// Keeps tokio from moving the clock by itself.
    _hold: std::sync::mpsc::Sender<()>,
}

impl Conductor {
    /// From now on time passes by this conductor alone. To be called on a paused clock.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(time: Time, log: Log) -> Self {
        let (hold, until_dropped) = std::sync::mpsc::channel::<()>();
        spawn_blocking(move || until_dropped.recv());
        Self {
            time,
            log,
            _hold: hold,
        }
    }

    /// Lets time pass up to this second since the beginning, and everybody do what is due. When it
    /// returns no poll is under way; where one took longer it is later.
    pub async fn until(&self, second: u64) {
        self.settle().await;
        while self.time.passed_s() < second {
            let left = Duration::from_secs(second - self.time.passed_s());
            self.time.advance(left.min(STEP)).await;
            self.settle().await;
        }
    }

    async fn settle(&self) {
        let begun = Instant::now();
        loop {
            self.rest().await;
            if !self.log.is_polling() {
                return;
            }
            if self.waits().await {
                self.time.advance(SMALL_STEP).await;
            }
            assert!(begun.elapsed() < STUCK, "a poll does not end");
        }
    }

    /// Returns once nothing has stirred for some turns, and no file is being read or written any more.
    async fn rest(&self) {
        loop {
            self.turns().await;
            let before = self.log.stirred();
            // What has waited for a file may go to another one without a word.
            for _ in 0..2 {
                self.files().await;
                self.turns().await;
            }
            if self.log.stirred() == before {
                return;
            }
        }
    }

    /// Waits for what goes on beside the runtime's thread: one thing at a time ([`runtime`]), in order.
    async fn files(&self) {
        spawn_blocking(|| ()).await.expect("it does nothing");
    }

    async fn turns(&self) {
        let mut turns = 0;
        while turns < TURNS {
            let before = self.log.stirred();
            yield_now().await;
            turns = if self.log.stirred() == before {
                turns + 1
            } else {
                0
            };
        }
    }

    /// Whether the poll under way waits for time to pass.
    async fn waits(&self) -> bool {
        let (before, since) = (self.log.stirred(), Instant::now());
        while since.elapsed() < WAITS {
            yield_now().await;
            if self.log.stirred() != before || !self.log.is_polling() {
                return false;
            }
        }
        true
    }
}
