//! Reports that nobody can ever have: the Envoy overwrote them before a poll could see them.
//!
//! The Envoy keeps only the newest report of each inverter. While it, or the scraper, was away for
//! longer than the report interval, some are gone; a jump in an inverter's report times shows how many.
//! A jump alone does not: now and then an inverter gives no answer, and there is no such report. So no
//! more are counted than fit between two looks at the list.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use wire::{ReportTime, Serial};

use crate::changes::Report;
use crate::journal::Journals;

/// Steps between reports that are looked at for the usual one. The median of them is.
const STEPS: usize = 9;

/// Steps after which there is a usual one.
const ENOUGH: usize = 3;

/// Up to one half more than the usual step nothing is missing: inverters report a little late.
const LATE: f64 = 1.5;

/// An inverter produces, for this purpose, from a twentieth of its peak. At dusk and dawn reports are
/// left out though nothing is wrong.
const PRODUCING: i64 = 20;

/// A longer jump has a night in it, of which nobody knows how long it was.
const NIGHT: i64 = 8 * 3600;

/// At a start so many readings are looked at, at most: of some 1,000 inverters all that is needed.
const MOST_READ: usize = 10_000;

/// It is said at most this often.
const SAID_EVERY: Duration = Duration::from_hours(1);

/// Counts what the Envoy overwrote.
#[derive(Debug, Default)]
pub(crate) struct Overwritten {
    inverters: HashMap<Serial, History>,
    /// When the list was looked at last; never, since the start.
    looked: Option<Instant>,
    count: u64,
    /// How many were counted since that was said, and when it was.
    unsaid: (u64, Option<Instant>),
}

#[derive(Debug)]
struct History {
    last: ReportTime,
    produced: bool,
    /// The last steps in seconds, newest last.
    steps: VecDeque<i64>,
}

impl Overwritten {
    /// Goes on from what the journal has, so that it also counts what was overwritten while no scraper
    /// ran.
    pub(crate) fn after(journals: &Journals) -> Self {
        let mut overwritten = Self::default();
        let inverters = journals.last_reports().len();
        let many = (inverters * (STEPS + 1)).min(MOST_READ);
        // The one that is appended to is the first.
        for span in journals.spans().iter().rev() {
            let first = (span.last() + 1).saturating_sub(many as u64);
            let readings = journals.readings(span.id(), first..=span.last(), many);
            for reading in readings {
                overwritten.missed_before(&reading.into(), None);
            }
        }
        overwritten
    }

    /// Takes in the new reports of a poll, also of one without any, and says what was overwritten before
    /// it.
    pub(crate) fn note(&mut self, new: &[Report], now: Instant) {
        let looked = self.looked.replace(now);
        let unseen = looked.map(|looked| now - looked);
        for report in new {
            let missed = self.missed_before(report, unseen);
            self.count += missed;
            self.unsaid.0 += missed;
        }
        self.say();
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn say(&mut self) {
        let (reports, said) = &mut self.unsaid;
        if *reports > 0 && said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
            tracing::warn!(
                reports,
                "the Envoy overwrote reports of inverters before they could be read; they can't be had \
                 again"
            );
            *said = Some(Instant::now());
            *reports = 0;
        }
    }

    /// How many are missing between the report of this inverter that came before, and this one, when
    /// nobody has looked for so long (as long as may be, where that is not known).
    fn missed_before(&mut self, report: &Report, unseen: Option<Duration>) -> u64 {
        let now_produces = i64::from(report.power_w) * PRODUCING >= i64::from(report.peak_power_w)
            && report.power_w > 0;
        let Some(history) = self.inverters.get_mut(&report.serial) else {
            let first = History {
                last: report.reported_at,
                produced: now_produces,
                steps: VecDeque::with_capacity(STEPS),
            };
            self.inverters.insert(report.serial.clone(), first);
            return 0;
        };
        let step = report.reported_at.unix_seconds() - history.last.unix_seconds();
        let produced_then = std::mem::replace(&mut history.produced, now_produces);
        history.last = report.reported_at;
        // A clock that was set back tells nothing of the interval.
        if step <= 0 || step >= NIGHT {
            return 0;
        }
        let usual = history.usual_step();
        if history.steps.len() == STEPS {
            history.steps.pop_front();
        }
        history.steps.push_back(step);
        match usual {
            Some(usual) if produced_then && now_produces => {
                let missed = missed(step, usual);
                unseen.map_or(missed, |unseen| missed.min(fitting(unseen, usual)))
            }
            _ => 0,
        }
    }
}

impl History {
    fn usual_step(&self) -> Option<i64> {
        if self.steps.len() < ENOUGH {
            return None;
        }
        let mut steps: Vec<i64> = self.steps.iter().copied().collect();
        steps.sort_unstable();
        Some(steps[steps.len() / 2])
    }
}

/// How many reports fit into a step, but for the one that ends it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "steps are a few hours of seconds, and positive"
)]
fn missed(step: i64, usual: i64) -> u64 {
    let times = step as f64 / usual as f64;
    if times > LATE {
        times.round() as u64 - 1
    } else {
        0
    }
}

/// How many reports fit into the time in which nobody looked.
fn fitting(unseen: Duration, usual: i64) -> u64 {
    unseen.as_secs() / usual.unsigned_abs().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(minute: i64, power_w: i32) -> Report {
        report_of("a", minute, power_w)
    }

    fn report_of(inverter: &str, minute: i64, power_w: i32) -> Report {
        Report {
            serial: inverter.parse().expect("a serial"),
            reported_at: ReportTime::from_unix_seconds(1_700_000_000 + 60 * minute)
                .expect("a report time"),
            device_type: Some(1),
            power_w,
            peak_power_w: 300,
        }
    }

    /// What is counted of an inverter that reports these powers at these minutes.
    fn counted(reports: &[(i64, i32)]) -> u64 {
        let (mut overwritten, start) = (Overwritten::default(), Instant::now());
        for (minute, power_w) in reports {
            // Nobody has looked since the report before.
            let now = start + Duration::from_mins(minute.unsigned_abs());
            overwritten.note(&[report(*minute, *power_w)], now);
        }
        overwritten.count()
    }

    #[test]
    fn a_report_that_was_never_made_was_not_overwritten() {
        let (mut overwritten, start) = (Overwritten::default(), Instant::now());
        for minute in 0..120 {
            // The inverter gave no answer at 60.
            let reports = minute % 5 == 0 && minute != 60;
            let new = reports.then(|| report(minute, 200));
            let now = start + Duration::from_mins(minute.unsigned_abs());
            overwritten.note(new.as_slice(), now);
        }
        assert_eq!(overwritten.count(), 0);
    }

    #[test]
    fn no_more_was_overwritten_than_fits_between_two_looks() {
        let (mut overwritten, start) = (Overwritten::default(), Instant::now());
        for (minute, looked) in [(0, 0), (5, 5), (10, 10), (15, 15), (40, 26)] {
            let now = start + Duration::from_mins(looked);
            overwritten.note(&[report(minute, 200)], now);
        }
        assert_eq!(overwritten.count(), 2, "of four that are missing");
    }

    #[test]
    fn regular_reports_and_one_that_is_a_little_late_count_nothing() {
        let late = [
            (0, 200),
            (15, 200),
            (30, 200),
            (45, 200),
            (67, 200),
            (82, 200),
        ];
        assert_eq!(counted(&late), 0);
    }

    #[test]
    fn each_report_that_fits_into_a_jump_counts() {
        let hour = [(0, 200), (15, 200), (30, 200), (45, 200), (105, 200)];
        assert_eq!(counted(&hour), 3);
        let two = [(0, 200), (5, 200), (10, 200), (15, 200), (25, 200)];
        assert_eq!(counted(&two), 1);
    }

    #[test]
    fn a_night_and_the_pauses_at_dusk_and_dawn_count_nothing() {
        let night = [(0, 200), (15, 200), (30, 200), (45, 200), (45 + 720, 200)];
        assert_eq!(counted(&night), 0);
        let dusk = [(0, 200), (15, 200), (30, 200), (45, 14), (105, 200)];
        assert_eq!(counted(&dusk), 0);
        let dawn = [(0, 200), (15, 200), (30, 200), (45, 200), (105, 14)];
        assert_eq!(counted(&dawn), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_counts_nothing() {
        let back = [
            (60, 200),
            (75, 200),
            (90, 200),
            (105, 200),
            (45, 200),
            (60, 200),
        ];
        assert_eq!(counted(&back), 0);
    }

    #[test]
    fn of_an_inverter_that_has_just_come_nothing_is_usual_yet() {
        assert_eq!(counted(&[(0, 200), (15, 200), (75, 200)]), 0);
    }

    /// What is counted of the first report after a restart, of an inverter that reported these powers at
    /// these minutes before it.
    fn counted_after_a_restart(before: &[(i64, i32)], then: (i64, i32)) -> u64 {
        let directory = tempfile::tempdir().expect("a directory");
        let envoy = "122".parse().expect("a serial");
        let open = || Journals::open(directory.path(), &envoy, 1024 * 1024).expect("a journal");
        let journals = open();
        for (minute, power_w) in before {
            // Another one, which reports now and then, changes nothing.
            let mut poll = vec![report(*minute, *power_w)];
            poll.extend((minute % 2 == 0).then(|| report_of("b", *minute, *power_w)));
            journals.append(poll);
        }
        drop(journals);
        let mut overwritten = Overwritten::after(&open());
        assert_eq!(overwritten.count(), 0, "it was counted when it was read");
        let (minute, power_w) = then;
        overwritten.note(&[report(minute, power_w)], Instant::now());
        overwritten.count()
    }

    #[test]
    fn what_the_envoy_overwrote_while_no_scraper_ran_counts() {
        let before = [(0, 200), (15, 200), (75, 200), (90, 200), (105, 200)];
        assert_eq!(counted_after_a_restart(&before, (165, 200)), 3);
        assert_eq!(counted_after_a_restart(&before, (120, 200)), 0);
        assert_eq!(counted_after_a_restart(&before, (165, 14)), 0, "dusk");
        assert_eq!(
            counted_after_a_restart(&before, (105 + 720, 200)),
            0,
            "a night"
        );
    }

    #[test]
    fn after_a_restart_without_a_journal_nothing_is_usual_yet() {
        assert_eq!(counted_after_a_restart(&[], (15, 200)), 0);
        assert_eq!(counted_after_a_restart(&[(0, 200)], (60, 200)), 0);
    }

    #[test]
    fn of_a_long_journal_the_end_says_what_is_usual() {
        let mut before: Vec<(i64, i32)> = (0..100).map(|number| (60 * number, 200)).collect();
        before.extend((1..20).map(|number| (60 * 99 + 15 * number, 200)));
        let (last, _) = before[before.len() - 1];
        assert_eq!(counted_after_a_restart(&before, (last + 60, 200)), 3);
    }
}
