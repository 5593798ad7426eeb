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

fn missing(marks: &Marks, within: RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
    marks.missing(&envoy("e"), &journal("j"), &within)
}

#[test]
fn a_reading_is_marked_under_its_envoy_and_journal_only() {
    let reading = Reading {
        serial: envoy("i"),
        envoy: envoy("e"),
        reported_at: ReportTime::from_unix_seconds(1_700_000_000).expect("a time"),
        device_type: None,
        power_w: 1,
        peak_power_w: 2,
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
    assert_eq!(missing(&marks, 5..=4), []);
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
fn journals_and_envoys_that_were_not_used_for_longest_are_forgotten() {
    let mut marks = Marks::default();
    let name = |number: usize| format!("n{number}");
    for number in 0..MOST_JOURNALS {
        marks.settle(&envoy("e"), &journal(&name(number)), 1..=1);
    }
    marks.settle(&envoy("e"), &journal(&name(0)), 2..=2);
    marks.settle(&envoy("e"), &journal("one-more"), 1..=1);
    assert!(marks.knows(&envoy("e"), &journal(&name(0))));
    assert!(!marks.knows(&envoy("e"), &journal(&name(1))));

    for number in 0..MOST_ENVOYS {
        marks.settle(&envoy(&name(number)), &journal("j"), 1..=1);
    }
    assert!(!marks.knows(&envoy("e"), &journal(&name(0))));
}

#[test]
fn a_file_gives_back_what_was_saved_for_this_store_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("below/marks.json");
    let file = |store: &str| MarksFile::new(path.clone(), store.to_owned());
    let kept = marks(&[1..=3, 5..=MAX_SEQ]);
    assert_eq!(
        file("a").load().expect("no file is no mistake"),
        Marks::default()
    );
    file("a").save(&kept).expect("a folder that can be written");
    assert_eq!(file("a").load().expect("it was just written"), kept);
    assert_eq!(file("b").load().expect("another store"), Marks::default());
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
    assert!(error.to_string().contains("can't be written"), "{error}");
}
