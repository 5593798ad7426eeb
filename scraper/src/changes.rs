//! What of a poll is new.
//!
//! The Envoy lists each inverter's newest report at every poll; most polls show the same ones again. A report
//! is new when its time *differs* from the last one taken for that inverter, not only when it is later: a
//! gateway whose clock was set back goes on being read. What it measures at the moment of asking (meters,
//! batteries, the site) has another time at each poll: that is new when something else differs, too, or
//! nothing was taken for a quarter of an hour.

mod age;
mod carried;
mod remembered;
mod tally;

use std::collections::{BTreeSet, HashMap, HashSet};

use envoy::{Poll, Refused};
use wire::{Inverter, Measured, ReportTime, Serial, Subject, is_set_back};

use crate::clock::Clock;
use crate::site::Whole;
use age::Ages;
pub use age::CURRENT;
pub use remembered::Remembered;
use tally::Tallies;

/// So long, in seconds, nothing is taken of what stays as it is. A reader that plots a quarter of an hour sees
/// a point in each.
const UNCHANGED: i64 = 15 * 60;

/// What a poll brought, judged.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What is new: the inverters in the order of the Envoy's list, then the site and the rest.
    pub new: Vec<Measured>,
    /// Rows of the list, and other values, that no topic or store could carry, each with its reason.
    pub refused: Vec<String>,
}

impl Judged {
    /// The new reports of inverters.
    pub fn inverters(&self) -> impl Iterator<Item = &Inverter> {
        self.new.iter().filter_map(Measured::inverter)
    }
}

/// What was taken last of each subject.
#[derive(Debug, Default)]
pub struct Changes {
    last: HashMap<Subject, ReportTime>,
    /// What was measured at the moment of asking. Of inverters the time is enough.
    values: HashMap<Subject, Measured>,
    /// Inverters whose readings carry detail.
    detailed: HashSet<Serial>,
    tallies: Tallies,
    whole: Whole,
    ages: Ages,
    now: Clock,
}

impl Changes {
    /// Nothing was taken yet: all of the first poll is new.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was measured once and can't be read any more at this time by the gateway's clock, in Unix seconds; all of
    /// it where that is unknown.
    #[must_use]
    pub fn unread(&self, now: Option<i64>) -> Vec<Subject> {
        let now = now.unwrap_or(i64::MAX);
        let site = self.whole.waits_for_meter(now, CURRENT);
        let site = site.then_some(Subject::Site);
        site.into_iter()
            .chain(self.ages.unread(now).cloned())
            .collect()
    }

    /// What is measured while its plain topic stands still, because the gateway's clock shows this time, in Unix
    /// seconds, and has shown a later one. Of inverters their [`condition`](crate::condition) tells that.
    #[must_use]
    pub fn behind(&self, now: Option<i64>) -> Vec<Subject> {
        let now = now.unwrap_or(i64::MAX);
        let site = self.whole.is_behind().then_some(Subject::Site);
        site.into_iter()
            .chain(self.ages.behind(now).cloned())
            .collect()
    }

    /// Whose topics do not show what is so now: all of these.
    #[must_use]
    pub fn stale(&self, now: Option<i64>) -> BTreeSet<Subject> {
        let unread = self.unread(now).into_iter();
        unread.chain(self.behind(now)).collect()
    }

    /// The inverters whose count of today is of a day that is over.
    pub fn not_of_today(&self) -> impl Iterator<Item = &Serial> {
        self.whole.not_of_today()
    }

    /// These inverters are silent in the poll that is taken next, while others report.
    pub fn silent(&mut self, silent: BTreeSet<Serial>) {
        self.whole.silent(silent);
    }

    /// Takes what is new in a poll, with the gateway's clock then, in Unix seconds, where it is known. What the
    /// answers leave out keeps its last time: lists are empty or short after a restart of the gateway.
    pub fn take(&mut self, poll: &Poll, now: Option<i64>) -> Judged {
        let mut judged = Judged {
            new: Vec::new(),
            refused: poll.inverters.refused.iter().map(refusal).collect(),
        };
        // First of all: what is listed by a clock that was set back is older than what it listed before.
        if let Some(now) = now {
            self.whole.clock(now);
        }
        self.take_inverters(poll, &mut judged);
        let newest = poll
            .inverters
            .reports
            .iter()
            .map(|report| report.reported_at);
        let Some(now) = self.now.at(now, newest) else {
            return judged;
        };
        // What is refused must leave no mark: neither is it current, nor does a counter go on from it.
        let judge = |measured: Measured| {
            let at = measured.at();
            if is_set_back(at.unix_seconds(), now) {
                let subject = measured.subject();
                return Err(format!(
                    "{subject}: {at} is more than a day ahead of the Envoy's own clock"
                ));
            }
            Ok(measured)
        };
        let rest = carried::rest(poll).into_iter();
        let mut rest: Vec<_> = rest.map(|measured| measured.and_then(judge)).collect();
        for measured in rest.iter_mut().flatten() {
            // Not when it was asked for: a battery without its link is answered for with what it last said.
            self.ages
                .read(measured.subject(), measured.at().unix_seconds());
            self.tallies.carry(measured);
        }
        let flow = |measured: &Measured| match measured {
            Measured::Production(flow) => Some(flow.clone()),
            _ => None,
        };
        let metered = rest.iter().flatten().find_map(flow);
        let counted = poll
            .inverter_total
            .and_then(|flow| carried::flow(&flow).ok());
        let site = self.whole.say(metered.as_ref(), counted.as_ref(), now);
        let site = site.map(|site| {
            let mut site = Measured::from(site);
            self.tallies.carry_sum(
                &mut site,
                self.whole.counter(),
                self.whole.caught_up_wh(now),
            );
            Ok(site)
        });
        for carried in site.into_iter().chain(rest) {
            match carried {
                Err(reason) => judged.refused.push(reason),
                Ok(measured) => judged.new.extend(self.if_new(measured)),
            }
        }
        judged
    }

    fn take_inverters(&mut self, poll: &Poll, judged: &mut Judged) {
        for report in &poll.inverters.reports {
            let carried = carried::inverter(report, poll.detail(report));
            let mut report = match carried {
                Ok(report) => report,
                Err(reason) => {
                    judged.refused.push(reason);
                    continue;
                }
            };
            if report.detail.is_some() {
                self.detailed.insert(report.serial.clone());
            } else if self.detailed.contains(&report.serial) {
                // Unknown this time, and never left out.
                report.detail = Some(wire::Detail::default());
            }
            let subject = Subject::Inverter(report.serial.clone());
            let last = self.last.insert(subject, report.reported_at);
            if last == Some(report.reported_at) {
                continue;
            }
            let mut measured = Measured::from(report);
            self.tallies.carry(&mut measured);
            if let Measured::Inverter(report) = &measured {
                self.whole.take(report.clone());
            }
            judged.new.push(measured);
        }
    }

    /// What was measured at the moment of asking, unless it says nothing new.
    fn if_new(&mut self, measured: Measured) -> Option<Measured> {
        let subject = measured.subject();
        let at = measured.at();
        if self.last.get(&subject) == Some(&at) {
            return None;
        }
        let is_same = self.values.get(&subject).is_some_and(|before| {
            let since = at.unix_seconds() - before.at().unix_seconds();
            (0..UNCHANGED).contains(&since) && before.clone().taken_at(at) == measured
        });
        if is_same {
            return None;
        }
        self.last.insert(subject.clone(), at);
        self.values.insert(subject, measured.clone());
        Some(measured)
    }
}

fn refusal(refused: &Refused) -> String {
    match &refused.serial {
        Some(serial) => format!("inverter {serial:?}: {}", refused.reason),
        None => format!("row {}: {}", refused.position, refused.reason),
    }
}

#[cfg(test)]
mod tests;
