//! The ids of a journal: when it has another one, and which readings that names.

use std::time::Duration;

use super::simulated::{Fault, Simulated};
use super::*;
use crate::delivery::Journal;

const SIZE: u64 = 320 * 1024;

/// A disk, its journal with three readings, and the id of that.
fn three_on_disk(now: Instant) -> (Simulated, Journals, JournalId) {
    let disk = Simulated::default();
    let medium = Arc::new(disk.clone());
    let journals = Journals::open_on(medium, &envoy(), SIZE, now).expect("a journal");
    let id = journals.append_at(reports(3, 0), now)[0].journal.clone();
    (disk, journals, id)
}

#[test]
fn a_new_file_in_the_place_of_a_lost_one_is_not_the_same_journal_under_another_id() {
    let mut now = Instant::now();
    let (disk, journals, id) = three_on_disk(now);
    disk.fail(0, Fault::Undone, u32::MAX);
    journals.append_at(reports(1, 900), now);
    disk.mend();
    disk.remove();
    now += Duration::from_mins(1);
    let on_disk = journals.append_at(reports(1, 1800), now).remove(0);
    assert_eq!(on_disk.seq, 1);
    assert_ne!(on_disk.journal, id);
    assert_eq!(journals.successor(&id), None);
}

#[test]
fn a_file_that_is_found_shorter_than_it_was_is_not_the_same_journal_under_another_id() {
    let mut now = Instant::now();
    let (disk, journals, id) = three_on_disk(now);
    let copy = disk.content();
    journals.append_at(reports(3, 900), now);
    disk.fail(0, Fault::Undone, u32::MAX);
    journals.append_at(reports(1, 1800), now);
    disk.mend();
    disk.put_back(copy);
    now += Duration::from_mins(1);
    let on_disk = journals.append_at(reports(1, 2700), now).remove(0);
    assert_eq!(on_disk.seq, 4);
    assert_ne!(on_disk.journal, id);
    assert_eq!(journals.successor(&id), None);
}

#[test]
fn a_journal_with_an_append_that_failed_and_is_there_is_the_same_under_another_id() {
    let mut found = 0;
    for after in 0..40 {
        let mut now = Instant::now();
        let (disk, journals, id) = three_on_disk(now);
        disk.fail(after, Fault::Done, 1);
        journals.append_at(reports(3, 900), now);
        disk.mend();
        now += Duration::from_mins(1);
        let on_disk = journals.append_at(reports(1, 1800), now).remove(0);
        if on_disk.seq == 7 && on_disk.journal != id {
            assert_eq!(journals.successor(&id), Some(on_disk.journal));
            found += 1;
        }
    }
    assert!(found > 0, "no fault left an append that is there");
}

#[test]
fn a_journal_whose_new_id_is_written_by_an_append_that_failed_is_still_the_same() {
    for after in 0..20 {
        let mut now = Instant::now();
        let (disk, journals, id) = three_on_disk(now);
        disk.fail(after, Fault::Done, 1);
        assert!(journals.renew_at(&id, now).is_some());
        disk.mend();
        now += Duration::from_mins(1);
        let on_disk = journals.append_at(reports(1, 900), now).remove(0);
        assert_eq!(on_disk.seq, 4);
        assert_ne!(on_disk.journal, id);
        assert_eq!(journals.successor(&id), Some(on_disk.journal));
    }
}

#[test]
fn a_journal_in_memory_too_is_the_same_under_a_new_id() {
    let journals = Journals::in_memory(&envoy(), 4);
    let id = journals.append(reports(3, 0))[0].journal.clone();
    let renewed = journals.renew(&id);
    assert!(renewed.is_some());
    assert_eq!(journals.successor(&id), renewed);
}

#[test]
fn a_journal_that_can_only_be_read_has_one_id_however_often_it_is_tried() {
    let mut found = 0;
    for after in 0..40 {
        let mut now = Instant::now();
        let (disk, journals, id) = three_on_disk(now);
        disk.fail(after, Fault::Done, 1);
        journals.append_at(reports(3, 900), now);
        disk.mend();
        disk.turn_read_only();
        let mut ids = HashSet::new();
        for minute in 1..=3 {
            now += Duration::from_mins(1);
            journals.append_at(reports(1, 900 + 60 * minute), now);
            let spans = journals.spans();
            assert_eq!(spans.len(), 2, "the one on disk can be read");
            ids.insert(spans[1].id().clone());
        }
        assert_eq!(ids.len(), 1, "{ids:?}");
        found += u32::from(!ids.contains(&id));
    }
    assert!(found > 0, "no fault left an append that is there");
}
