//! How far the gateway's own clock can be gone by: what is dated ahead of it was dated before it was set back.

/// How far ahead of the gateway's clock a report may be dated, in seconds, and count as one of now: five minutes, the
/// shortest interval of an inverter. When the clock is put right by less, the next report is newer again, so that a
/// plain topic, which never steps back in time, stands still for one report at most.
pub(crate) const AHEAD: i64 = 300;

/// Whether what was dated `at` this time, in Unix seconds, was so before the clock was set back to `now`.
pub(crate) fn is_ahead(at: i64, now: i64) -> bool {
    at > now.saturating_add(AHEAD)
}

/// What the gateway's clock shows, as far as it says so.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Option<i64>,
}

impl Clock {
    /// One that last showed this, in Unix seconds.
    pub(crate) fn after(last: Option<i64>) -> Self {
        Self { last }
    }

    /// What it shows in a poll, in Unix seconds: what it says, or else the time of the newest report, which is as good as
    /// it gets. That is a guess, by which no clock is set back: after a restart the gateway lists few, and none of the
    /// newest.
    pub(crate) fn at(
        &mut self,
        said: Option<i64>,
        reports: impl Iterator<Item = i64>,
    ) -> Option<i64> {
        let now = said.or_else(|| reports.max().max(self.last));
        self.last = now.or(self.last);
        now
    }
}
