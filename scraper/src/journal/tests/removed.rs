//! Files that are removed or replaced while the journal is open.

use std::fs;
use std::time::Duration;

use super::damage::Place;
use super::*;
use crate::delivery::Journal as _;

/// The same readings under another id.
fn under(id: &JournalId, mut readings: Vec<Reading>) -> Vec<Reading> {
    for reading in &mut readings {
        reading.journal = id.clone();
    }
    readings
}

/// All that the journal which is appended to holds.
fn held(journals: &Journals) -> Vec<Reading> {
    journals.readings(&journals.id(), 1..=u64::MAX, usize::MAX)
}

#[test]
fn what_was_in_a_directory_that_was_removed_goes_on_in_a_new_file_under_a_new_id() {
    let place = Place::new();
    let state = place.directory.path().join("state");
    let journals = Journals::open(&state, &envoy(), MIB).expect("a journal");
    let mut all = journals.append(reports(3, 0));
    let old = journals.id();
    journals.note_delivered(&old, 3);
    fs::remove_dir_all(&state).expect("it is removed");

    // A poll that brings nothing notices it too.
    assert!(journals.append(Vec::<Report>::new()).is_empty());
    let new = journals.id();
    assert_ne!(new, old);
    assert_eq!(journals.successor(&old), Some(new.clone()));
    assert_eq!(journals.delivered_below(&new), 3);
    assert_eq!(journals.spans().len(), 1);
    all = under(&new, all);
    assert_eq!(held(&journals), all);

    let next = journals.append(reports(2, 900));
    assert_eq!((&next[0].journal, next[0].seq), (&new, 4));
    all.extend(next);
    let last_reports = journals.last_reports();
    drop(journals);

    let journals = Journals::open(&state, &envoy(), MIB).expect("a journal");
    assert_eq!(journals.id(), new);
    assert_eq!(held(&journals), all);
    assert_eq!(journals.last_reports(), last_reports);
    assert_eq!(journals.delivered_below(&new), 3);
    assert_eq!(journals.append(reports(1, 1800))[0].seq, 6);
}

#[test]
fn a_full_journal_whose_file_was_removed_goes_on_whole_and_keeps_to_its_size() {
    let place = Place::new();
    let journals = place.open();
    let silent = journals.append(vec![report(999, 0, 5)]).remove(0);
    for poll in 0..400 {
        journals.append(reports(50, poll * 900));
    }
    let before = held(&journals);
    assert!(before[0].seq > 1, "the lowest have left");
    fs::remove_file(place.file()).expect("it is removed");
    journals.append(Vec::<Report>::new());
    let id = journals.id();
    assert!(held(&journals) == under(&id, before));
    for poll in 400..500 {
        journals.append(reports(50, poll * 900));
        let length = fs::metadata(place.file()).expect("the file").len();
        assert!(length <= MIB, "{length}");
        assert_eq!(journals.spans().len(), 1, "it is on disk");
    }
    assert_eq!(journals.id(), id);
    drop(journals);
    let journals = place.open();
    assert_eq!(journals.spans()[0].last(), 25_001);
    let silent = under(&id, vec![silent]).remove(0);
    assert!(journals.newest().contains(&silent));
    let last_reports = journals.last_reports();
    assert_eq!(last_reports.get(&silent.subject()), Some(&silent.at()));
}

#[test]
fn where_no_new_file_can_be_made_what_was_in_the_removed_one_stays_until_one_can() {
    let place = Place::new();
    let state = place.directory.path().join("state");
    let mut now = Instant::now();
    let medium = Arc::new(InDirectory::new(&state, &envoy()));
    let journals = Journals::open_on(medium, &envoy(), MIB, now).expect("a journal");
    let on_disk = journals.append_at(reports(3, 0), now);
    fs::remove_dir_all(&state).expect("it is removed");
    fs::write(&state, "").expect("a file in its place");

    let in_memory = journals.append_at(reports(2, 900), now);
    assert_eq!(in_memory[0].seq, 1);
    let spans = journals.spans();
    assert_eq!(*spans[0].id(), in_memory[0].journal);
    assert_eq!(*spans[1].id(), on_disk[0].journal);
    assert_eq!(journals.readings(&on_disk[0].journal, 1..=9, 9), on_disk);
    // It is tried again, in vain.
    now += Duration::from_mins(1);
    assert_eq!(journals.append_at(reports(1, 1800), now)[0].seq, 3);
    assert_eq!(journals.readings(&on_disk[0].journal, 1..=9, 9), on_disk);

    fs::remove_file(&state).expect("nothing in its place");
    now += Duration::from_mins(1);
    let again = journals.append_at(reports(1, 2700), now).remove(0);
    assert_eq!(again.seq, 4);
    assert_eq!(journals.id(), again.journal);
    assert_eq!(journals.spans().len(), 2);
    assert_eq!(
        journals.readings(&in_memory[0].journal, 1..=9, 9)[..2],
        in_memory
    );
    drop(journals);
    let journals = Journals::open(&state, &envoy(), MIB).expect("a journal");
    let mut all = under(&again.journal, on_disk);
    all.push(again);
    assert_eq!(held(&journals), all);
}

#[test]
fn a_file_that_was_put_in_the_place_of_an_open_journal_is_set_aside() {
    let place = Place::new();
    let other = Place::new();
    other.fill();
    let journals = place.open();
    let ours = journals.append(reports(3, 0));
    let content = fs::read(other.file()).expect("a file");
    let copy = place.directory.path().join("copy");
    fs::write(&copy, &content).expect("a copy");
    fs::rename(&copy, place.file()).expect("put in its place");
    let next = journals.append(reports(1, 900));
    let id = journals.id();
    assert_ne!(id, ours[0].journal);
    let all = [under(&id, ours), next].concat();
    assert_eq!(held(&journals), all);
    drop(journals);
    assert_eq!(held(&place.open()), all);
    assert!(place.aside().exists());
}
