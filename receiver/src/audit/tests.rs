use std::ops::RangeInclusive;

use wire::{JournalSpan, MAX_SEQ};

use super::*;

mod anything;
mod doubts;

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
        self.marks.settle(&envoy(), &journal("j"), numbers);
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
fn what_left_the_journal_before_it_was_stored_is_said_to_be_lost_once() {
    let mut rig = Rig::after(5, 20);
    rig.announce("i", &[("j", 5, 20)]);
    rig.store(5..=7);
    assert_eq!(
        rig.announce("i", &[("j", 11, 30)]),
        [],
        "it may be on its way"
    );
    rig.store(8..=8);
    rig.now += WAIT;
    let two = Finding::Lost {
        envoy: envoy(),
        journal: journal("j"),
        readings: 2,
    };
    assert_eq!(rig.announce("i", &[("j", 11, 30)]), [two]);
    assert_eq!(rig.announce("i", &[("j", 11, 30)]), []);
    assert_eq!(rig.asked(), [11..=30]);
}

#[test]
fn what_left_the_journal_while_the_receiver_was_away_is_lost() {
    let mut rig = Rig::after(1, 20);
    rig.announce("i", &[("j", 1, 20)]);
    rig.store(1..=15);
    // Another process, with the marks of the first.
    rig.audit = Audit::new(WAIT);
    rig.announce("i", &[("j", 31, 40)]);
    rig.now += WAIT;
    let lost = rig.announce("i", &[("j", 31, 40)]);
    assert!(matches!(lost[..], [Finding::Lost { readings: 15, .. }]));
}

#[test]
fn while_the_store_takes_nothing_nothing_is_said_to_be_lost() {
    let mut rig = Rig::after(1, 20);
    rig.announce("i", &[("j", 1, 20)]);
    rig.announce("i", &[("j", 11, 30)]);
    rig.audit.store_fails();
    for _ in 0..10 {
        rig.now += WAIT;
        assert_eq!(rig.announce("i", &[("j", 11, 30)]), []);
    }
    // It had waited here.
    rig.audit.store_takes(rig.now);
    rig.store(1..=30);
    rig.now += WAIT;
    assert_eq!(rig.announce("i", &[("j", 11, 30)]), []);
    rig.now += WAIT;
    assert_eq!(rig.announce("i", &[("j", 11, 30)]), []);
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

#[test]
fn a_journal_that_is_announced_with_less_than_is_stored_of_it_is_asked_for_the_highest() {
    let mut rig = Rig::after(1, 10);
    rig.store(1..=12);
    assert_eq!(rig.asked(), [], "the next announcement may be close behind");
    assert_eq!(rig.asked(), [12..=12]);
    assert_eq!(rig.asked(), [], "not at once again");
    rig.announce("i", &[("renewed", 1, 10)]);
    rig.now += WAIT;
    assert_eq!(rig.asked(), [1..=10], "the one with the new id");
}

#[test]
fn what_comes_after_its_announcement_raises_no_doubt_however_long_the_next_one_takes() {
    let mut rig = Rig::after(1, 10);
    rig.store(1..=10);
    rig.receive(11..=20);
    for _ in 0..10 {
        assert_eq!(rig.asked(), []);
        rig.now += WAIT;
    }
    rig.announce("i", &[("j", 1, 20)]);
    assert_eq!(rig.asked(), []);
    assert_eq!(rig.asked(), []);
}

#[test]
fn readings_that_overtake_their_announcement_raise_no_doubt() {
    let mut rig = Rig::after(1, 10);
    rig.receive(1..=10);
    for last in (20..200).step_by(10) {
        rig.receive(last - 9..=last);
        // The one before it comes now.
        rig.announce("i", &[("j", 1, last - 10)]);
        assert_eq!(rig.asked(), []);
    }
    rig.announce("i", &[("j", 1, 190)]);
    assert_eq!(rig.asked(), []);
    assert_eq!(rig.asked(), []);
}

#[test]
fn a_journal_from_a_copy_that_grows_is_doubted_while_the_store_has_more_of_it() {
    let mut rig = Rig::after(1, 10);
    rig.receive(1..=30);
    // Put back: the same numbers name other readings, and more of them with each announcement.
    rig.announce("i", &[("j", 1, 10)]);
    assert_eq!(rig.asked(), []);
    rig.receive(11..=15);
    rig.announce("i", &[("j", 1, 15)]);
    rig.receive(16..=20);
    assert_eq!(rig.asked(), [30..=30]);
}

/// So many journals of an Envoy, by its number.
fn many(rig: &mut Rig, envoy: usize, journals: usize) {
    let span = |number| JournalSpan::new(journal(&format!("j{number}")), 1, MAX_SEQ);
    let announcement = Announcement {
        instance: "i".parse().expect("an id"),
        journals: (0..journals)
            .map(|number| span(number).expect("a span"))
            .collect(),
        waiting: 0,
    };
    let envoy = format!("n{envoy}").parse().expect("a serial");
    rig.now += Duration::from_millis(1);
    let marks = &mut rig.marks;
    rig.audit.announced(&envoy, &announcement, marks, rig.now);
}

#[test]
fn envoys_from_outside_are_bounded_and_those_that_were_heard_last_stay() {
    let mut rig = Rig::new();
    let last = MOST_ENVOYS + MOST_ENVOYS / 8;
    for number in 0..=last {
        many(&mut rig, number, 1);
        assert!(rig.audit.sites.len() <= MOST_ENVOYS);
    }
    assert!(rig.audit.sites.len() > MOST_ENVOYS / 16 * 14);
    for (number, stays) in [(0, false), (last / 2, true), (last, true)] {
        let envoy: Serial = format!("n{number}").parse().expect("a serial");
        assert_eq!(rig.audit.sites.contains_key(&envoy), stays, "{number}");
    }
}

#[test]
fn journals_from_outside_are_bounded_and_nobodys_give_way_to_them() {
    let mut rig = Rig::new();
    many(&mut rig, 0, 1);
    for number in 1..=MOST_ENVOYS / 4 {
        many(&mut rig, number, MAX_JOURNALS);
    }
    let journals = |rig: &Rig, number: usize| {
        let envoy: Serial = format!("n{number}").parse().expect("a serial");
        rig.audit.sites.get(&envoy).map(|site| site.journals())
    };
    assert_eq!(journals(&rig, 0), Some(1));
    assert_eq!(journals(&rig, 1), Some(MAX_JOURNALS));
    assert_eq!(journals(&rig, MOST_ENVOYS / 4), Some(FEW_JOURNALS));
    many(&mut rig, 1, MAX_JOURNALS);
    assert_eq!(
        journals(&rig, 1),
        Some(MAX_JOURNALS),
        "they were there before"
    );
    let all: usize = rig.audit.sites.values().map(|site| site.journals()).sum();
    assert_eq!(rig.audit.journals, all);
    assert!(all <= MOST_JOURNALS + FEW_JOURNALS * MOST_ENVOYS);
}

#[test]
fn of_many_envoys_only_some_are_asked_at_a_time_and_in_the_end_all() {
    let mut rig = Rig::new();
    let envoys = 3 * MOST_ASKED;
    for number in 0..envoys {
        many(&mut rig, number, 1);
    }
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..3 {
        rig.now += WAIT;
        let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
        assert_eq!(requests.len(), MOST_ASKED);
        asked.extend(requests.into_iter().map(|(envoy, _)| envoy));
        let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
        assert!(requests.is_empty(), "the others are still answering");
    }
    assert_eq!(asked.len(), envoys, "nobody who keeps silent is in the way");
}

#[test]
fn those_who_send_a_little_now_and_then_keep_nobody_from_being_asked() {
    let mut rig = Rig::new();
    let envoys = 2 * MOST_ASKED;
    for number in 0..envoys {
        many(&mut rig, number, 1);
    }
    let mut asked = std::collections::BTreeMap::new();
    for _ in 0..4 {
        rig.now += WAIT;
        let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
        assert_eq!(requests.len(), MOST_ASKED);
        for (envoy, request) in requests {
            let first = *request.ranges()[0].start();
            asked
                .entry(envoy.clone())
                .or_insert_with(Vec::new)
                .push(first);
            // All but the last one of the piece comes at once, and that one never.
            let most = request.ranges()[0].end() - 1;
            rig.marks.settle(&envoy, request.journal(), first..=most);
        }
    }
    assert_eq!(asked.len(), envoys);
    assert!(asked.values().all(|times| times.len() == 2));
}
