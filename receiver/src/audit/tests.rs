use std::ops::RangeInclusive;

use proptest::prelude::*;
use wire::{JournalSpan, MAX_SEQ};

use super::*;

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
    rig.audit.postpone(rig.now);
    assert_eq!(rig.asked(), []);
    rig.now += WAIT;
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
    let mut rig = Rig::new();
    assert_eq!(rig.announce("i", &[("j", 5, 20)]), []);
    rig.store(5..=7);
    let lost = rig.announce("i", &[("j", 11, 30)]);
    let three = Finding::Lost {
        envoy: envoy(),
        journal: journal("j"),
        readings: 3,
    };
    assert_eq!(lost, [three]);
    assert_eq!(rig.announce("i", &[("j", 11, 30)]), []);
    rig.now += WAIT;
    assert_eq!(rig.asked(), [11..=30]);
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
    assert_eq!(rig.asked(), [12..=12]);
    assert_eq!(rig.asked(), [], "not at once again");
    rig.announce("i", &[("renewed", 1, 10)]);
    rig.now += WAIT;
    assert_eq!(rig.asked(), [1..=10], "the one with the new id");
}

#[test]
fn envoys_from_outside_are_bounded() {
    let mut rig = Rig::new();
    for number in 0..2 * MOST_ENVOYS {
        let announcement = Announcement {
            instance: "i".parse().expect("an id"),
            journals: vec![JournalSpan::new(journal("j"), 1, MAX_SEQ).expect("a span")],
            waiting: 0,
        };
        let envoy = format!("n{number}").parse().expect("a serial");
        rig.now += Duration::from_secs(1);
        let marks = &mut rig.marks;
        rig.audit.announced(&envoy, &announcement, marks, rig.now);
    }
    assert_eq!(rig.audit.sites.len(), MOST_ENVOYS);
    assert!(
        rig.audit.sites.contains_key(
            &format!("n{}", 2 * MOST_ENVOYS - 1)
                .parse()
                .expect("a serial")
        )
    );
}

/// What may come from outside: spans of any width, in any order, again and again.
fn span() -> impl Strategy<Value = (u64, u64)> {
    let number = prop_oneof![1..40_u64, 1..=MAX_SEQ];
    (number.clone(), number).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

#[derive(Debug, Clone)]
enum Step {
    Announce(u8, Vec<(u8, (u64, u64))>),
    Store(u8, (u64, u64)),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_u8, prop::collection::vec((0..4_u8, span()), 0..4))
            .prop_map(|(instance, spans)| Step::Announce(instance, spans)),
        (0..4_u8, span()).prop_map(|(id, numbers)| Step::Store(id, numbers)),
        (1..2_000_u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn whatever_is_announced_only_what_is_held_and_not_stored_is_asked_for(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut rig = Rig::new();
        let mut announced: BTreeMap<JournalId, (u64, u64)> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Announce(instance, spans) => {
                    let named: Vec<_> = spans.iter().map(|(id, span)| (format!("j{id}"), *span)).collect();
                    let spans: Vec<_> = named.iter().map(|(id, (first, last))| (id.as_str(), *first, *last)).collect();
                    rig.announce(&format!("i{instance}"), &spans);
                    announced.extend(named.iter().map(|(id, span)| (journal(id), *span)));
                }
                Step::Store(id, (first, last)) => {
                    rig.marks.settle(&envoy(), &journal(&format!("j{id}")), first..=last);
                }
                Step::Pass(seconds) => rig.now += Duration::from_secs(seconds),
            }
            let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
            for (_, request) in requests {
                let asked: u64 = request.ranges().iter().map(|range| range.end() - range.start() + 1).sum();
                prop_assert!((1..=PIECE).contains(&asked));
                let (first, last) = announced[request.journal()];
                let highest = rig.marks.highest(&envoy(), request.journal());
                if highest.is_some_and(|highest| highest > last) && asked == 1 && request.ranges()[0].end() > &last {
                    continue;
                }
                for range in request.ranges() {
                    prop_assert!(first <= *range.start() && *range.end() <= last);
                    let missing = rig.marks.missing(&envoy(), request.journal(), range);
                    prop_assert_eq!(missing, vec![range.clone()]);
                }
            }
        }
    }

    #[test]
    fn with_a_scraper_that_answers_sometimes_everything_is_stored_and_then_it_is_quiet(
        last in 1..3_000_u64,
        stored in prop::collection::vec((1..3_000_u64, 0..50_u64), 0..40),
        passes in prop::collection::vec(0..1_200_usize, 1..30),
    ) {
        let mut rig = Rig::after(1, last);
        for (first, more) in stored {
            rig.store(first.min(last)..=(first + more).min(last));
        }
        let mut answers = passes.iter().cycle();
        let mut quiet = 0;
        for _ in 0..20_000 {
            let ranges = rig.asked();
            // A part of what is asked for comes; now and then nothing.
            let come = *answers.next().expect("it goes on");
            let numbers = ranges.iter().cloned().flatten().take(come);
            for number in numbers {
                rig.store(number..=number);
            }
            quiet = if ranges.is_empty() { quiet + 1 } else { 0 };
            if rig.marks.missing(&envoy(), &journal("j"), &(1..=last)).is_empty() && quiet > 3 {
                return Ok(());
            }
            rig.now += Duration::from_secs(20);
            rig.announce("i", &[("j", 1, last)]);
        }
        // With no answer at all nothing can be stored.
        prop_assert!(passes.iter().all(|come| *come == 0));
    }
}
