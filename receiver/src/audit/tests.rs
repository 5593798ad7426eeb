use std::ops::RangeInclusive;

use wire::JournalSpan;

use super::*;

mod anything;
mod doubts;
mod lost;
mod many;

const WAIT: Duration = Duration::from_mins(1);

fn envoy() -> Serial {
    "e".parse().expect("a serial")
}

fn journal(id: &str) -> JournalId {
    id.parse().expect("an id")
}

/// An audit, its marks and its time.
struct Rig {
    audit: Audit,
    marks: Marks,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        Self {
            audit: Audit::new(WAIT),
            marks: Marks::default(),
            now: Instant::now(),
        }
    }

    /// One of which so much of the journal `j` was announced, long enough ago.
    fn after(first: u64, last: u64) -> Self {
        let mut rig = Self::new();
        rig.announce("i", &[("j", first, last)]);
        rig.now += WAIT;
        rig
    }

    fn announce(&mut self, instance: &str, spans: &[(&str, u64, u64)]) -> Vec<Finding> {
        let span = |(id, first, last): &(&str, u64, u64)| {
            JournalSpan::new(journal(id), *first, *last).expect("a span")
        };
        let announcement = Announcement {
            instance: instance.parse().expect("an id"),
            journals: spans.iter().map(span).collect(),
            waiting: 0,
        };
        let marks = &mut self.marks;
        self.audit
            .announced(&envoy(), &announcement, marks, self.now)
    }

    fn store(&mut self, numbers: RangeInclusive<u64>) {
        self.settle(&envoy(), &journal("j"), numbers);
    }

    fn settle(&mut self, envoy: &Serial, journal: &JournalId, numbers: RangeInclusive<u64>) {
        self.marks.settle(envoy, journal, numbers);
        self.audit.marked(envoy);
    }

    /// They came, and were stored.
    fn receive(&mut self, numbers: RangeInclusive<u64>) {
        for number in numbers.clone() {
            self.audit.received(&envoy(), &journal("j"), number);
        }
        self.store(numbers);
    }

    /// What is asked for now, of whichever journal.
    fn asked(&mut self) -> Vec<RangeInclusive<u64>> {
        let (requests, _) = self.audit.requests(&self.marks, self.now);
        let ranges = requests.iter().flat_map(|(_, request)| request.ranges());
        ranges.cloned().collect()
    }

    fn findings(&mut self) -> Vec<Finding> {
        self.audit.requests(&self.marks, self.now).1
    }

    fn rests(&self) -> bool {
        let mut sites = self.audit.sites.values();
        sites.all(|looked| looked.rest.lasts(self.now))
    }

    /// How long it takes until something is asked for.
    fn pause(&mut self) -> Duration {
        let begin = self.now;
        while self.asked().is_empty() {
            self.now += Duration::from_secs(1);
            assert!(self.now < begin + Duration::from_hours(3), "never");
        }
        self.now - begin
    }
}

#[test]
fn what_is_not_stored_a_minute_after_its_first_announcement_is_asked_for_lowest_first() {
    let mut rig = Rig::new();
    rig.announce("i", &[("j", 1, 10)]);
    rig.store(4..=6);
    rig.now += WAIT / 2;
    rig.announce("i", &[("j", 1, 12)]);
    assert_eq!(rig.asked(), []);
    rig.now += WAIT / 2;
    assert_eq!(rig.asked(), [1..=3, 7..=10], "11 and 12 may still come");
}

#[test]
fn nothing_is_asked_for_that_is_stored_or_gone_or_was_never_announced() {
    let mut rig = Rig::after(50, 60);
    rig.store(52..=60);
    assert_eq!(rig.asked(), [50..=51]);
    let mut rig = Rig::after(1, 10);
    rig.store(1..=10);
    assert_eq!(rig.asked(), []);
    assert_eq!(Rig::after(1, 0).asked(), []);
}

#[test]
fn a_long_gap_is_asked_for_piece_by_piece_the_next_once_one_is_stored() {
    let mut rig = Rig::after(1, 2 * PIECE + 5);
    assert_eq!(rig.asked(), [1..=PIECE]);
    assert_eq!(rig.asked(), []);
    rig.store(1..=PIECE);
    assert_eq!(rig.asked(), [PIECE + 1..=2 * PIECE]);
    rig.store(PIECE + 1..=2 * PIECE);
    assert_eq!(rig.asked(), [2 * PIECE + 1..=2 * PIECE + 5]);
}

#[test]
fn while_nothing_comes_the_pause_doubles_up_to_an_hour() {
    let mut rig = Rig::after(1, 10);
    rig.asked();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        // Its scraper is there all the time.
        rig.announce("i", &[("j", 1, 10)]);
        let begin = rig.now;
        while rig.asked().is_empty() {
            rig.now += Duration::from_secs(30);
            rig.announce("i", &[("j", 1, 10)]);
        }
        pauses.push((rig.now - begin).as_secs() / 60);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn what_does_not_come_goes_to_the_end_of_the_line_and_progress_shortens_the_pause() {
    let mut rig = Rig::after(1, PIECE + 100);
    assert_eq!(rig.asked(), [1..=PIECE]);
    rig.store(1..=40);
    assert_eq!(rig.pause(), WAIT);
    // Some queue on the way holds no more than came: so much is asked for, of what comes after.
    let mut rig = Rig::after(1, PIECE + 100);
    rig.asked();
    rig.store(1..=40);
    rig.asked();
    rig.now += WAIT;
    assert_eq!(rig.asked(), [PIECE + 1..=PIECE + 40]);
    rig.store(PIECE + 1..=PIECE + 40);
    assert_eq!(rig.asked(), [PIECE + 41..=PIECE + 100]);
    rig.store(PIECE + 41..=PIECE + 100);
    assert_eq!(
        rig.asked(),
        [41..=200],
        "the rest, from the end of the line"
    );
}

#[test]
fn while_the_store_takes_nothing_and_until_it_had_time_to_catch_up_nothing_is_asked_for() {
    let mut rig = Rig::after(1, 10);
    rig.audit.store_fails();
    // However long its next attempt is away.
    for _ in 0..10 {
        rig.now += WAIT;
        rig.announce("i", &[("j", 1, 10)]);
        assert_eq!(rig.asked(), []);
    }
    rig.audit.store_takes(rig.now);
    assert_eq!(rig.asked(), []);
    rig.now += WAIT / 2;
    rig.audit.store_takes(rig.now);
    rig.now += WAIT / 2;
    assert_eq!(rig.asked(), [1..=10]);
}

#[test]
fn a_scraper_that_was_started_anew_is_asked_at_once() {
    let mut rig = Rig::after(1, 10);
    rig.asked();
    rig.now += WAIT / 2;
    rig.announce("another", &[("j", 1, 10)]);
    assert_eq!(rig.asked(), [1..=10]);
}

#[test]
fn a_journal_that_is_not_announced_any_more_is_asked_for_no_longer_than_a_quarter_of_an_hour() {
    let mut rig = Rig::after(1, 10);
    rig.now += Duration::from_mins(13);
    assert_eq!(rig.asked(), [1..=10]);
    let mut rig = Rig::after(1, 10);
    rig.now += Duration::from_mins(15);
    assert_eq!(rig.asked(), []);
}

#[test]
fn what_is_missing_of_a_journal_that_vanishes_is_not_said_to_be_stored() {
    let mut rig = Rig::after(1, 10);
    assert_eq!(rig.asked(), [1..=10]);
    rig.store(1..=4);
    rig.now += Duration::from_mins(15);
    let vanished = Finding::Vanished {
        envoy: envoy(),
        journal: journal("j"),
        readings: 6,
    };
    let filled = Finding::Filled {
        envoy: envoy(),
        readings: 4,
    };
    assert_eq!(rig.findings(), [vanished, filled]);
    rig.announce("i", &[("j", 1, 10)]);
    rig.now += WAIT;
    assert_eq!(rig.asked(), [5..=10], "it is back");
}

#[test]
fn with_the_marks_forgotten_everything_is_asked_for_at_once() {
    let mut rig = Rig::after(1, 10);
    rig.store(1..=8);
    assert_eq!(rig.asked(), [9..=10]);
    rig.marks = Marks::default();
    rig.audit.start_over();
    assert_eq!(rig.asked(), [1..=10]);
}

#[test]
fn the_begin_and_the_end_of_a_gap_are_said_once() {
    let mut rig = Rig::after(1, PIECE + 5);
    let missing = Finding::Missing {
        envoy: envoy(),
        readings: PIECE + 5,
    };
    assert_eq!(rig.findings(), [missing]);
    rig.store(1..=PIECE);
    assert_eq!(rig.findings(), []);
    rig.store(PIECE + 1..=PIECE + 5);
    let filled = Finding::Filled {
        envoy: envoy(),
        readings: PIECE + 5,
    };
    assert_eq!(rig.findings(), [filled]);
    assert_eq!(rig.findings(), []);
}
