use std::collections::BTreeSet;

use proptest::prelude::*;
use wire::ReportTime;

use super::kept::Envoy;
use super::*;

mod file;

fn envoy(name: &str) -> Serial {
    name.parse().expect("a serial")
}

fn journal(id: &str) -> JournalId {
    id.parse().expect("an id")
}

fn marks(ranges: &[RangeInclusive<u64>]) -> Marks {
    let mut marks = Marks::default();
    for range in ranges {
        marks.settle(&envoy("e"), &journal("j"), range.clone());
    }
    marks
}

fn knows(marks: &Marks, envoy: &str, journal: &str) -> bool {
    let mut known = marks.iter();
    known.any(|(known, id, _)| known.as_str() == envoy && id.as_str() == journal)
}

fn missing(marks: &Marks, within: RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
    marks.missing(&envoy("e"), &journal("j"), &within)
}

#[test]
fn a_reading_is_marked_under_its_envoy_and_journal_only() {
    let reading = Reading {
        envoy: envoy("e"),
        measured: wire::Inverter {
            serial: envoy("i"),
            reported_at: ReportTime::from_unix_seconds(1_700_000_000).expect("a time"),
            device_type: None,
            power_w: 1,
            peak_power_w: 2,
            detail: None,
        }
        .into(),
        journal: journal("j"),
        seq: 7,
    };
    let mut marks = Marks::default();
    marks.add(&reading);
    assert!(marks.contains(&envoy("e"), &journal("j"), 7));
    assert!(!marks.contains(&envoy("e"), &journal("j"), 8));
    assert!(!marks.contains(&envoy("other"), &journal("j"), 7));
    assert!(!marks.contains(&envoy("e"), &journal("other"), 7));
}

#[test]
fn what_is_missing_is_as_few_ranges_as_possible() {
    let marks = marks(&[1..=3, 7..=7, 8..=9]);
    assert_eq!(missing(&marks, 1..=12), [4..=6, 10..=12]);
    assert_eq!(missing(&marks, 2..=9), [4..=6]);
    let none = RangeInclusive::new(5, 4);
    assert_eq!(missing(&marks, none), []);
    assert_eq!(marks.highest(&envoy("e"), &journal("j")), Some(9));
    assert_eq!(marks.highest(&envoy("e"), &journal("other")), None);
    assert_eq!(missing(&Marks::default(), 1..=MAX_SEQ), [1..=MAX_SEQ]);
}

#[test]
fn numbers_that_no_journal_has_are_left_out() {
    assert_eq!(marks(&[0..=0, MAX_SEQ + 1..=u64::MAX]), Marks::default());
    let all = marks(&[0..=u64::MAX]);
    assert_eq!(missing(&all, 1..=MAX_SEQ), []);
}

#[test]
fn of_too_many_ranges_the_highest_are_forgotten() {
    let mut marks = Marks::default();
    for number in 0..2 * MOST_RANGES as u64 {
        marks.settle(&envoy("e"), &journal("j"), 2 * number + 1..=2 * number + 1);
    }
    assert_eq!(marks.iter().count(), MOST_RANGES);
    assert!(marks.contains(&envoy("e"), &journal("j"), 1));
    // What fills the gaps makes room for what comes then.
    marks.settle(&envoy("e"), &journal("j"), 1..=4 * MOST_RANGES as u64);
    assert_eq!(marks.iter().count(), 1);
}

#[test]
fn over_the_bound_what_has_left_the_journal_goes_before_the_highest() {
    let mut marks = Marks::default();
    let most = MOST_RANGES as u64;
    for number in 1..=most {
        marks.settle(&envoy("e"), &journal("j"), 2 * number..=2 * number);
    }
    assert_eq!(marks.holds_from(&envoy("e"), &journal("j"), 101), 0);
    marks.settle(&envoy("e"), &journal("j"), 3 * most..=3 * most);
    assert!(marks.contains(&envoy("e"), &journal("j"), 3 * most));
    assert!(!marks.contains(&envoy("e"), &journal("j"), 100));
    assert_eq!(marks.iter().count(), MOST_RANGES + 1 - 50);
}

#[test]
fn what_left_the_journal_before_it_was_settled_is_counted_once_and_not_marked() {
    let mut marks = marks(&[1..=2, 4..=4]);
    let mut from = |first| marks.holds_from(&envoy("e"), &journal("j"), first);
    assert_eq!([1, 3, 7, 7].map(&mut from), [0, 0, 3, 0]);
    assert_eq!(from(2), 0, "an announcement of before says nothing new");
    assert_eq!(from(8), 1);
    assert_eq!(missing(&marks, 1..=7), [3..=3, 5..=7]);
}

#[test]
fn what_left_a_journal_before_it_was_heard_of_is_none_of_our_business() {
    let mut marks = marks(&[5..=5]);
    assert_eq!(marks.holds_from(&envoy("e"), &journal("j"), 900), 0);
    assert_eq!(marks.holds_from(&envoy("e"), &journal("other"), 900), 0);
    assert_eq!(
        marks.holds_from(&envoy("e"), &journal("j"), u64::MAX),
        MAX_SEQ - 900
    );
}

#[test]
fn journals_and_envoys_that_were_not_used_for_longest_are_forgotten() {
    let mut marks = Marks::default();
    let name = |number: usize| format!("n{number}");
    for number in 0..MOST_JOURNALS {
        marks.settle(&envoy("e"), &journal(&name(number)), 1..=1);
    }
    marks.settle(&envoy("e"), &journal(&name(0)), 2..=2);
    marks.settle(&envoy("e"), &journal("one-more"), 1..=1);
    assert!(knows(&marks, "e", &name(0)));
    assert!(!knows(&marks, "e", &name(1)));

    for number in 0..MOST_ENVOYS {
        marks.settle(&envoy(&name(number)), &journal("j"), 1..=1);
    }
    assert!(!knows(&marks, "e", &name(0)));
}

#[test]
fn whoever_invents_envoys_journals_and_gaps_fills_no_memory() {
    let gaps: Vec<_> = (1..=MOST_RANGES as u64)
        .map(|gap| (2 * gap, 2 * gap))
        .collect();
    let journals = (0..MOST_JOURNALS)
        .map(|number| serde_json::json!({"id": format!("j{number}"), "settled": gaps}));
    let journals: Vec<_> = journals.collect();
    let mut marks = Marks::default();
    for number in 0..=MOST_IN_ALL / MOST_RANGES / MOST_JOURNALS {
        let line = serde_json::json!({"envoy": format!("n{number}"), "journals": journals});
        marks.read(line.to_string().as_bytes()).expect("an Envoy");
        assert!(marks.in_all <= MOST_IN_ALL);
    }
    let weights = marks.envoys.values().map(|known| known.weight());
    assert_eq!(marks.in_all, weights.sum::<usize>());
    assert!(marks.in_all > MOST_IN_ALL / 2, "{}", marks.in_all);
}

#[test]
fn whoever_invents_journals_and_gaps_takes_nobody_elses_marks_away() {
    let mut marks = Marks::default();
    let known: Vec<_> = (0..1_000)
        .map(|number| envoy(&format!("k{number}")))
        .collect();
    for one in &known {
        marks.settle(one, &journal("j"), 1..=3);
        marks.settle(one, &journal("j"), 7..=9);
        let _ = marks.holds_from(one, &journal("j"), 2);
    }
    let gaps = MOST_RANGES as u64;
    for number in 0..=2 * MOST_IN_ALL / MOST_RANGES {
        let (hostile, id) = (number % 20, number / 20);
        let (hostile, id) = (envoy(&format!("h{hostile}")), journal(&format!("j{id}")));
        for gap in 1..=gaps {
            marks.settle(&hostile, &id, 2 * gap..=2 * gap);
        }
        assert!(marks.in_all <= MOST_IN_ALL);
        assert!(marks.contains(&hostile, &id, 2), "the lowest ones stay");
    }
    for one in &known {
        assert_eq!(
            marks.missing(one, &journal("j"), &(1..=10)),
            [4..=6, 10..=10]
        );
        assert!(marks.firsts().any(|(envoy, ..)| envoy == one));
    }
}

#[test]
fn with_as_many_envoys_as_there_may_be_each_keeps_a_journal_of_which_nothing_is_missing() {
    let mut marks = Marks::default();
    for number in 0..MOST_ENVOYS {
        let one = envoy(&format!("n{number}"));
        for journal in ["i", "j"].map(journal) {
            marks.settle(&one, &journal, 1..=3);
            marks.settle(&one, &journal, 7..=9);
        }
        assert!(marks.in_all <= MOST_IN_ALL);
    }
    for number in 0..MOST_ENVOYS {
        let one = envoy(&format!("n{number}"));
        assert!(marks.contains(&one, &journal("j"), 3), "{number}");
    }
    assert_eq!(marks.envoys().count(), MOST_ENVOYS);
}

#[test]
fn an_envoy_with_one_journal_and_nothing_missing_takes_little() {
    // Beside it the allocator takes 8 bytes, and a tree of which half is used twice that of its name and the way to it.
    let in_all = size_of::<Envoy>() + 8 + 2 * (size_of::<Serial>() + size_of::<Box<Envoy>>());
    assert!(in_all <= 180, "{in_all}");
    assert_eq!(size_of::<Ranges>(), 16);
}

#[test]
fn a_part_has_the_marks_of_its_envoys_and_gives_them_back() {
    let mut marks = Marks::default();
    for name in ["a", "b", "c"] {
        marks.settle(&envoy(name), &journal("j"), 1..=3);
    }
    let mut part = marks.of([&envoy("a"), &envoy("a"), &envoy("unknown")]);
    assert!(part.envoys().eq([&envoy("a")]));
    part.settle(&envoy("a"), &journal("j"), 4..=4);
    part.settle(&envoy("unknown"), &journal("j"), 1..=1);
    marks.replace(part);
    assert_eq!(marks.highest(&envoy("a"), &journal("j")), Some(4));
    assert_eq!(marks.highest(&envoy("unknown"), &journal("j")), Some(1));
    assert_eq!(marks.highest(&envoy("b"), &journal("j")), Some(3));
    assert_eq!(marks.in_all, 8);
}

#[test]
fn what_was_learned_of_a_journal_is_to_be_saved_once() {
    let mut marks = Marks::default();
    let _ = marks.holds_from(&envoy("e"), &journal("j"), 5);
    assert_eq!(marks.take_unsaved(), [envoy("e")].into());
    let _ = marks.holds_from(&envoy("e"), &journal("j"), 5);
    assert_eq!(marks.take_unsaved(), [].into());
    let _ = marks.holds_from(&envoy("e"), &journal("j"), 6);
    let unsaved = marks.take_unsaved();
    marks.still_unsaved(unsaved);
    assert_eq!(marks.take_unsaved(), [envoy("e")].into());
}

proptest! {
    #[test]
    fn marks_are_the_set_of_what_was_settled_also_after_a_save(
        settled in proptest::collection::vec((1_u64..60, 0_u64..5), 0..40),
        removed in proptest::option::of(1_u64..60),
        within in (1_u64..70, 1_u64..70),
    ) {
        let ranges: Vec<_> = settled.into_iter().map(|(first, more)| first..=first + more).collect();
        let mut expected: BTreeSet<u64> = ranges.iter().cloned().flatten().collect();
        let mut marks = marks(&ranges);
        if let Some(below) = removed && !ranges.is_empty() {
            expected.retain(|seq| *seq >= below);
            marks.with(&envoy("e"), &journal("j"), |known| known.settled.remove(0..=below - 1));
        }
        let settled: BTreeSet<u64> = marks.iter().flat_map(|(.., range)| range).collect();
        prop_assert_eq!(&settled, &expected);
        let highest = marks.highest(&envoy("e"), &journal("j"));
        prop_assert_eq!(highest.as_ref(), expected.last());
        let text = serde_json::to_string(&marks).expect("marks are JSON");
        let again: Marks = serde_json::from_str(&text).expect("it was just written");
        let found: Vec<u64> = missing(&again, within.0..=within.1).into_iter().flatten().collect();
        let wanted: Vec<u64> = (within.0..=within.1).filter(|seq| !expected.contains(seq)).collect();
        prop_assert_eq!(found, wanted);
    }
}
