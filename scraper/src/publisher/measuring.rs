//! What was measured beside the inverters and is not any more: said once, or nobody knows why it is not shown.

use std::time::Duration;

use daemon::outage::Outage;
use tokio::time::Instant;
use wire::Subject;

use crate::changes;

/// As long as it takes to be stale. At a start nothing was read yet.
const CURRENT: Duration = Duration::from_secs(changes::CURRENT.unsigned_abs());

/// Watches over what is measured.
#[derive(Debug)]
pub(super) struct Measuring {
    /// When the first poll of this process was answered.
    since: Option<Instant>,
    outage: Outage,
    /// The gateway's clock is behind what was shown.
    behind: Outage,
}

impl Measuring {
    /// Nothing is known yet.
    pub(super) fn new() -> Self {
        Self {
            since: None,
            outage: Outage::new(
                "the Envoy answers, and what it measured before can't be read any more; it is asked again each \
                 quarter of an hour at least, and `envoy-scraper print` says what it answers",
            ),
            behind: Outage::new(
                "the Envoy's clock was set back: what it measures is stored, and its topics, which never step back in \
                 time, stand still until it is later than they are",
            ),
        }
    }

    /// A poll was answered; of these nothing was read for as long as it takes to be stale, and the topics of those stand
    /// still. What is forgotten is among them, and missed by nobody.
    pub(super) fn polled(
        &mut self,
        unread: &[Subject],
        behind: &[Subject],
        is_forgotten: impl Fn(&Subject) -> bool,
        now: Instant,
    ) {
        let missed = |subjects: &[Subject]| -> Vec<String> {
            let missed = subjects.iter().filter(|subject| !is_forgotten(subject));
            missed.map(Subject::to_string).collect()
        };
        let (unread, behind) = (missed(unread), missed(behind));
        if !behind.is_empty() {
            self.behind.failed(&behind.join(", "), false);
        } else if let Some(ended) = self.behind.over() {
            tracing::info!(
                outage_s = ended.seconds(),
                "the Envoy's clock is past what its topics showed; they go on"
            );
        }
        let since = *self.since.get_or_insert(now);
        if unread.is_empty() {
            if let Some(ended) = self.outage.over() {
                tracing::info!(
                    outage_s = ended.seconds(),
                    "what the Envoy measured before is read again"
                );
            }
        } else if now.duration_since(since) >= CURRENT {
            self.outage.failed(&unread.join(", "), false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing_is(_: &Subject) -> bool {
        false
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_forgotten_is_missed_by_nobody_and_hides_nothing_else() {
        let mut measuring = Measuring::new();
        let battery = Subject::from_path("batteries/122100000001").expect("a battery");
        let is_forgotten = |subject: &Subject| *subject == battery;
        let gone = [battery.clone()];
        for _ in 0..2 {
            measuring.polled(&gone, &gone, is_forgotten, Instant::now());
            tokio::time::advance(CURRENT).await;
        }
        assert!(measuring.outage.over().is_none());
        assert!(measuring.behind.over().is_none());
        let gone = [battery.clone(), Subject::Net];
        measuring.polled(&gone, &[], is_forgotten, Instant::now());
        assert!(measuring.outage.over().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_read_any_more_is_said_though_not_at_the_start() {
        let mut measuring = Measuring::new();
        let unread = [Subject::Net];
        measuring.polled(&unread, &[], nothing_is, Instant::now());
        assert!(measuring.outage.over().is_none());
        tokio::time::advance(CURRENT).await;
        measuring.polled(&unread, &[], nothing_is, Instant::now());
        assert!(measuring.outage.over().is_some());
    }

    const POLL: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn topics_that_stand_still_are_said_at_once_and_until_they_go_on() {
        let mut measuring = Measuring::new();
        for behind in [&[Subject::Site][..], &[Subject::Site], &[]] {
            tokio::time::advance(POLL).await;
            measuring.polled(&[], behind, nothing_is, Instant::now());
        }
        assert!(measuring.outage.over().is_none());
        assert!(measuring.behind.over().is_none(), "it was over already");
        tokio::time::advance(POLL).await;
        measuring.polled(&[], &[Subject::Site], nothing_is, Instant::now());
        assert!(measuring.behind.over().is_some());
    }
}
