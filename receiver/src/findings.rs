//! Says what the audit finds: Envoy by Envoy where few are concerned, and how many where many are.
//!
//! After a restored backup all Envoys lack readings at once, and whoever publishes what he likes can invent as many as
//! he wants. So of each kind of finding a few are named, and further ones are added up; the sum is said after a
//! minute, and while more come after ever longer times.

use std::time::Duration;

use tokio::time::Instant;

use crate::audit::Finding;
use crate::metrics::Metrics;

/// Findings of a kind that are named, until none of it came for a while.
const NAMED: usize = 3;

/// How long the first ones are added up.
const FIRST_SUM: Duration = Duration::from_mins(1);

/// How long those are that come after many others.
const LONGEST_SUM: Duration = Duration::from_hours(1);

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Missing,
    Filled,
    Vanished,
    Lost,
}

/// What was said of each kind.
#[derive(Debug)]
pub(crate) struct Findings([(Kind, Said); 4]);

#[derive(Debug)]
struct Said {
    /// How many were named.
    named: usize,
    /// Since when, and for how long, further ones are added up.
    since: Option<Instant>,
    lasts: Duration,
    /// How many were, and how many readings they are about.
    findings: u64,
    readings: u64,
}

impl Default for Findings {
    fn default() -> Self {
        let kinds = [Kind::Missing, Kind::Filled, Kind::Vanished, Kind::Lost];
        Self(kinds.map(|kind| (kind, Said::new())))
    }
}

impl Findings {
    /// Counts and says what was found, and the sums that are due. Told again and again, also of nothing.
    pub(crate) fn say(&mut self, found: Vec<Finding>, metrics: &Metrics, now: Instant) {
        for finding in found {
            let (kind, readings) = look(&finding);
            match kind {
                Kind::Missing => metrics.asked_for.inc_by(readings),
                Kind::Lost => metrics.lost.inc_by(readings),
                Kind::Filled | Kind::Vanished => 0,
            };
            let said = self.0.iter_mut().find(|(known, _)| *known == kind);
            let named = said.is_none_or(|(_, said)| said.is_named(readings, now));
            if named {
                name(finding);
            } else {
                tracing::debug!(?finding, "another finding");
            }
        }
        for (kind, said) in &mut self.0 {
            if let Some((findings, readings)) = said.sum(now) {
                add_up(*kind, findings, readings);
            }
        }
    }
}

impl Said {
    fn new() -> Self {
        Self {
            named: 0,
            since: None,
            lasts: FIRST_SUM,
            findings: 0,
            readings: 0,
        }
    }

    /// Whether one more is named; it is added to the sum otherwise.
    fn is_named(&mut self, readings: u64, now: Instant) -> bool {
        self.since.get_or_insert(now);
        if self.named < NAMED {
            self.named += 1;
            return true;
        }
        self.findings += 1;
        // An announcement may name 2^53 readings of each of 16 journals.
        self.readings = self.readings.saturating_add(readings);
        false
    }

    /// The sum, when it is due. Where there is none by then, further ones are named again.
    fn sum(&mut self, now: Instant) -> Option<(u64, u64)> {
        let since = self.since?;
        if now < since + self.lasts {
            return None;
        }
        if self.findings == 0 {
            *self = Self::new();
            return None;
        }
        self.since = Some(now);
        self.lasts = (4 * self.lasts).min(LONGEST_SUM);
        let sum = (self.findings, self.readings);
        (self.findings, self.readings) = (0, 0);
        Some(sum)
    }
}

fn look(finding: &Finding) -> (Kind, u64) {
    match finding {
        Finding::Missing { readings, .. } => (Kind::Missing, *readings),
        Finding::Filled { readings, .. } => (Kind::Filled, *readings),
        Finding::Vanished { readings, .. } => (Kind::Vanished, *readings),
        Finding::Lost { readings, .. } => (Kind::Lost, *readings),
    }
}

fn name(finding: Finding) {
    match finding {
        Finding::Missing { envoy, readings } => tracing::info!(
            %envoy,
            readings,
            "readings that the scraper has are not in the store; they are asked for"
        ),
        Finding::Filled { envoy, readings } => {
            tracing::info!(%envoy, readings, "all that was missing is in the store now");
        }
        Finding::Vanished {
            envoy,
            journal,
            readings,
        } => tracing::warn!(
            %envoy,
            %journal,
            readings,
            "a journal with readings that are missing is not announced any more; they are asked \
             for when it is again"
        ),
        Finding::Lost {
            envoy,
            journal,
            readings,
        } => tracing::error!(
            %envoy,
            %journal,
            readings,
            "readings have left the scraper's journal before they were stored; they are lost \
             (setting of the scraper: JOURNAL_SIZE)"
        ),
    }
}

fn add_up(kind: Kind, times: u64, readings: u64) {
    match kind {
        Kind::Missing => tracing::info!(
            times,
            readings,
            "of more Envoys readings that the scraper has are not in the store; they are asked for"
        ),
        Kind::Filled => tracing::info!(
            times,
            readings,
            "of more Envoys all that was missing is in the store now"
        ),
        Kind::Vanished => tracing::warn!(
            times,
            readings,
            "more journals with readings that are missing are not announced any more; they are asked for when \
             they are again"
        ),
        Kind::Lost => tracing::error!(
            times,
            readings,
            "more readings have left their scrapers' journals before they were stored; they are lost \
             (setting of the scraper: JOURNAL_SIZE)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn named(said: &mut Said, findings: usize, now: Instant) -> usize {
        (0..findings).filter(|_| said.is_named(2, now)).count()
    }

    #[test]
    fn a_few_are_named_and_thousands_are_added_up_after_ever_longer_times() {
        let mut said = Said::new();
        let begun = Instant::now();
        let (mut lines, mut findings, mut readings) = (0, 0, 0);
        // A day of ten each second.
        for second in 0..24 * 3600 {
            let now = begun + second * SECOND;
            let more = named(&mut said, 10, now);
            lines += more;
            findings += more as u64;
            readings += 2 * more as u64;
            if let Some((unnamed, of_these)) = said.sum(now) {
                lines += 1;
                findings += unnamed;
                readings += of_these;
            }
        }
        assert!((NAMED + 24..NAMED + 30).contains(&lines), "{lines} lines");
        findings += said.findings;
        readings += said.readings;
        assert_eq!((findings, readings), (864_000, 1_728_000));
    }

    #[test]
    fn more_readings_than_can_be_counted_are_as_many_as_can_be() {
        let mut said = Said::new();
        let now = Instant::now();
        for _ in 0..NAMED + 2 {
            said.is_named(u64::MAX, now);
        }
        assert_eq!(said.sum(now + FIRST_SUM), Some((2, u64::MAX)));
    }

    #[test]
    fn what_is_rare_is_always_named() {
        let mut said = Said::new();
        let mut now = Instant::now();
        for _ in 0..100 {
            assert_eq!(named(&mut said, NAMED, now), NAMED);
            now += FIRST_SUM;
            assert_eq!(said.sum(now), None);
        }
    }
}
