//! What every store does, and how it answers.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use wire::Reading;

/// A place that keeps readings for good.
pub trait Store: Send + Sync + 'static {
    /// Stores `readings` and returns once they are durable.
    ///
    /// Safe to call again with the same readings, and safe to drop half-way: then nothing is
    /// known of them, as after an error.
    fn write(
        &self,
        readings: &[Reading],
    ) -> impl Future<Output = Result<Written, WriteError>> + Send;
}

/// A batch of which everything is settled: stored, but for what is set apart here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Written {
    /// The readings that this store will never take, in the order of the batch.
    pub unstorable: Vec<Unstorable>,
    /// How many readings are older than the store keeps any. They are settled, and no fault.
    pub outside_retention: usize,
}

/// A reading that the store refused for its own sake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unstorable {
    /// Its place in the batch.
    pub index: usize,
    /// What the store said of it.
    pub reason: String,
}

/// A batch of which nothing may be acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store is down, busy or out of reach: try again after a pause, longer each time.
    #[error("the store is unavailable: {problem}")]
    Unavailable {
        /// What went wrong, without its causes.
        problem: String,
        /// How long the store asks to be left alone, at most an hour.
        retry_after: Option<Duration>,
        /// The causes, where there are any.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// Somebody has to act: say it once, and try again slowly.
    #[error("the store does not take any readings: {problem}; {remedy}")]
    Configuration {
        /// What the store answered.
        problem: String,
        /// What to check or change.
        remedy: String,
    },
    /// The store refused every reading and has accepted none since the start, so that nobody can
    /// say whose fault it is: try again slowly, with further readings when there are any, since
    /// one that is accepted settles the question.
    #[error("the store refuses every reading and accepted none before: {problem}; {remedy}")]
    Unproven {
        /// What the store answered.
        problem: String,
        /// What to check or change.
        remedy: String,
    },
}
