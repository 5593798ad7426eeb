use std::collections::BTreeSet;

use proptest::prelude::*;
use wire::ReportTime;

use super::*;

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
fn a_file_gives_back_what_was_saved_for_this_store_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("below/marks.json");
    let file = |store: &str| MarksFile::new(path.clone(), store.to_owned());
    let mut kept = marks(&[1..=3, 5..=MAX_SEQ]);
    assert_eq!(kept.holds_from(&envoy("e"), &journal("j"), 2), 0);
    assert_eq!(
        file("a").load().expect("no file is no mistake"),
        Marks::default()
    );
    file("a").save(&kept).expect("a folder that can be written");
    assert_eq!(file("a").load().expect("it was just written"), kept);
    let error = file("b").load().expect_err("another store");
    assert!(
        error.to_string().contains("of another store (a)"),
        "{error}"
    );
    assert!(path.exists());
}

#[test]
fn a_file_of_another_format_is_named_and_gives_no_marks() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    std::fs::write(&path, r#"{"format":99,"store":"a","marks":"?"}"#).expect("a file");
    let error = MarksFile::new(path, "a".to_owned()).load();
    let error = error.expect_err("nobody knows it").to_string();
    assert!(error.contains("format 99"), "{error}");
}

#[test]
fn a_damaged_file_is_set_aside_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let file = MarksFile::new(path.clone(), "a".to_owned());
    for damage in [
        "",
        "{",
        r#"{"format":1,"store":"a","marks":[{"envoy":"e","journals":[{"id":"j","settled":[[9,3]]}]}]}"#,
    ] {
        std::fs::write(&path, damage).expect("a folder that can be written");
        let error = file.load().expect_err("it is damaged");
        assert!(error.to_string().contains("marks.damaged"), "{error}");
        assert!(!path.exists(), "{damage}");
    }
}

#[test]
fn a_save_that_fails_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let blocked = folder.path().join("a file");
    std::fs::write(&blocked, "").expect("a folder that can be written");
    let file = MarksFile::new(blocked.join("marks.json"), "a".to_owned());
    let error = file.save(&marks(&[1..=3])).expect_err("that is no folder");
    let chain = format!("{error}: {:?}", std::error::Error::source(&error));
    assert!(chain.contains("can't be written"), "{chain}");
    let again = file.save(&marks(&[1..=3])).expect_err("that is no folder");
    let again = format!("{again}: {:?}", std::error::Error::source(&again));
    assert_eq!(chain, again, "so that it is said once");
}

proptest! {
    #[test]
    fn marks_are_the_set_of_what_was_settled_also_after_a_save(
        settled in proptest::collection::vec((1_u64..60, 0_u64..5), 0..40),
        within in (1_u64..70, 1_u64..70),
    ) {
        let ranges: Vec<_> = settled.into_iter().map(|(first, more)| first..=first + more).collect();
        let expected: BTreeSet<u64> = ranges.iter().cloned().flatten().collect();
        let text = serde_json::to_string(&marks(&ranges)).expect("marks are JSON");
        let again: Marks = serde_json::from_str(&text).expect("it was just written");
        let found: Vec<u64> = missing(&again, within.0..=within.1).into_iter().flatten().collect();
        let wanted: Vec<u64> = (within.0..=within.1).filter(|seq| !expected.contains(seq)).collect();
        prop_assert_eq!(found, wanted);
    }
}
