//! Says when something that a daemon needs goes away and when it is back: two lines, whatever the
//! length, and one for each further reason.

use std::collections::BTreeSet;
use std::time::Instant;

/// Reasons that are told apart during one outage; further ones are not said.
const REASONS: usize = 8;

/// An outage, if there is one.
#[derive(Debug)]
pub struct Outage {
    began: &'static str,
    ended: &'static str,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    since: Instant,
    attempts: u32,
    said: BTreeSet<String>,
}

impl Outage {
    /// None yet. `began` and `ended` are what its two lines say.
    #[must_use]
    pub fn new(began: &'static str, ended: &'static str) -> Self {
        Self {
            began,
            ended,
            current: None,
        }
    }

    /// An attempt failed. Said when it is the first one, or for a reason that this outage has not
    /// had yet: at ERROR when it lasts until a person does something.
    pub fn failed(&mut self, reason: String, needs_a_person: bool) {
        let current = self.current.get_or_insert_with(|| Current {
            since: Instant::now(),
            attempts: 0,
            said: BTreeSet::new(),
        });
        current.attempts += 1;
        if current.said.contains(&reason) || current.said.len() >= REASONS {
            tracing::debug!(%reason, "{}", self.began);
        } else if needs_a_person {
            tracing::error!(%reason, "{}", self.began);
        } else {
            tracing::warn!(%reason, "{}", self.began);
        }
        if current.said.len() < REASONS {
            current.said.insert(reason);
        }
    }

    /// An attempt succeeded.
    pub fn over(&mut self) {
        if let Some(outage) = self.current.take() {
            tracing::info!(
                seconds = outage.since.elapsed().as_secs(),
                failed_attempts = outage.attempts,
                "{}",
                self.ended
            );
        }
    }
}
