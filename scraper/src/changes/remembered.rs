//! What goes on from one process to the next: by the journal, and by what is remembered beside it.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use wire::{Inverter, Measured, Quantity, Reading, ReportTime, Subject};

use super::Changes;
use super::age::Ages;
use super::tally::{self, Tallies};
use crate::clock::Clock;
use crate::site::{self, Whole};

/// What is to be remembered from one process to the next, beside the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// By how much what is said of a counter differs from what the gateway counts, in watt-hours.
    pub offsets: BTreeMap<String, Quantity>,
    /// What is to be remembered of the site.
    pub site: site::Remembered,
}

impl Remembered {
    /// The subjects whose counters of a life count on from before, since the gateway's were set back, wrapped or jumped.
    pub fn carried_on(&self) -> impl Iterator<Item = &str> {
        let counters = self.offsets.keys();
        counters.filter_map(|counter| {
            let (subject, which) = counter.rsplit_once(' ')?;
            tally::is_of_a_life(which).then_some(subject)
        })
    }
}

impl Changes {
    /// What was taken before this process began: the time of what was taken last, and the newest reading,
    /// of each subject.
    #[must_use]
    pub fn after(last: HashMap<Subject, ReportTime>, newest: Vec<Reading>) -> Self {
        Self::recalling(last, newest, &Remembered::default())
    }

    /// The same, with what was [`remembered`](Self::remembered) then.
    #[must_use]
    pub fn recalling(
        last: HashMap<Subject, ReportTime>,
        newest: Vec<Reading>,
        remembered: &Remembered,
    ) -> Self {
        let tallies = Tallies::after(&newest, &remembered.offsets, remembered.site.counter);
        let said = last.get(&Subject::Site).copied();
        let site = newest.iter().find_map(|reading| match &reading.measured {
            Measured::Site(site) => Some(site.clone()),
            _ => None,
        });
        let shown = newest
            .iter()
            .map(|reading| (reading.subject(), reading.at()));
        // What was taken last may have been dated earlier than what is shown.
        let mut shown: HashMap<Subject, ReportTime> = shown.collect();
        for (subject, at) in &last {
            shown.entry(subject.clone()).or_insert(*at);
        }
        let shown = shown.into_iter();
        let shown = shown.map(|(subject, at)| (subject, at.unix_seconds()));
        let inverters = newest
            .into_iter()
            .filter_map(|reading| match reading.measured {
                Measured::Inverter(inverter) => Some(inverter),
                _ => None,
            });
        let inverters: Vec<Inverter> = inverters.collect();
        let detailed = inverters.iter().filter(|report| report.detail.is_some());
        let detailed = detailed.map(|report| report.serial.clone()).collect();
        let newest = inverters.iter().map(|report| report.reported_at).max();
        let now = Clock::after(newest.map(ReportTime::unix_seconds));
        let mut whole = Whole::new(inverters, said);
        whole.recall(remembered.site);
        if let Some(site) = site {
            whole.go_on_from(&site);
        }
        Self {
            ages: Ages::of(shown),
            last,
            values: HashMap::new(),
            detailed,
            tallies,
            whole,
            now,
        }
    }

    /// What is to be remembered now.
    #[must_use]
    pub fn remembered(&self) -> Remembered {
        Remembered {
            offsets: self.tallies.offsets(),
            site: self.whole.remembered(),
        }
    }
}
