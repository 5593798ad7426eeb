//! What every store does, and how it answers.

use std::error::Error;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use wire::{Health, Reading};

use crate::line::health::INVERTER_HEALTH;
use crate::marks::Marks;

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

    /// Stores what of the inverters' health changed, as [`MarkedStore::keep_healths`] does.
    fn keep_healths(
        &self,
        healths: &[Health],
    ) -> impl Future<Output = Result<(), HealthError>> + Send;

    /// Whether it answers at all, which says nothing of the right to write.
    fn answers(&self) -> impl Future<Output = bool> + Send {
        std::future::ready(true)
    }
}

/// A store together with the [`Marks`] of what it has.
pub trait MarkedStore: Send + Sync + 'static {
    /// The marks that were saved last.
    ///
    /// # Errors
    /// When they can't be had: then there are none, and everything is fetched once more.
    fn marks(&self) -> impl Future<Output = Result<Marks, MarksError>> + Send;

    /// Stores `readings` as [`Store::write`] does, and once they are durable saves `marks`, which has
    /// these readings marked, as [`update`](Self::update) does.
    fn store(
        &self,
        readings: &[Reading],
        marks: &Marks,
    ) -> impl Future<Output = Result<Marked, WriteError>> + Send;

    /// Replaces the marks of those Envoys that `changed` has; those of others stay.
    ///
    /// # Errors
    /// When they can't be written.
    fn update(&self, changed: &Marks) -> impl Future<Output = Result<(), MarksError>> + Send;

    /// Replaces all marks.
    ///
    /// # Errors
    /// When they can't be written.
    fn save(&self, marks: &Marks) -> impl Future<Output = Result<(), MarksError>> + Send;

    /// Stores how the inverters of these Envoys do, each at the time of that change; nothing where it is not dated. Safe to
    /// call again with the same, and with an older one after a newer one: what is newest stays the newest.
    ///
    /// # Errors
    /// When any of it is not stored; others may be. It is a state: who has a newer one by then stores that one.
    fn keep_healths(
        &self,
        healths: &[Health],
    ) -> impl Future<Output = Result<(), HealthError>> + Send;

    /// Whether it answers at all, as [`Store::answers`].
    fn answers(&self) -> impl Future<Output = bool> + Send {
        std::future::ready(true)
    }
}

/// How the inverters do is not stored.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// For a reason for which readings are not stored either.
    #[error(transparent)]
    Store(#[from] WriteError),
    /// The store refuses these points, which says nothing of readings.
    #[error(
        "it refuses points of the measurement {INVERTER_HEALTH}: {0}; look whether its fields exist with \
         another type"
    )]
    Refused(String),
}

/// A batch that is stored, and what became of the marks. Where they were not saved nothing is lost:
/// after a restart these readings are fetched once more.
#[derive(Debug)]
#[must_use]
pub struct Marked {
    /// What the store said of the batch.
    pub written: Written,
    /// Whether the marks are saved, too.
    pub saved: Result<(), MarksError>,
}

/// Marks that can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum MarksError {
    /// The file can't be read.
    #[error("the marks in {} can't be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file holds no marks; it has been set aside.
    #[error("{} holds no marks; it is now {}", path.display(), aside.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it is now.
        aside: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file has the marks of another store, which say nothing about this one.
    #[error("the marks in {} are those of another store ({store})", path.display())]
    OtherStore {
        /// The file.
        path: PathBuf,
        /// Whose they are.
        store: String,
    },
    /// The file was written by another version of this program.
    #[error("the marks in {} have the format {format}, which is not known here", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The file can't be written.
    #[error(
        "the marks can't be written to {}; see to it that STATE_DIR is there, may be written and has room",
        path.display()
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database that has them can't be read or written.
    #[error("the marks can't be kept in the database")]
    Database(#[from] rusqlite::Error),
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
    #[error("the store is unavailable: {problem}{}", left_alone(*retry_after))]
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

/// Says a pause that is longer than those that are made without being asked to.
fn left_alone(asked: Option<Duration>) -> String {
    let minutes = asked.map_or(0, |asked| asked.as_secs() / 60);
    if minutes == 0 {
        return String::new();
    }
    format!("; it asks to be left alone, and is for {minutes} min (Retry-After)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_pause_that_a_store_asks_for_is_said() {
        let said = |seconds| {
            WriteError::Unavailable {
                problem: "it answered 503".to_owned(),
                retry_after: Some(Duration::from_secs(seconds)),
                source: None,
            }
            .to_string()
        };
        assert_eq!(said(59), "the store is unavailable: it answered 503");
        let hour = said(3600);
        assert!(
            hour.ends_with("left alone, and is for 60 min (Retry-After)"),
            "{hour}"
        );
    }
}
