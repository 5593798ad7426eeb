//! How old is what was measured at the moment of asking: meters and batteries have no report that others would be
//! judged by. An answer alone tells nothing: a gateway goes on giving the last value of a battery that has lost its link.

use std::collections::BTreeMap;

use wire::{Subject, is_set_back};

/// What was not measured for this long, in seconds, is not so now: a quarter of an hour, three times the interval of
/// the endpoint that is asked most seldom, and time for a battery that reports each few minutes.
pub const CURRENT: i64 = 15 * 60;

/// When each subject was measured, in Unix seconds by the gateway's clock.
#[derive(Debug, Default)]
pub(super) struct Ages(BTreeMap<Subject, Age>);

#[derive(Debug, Default)]
struct Age {
    /// When it was read last; none where that was before this process.
    read: Option<i64>,
    /// The time that its plain topic shows, or a later one: that never steps back.
    shown: Option<i64>,
}

impl Ages {
    /// These were measured once, nobody knows how long ago, and their topics show what was measured then.
    pub(super) fn of(shown: impl IntoIterator<Item = (Subject, i64)>) -> Self {
        let shown = shown.into_iter().filter(|(subject, _)| {
            // Those are dated by the reports of inverters, and judged by them.
            !matches!(subject, Subject::Inverter(_) | Subject::Site)
        });
        let ages = shown.map(|(subject, at)| {
            let (read, shown) = (None, Some(at));
            (subject, Age { read, shown })
        });
        Self(ages.collect())
    }

    /// This was measured then, whether it changed or not.
    pub(super) fn read(&mut self, subject: Subject, at: i64) {
        let age = self.0.entry(subject).or_default();
        age.read = Some(at);
        let shown = age.shown.filter(|shown| !is_set_back(*shown, at));
        age.shown = shown.max(age.read);
    }

    /// Those that nobody knows the current value of.
    pub(super) fn unread(&self, now: i64) -> impl Iterator<Item = &Subject> {
        // A clock that was set back makes nothing younger.
        let is_current = move |at: i64| (-CURRENT..CURRENT).contains(&now.saturating_sub(at));
        self.those(move |age| age.read.is_none_or(|at| !is_current(at)))
    }

    /// Those whose topics stand still, because the gateway's clock is behind what they show.
    pub(super) fn behind(&self, now: i64) -> impl Iterator<Item = &Subject> {
        self.those(move |age| {
            let shown = age.shown;
            let shown = shown.filter(|shown| *shown > now && !is_set_back(*shown, now));
            age.read.is_some_and(|read| Some(read) < shown)
        })
    }

    fn those(&self, which: impl Fn(&Age) -> bool) -> impl Iterator<Item = &Subject> {
        let all = self.0.iter();
        all.filter_map(move |(subject, age)| which(age).then_some(subject))
    }
}
