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
    pub fn failed(&mut self, reason: &str, needs_a_person: bool) {
        let news = self.note(reason);
        match (news, needs_a_person) {
            (false, _) => tracing::debug!(%reason, "{}", self.began),
            (true, true) => tracing::error!(%reason, "{}", self.began),
            (true, false) => tracing::warn!(%reason, "{}", self.began),
        }
    }

    /// Counts a failed attempt; whether its reason is news.
    fn note(&mut self, reason: &str) -> bool {
        let current = self.current.get_or_insert_with(|| Current {
            since: Instant::now(),
            attempts: 0,
            said: BTreeSet::new(),
        });
        current.attempts += 1;
        current.said.len() < REASONS && current.said.insert(without_numbers(reason))
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

/// Reasons that differ in their numbers only are one: the beginning of an answer, as it is quoted,
/// has times in it.
fn without_numbers(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage() -> Outage {
        Outage::new("it is away", "it is back")
    }

    #[test]
    fn each_reason_is_news_once_also_when_two_take_turns() {
        let mut outage = outage();
        let news: Vec<bool> = ["a", "a", "b", "a", "b"]
            .iter()
            .map(|reason| outage.note(reason))
            .collect();
        assert_eq!(news, [true, false, true, false, false]);
    }

    #[test]
    fn an_outage_of_ever_new_reasons_has_few_lines() {
        let mut outage = outage();
        let news = (1..1000).filter(|&n| outage.note(&"a".repeat(n))).count();
        assert_eq!(news, REASONS);
    }

    #[test]
    fn a_reason_with_other_numbers_in_it_is_no_news() {
        let mut outage = outage();
        assert!(outage.note("it begins with 1781942746"));
        assert!(!outage.note("it begins with 1781943046"));
        assert!(outage.note("it is empty"));
    }

    #[test]
    fn the_next_outage_begins_anew() {
        let mut outage = outage();
        assert!(outage.note("a"));
        outage.over();
        assert!(outage.note("a"));
    }
}
