//! A file that is opened again after a failure.

use std::time::Duration;

use super::simulated::{Fault, Simulated};
use super::*;
use crate::delivery::{self, Unreadable};

fn open(disk: &Simulated, now: Instant) -> Journals {
    Journals::open_on(Arc::new(disk.clone()), &envoy(), MIB, now).expect("a journal")
}

#[test]
fn the_disk_is_tried_again_also_while_there_is_nothing_to_write() {
    let disk = Simulated::default();
    let mut now = Instant::now();
    let journals = open(&disk, now);
    let id = journals.append_at(reports(3, 0), now)[0].journal.clone();
    disk.fail(0, Fault::Undone, u32::MAX);
    journals.append_at(reports(3, 900), now);
    now += Duration::from_mins(1);
    assert!(journals.append_at(Vec::new(), now).is_empty());
    assert_ne!(journals.id(), id, "it is full");
    disk.mend();
    now += Duration::from_secs(59);
    journals.append_at(Vec::new(), now);
    assert_ne!(journals.id(), id, "not yet");
    now += Duration::from_secs(1);
    journals.append_at(Vec::new(), now);
    assert_eq!(journals.id(), id);
    assert_eq!(journals.spans().len(), 2);
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_write() {
    let disk = Simulated::default();
    let journals = open(&disk, Instant::now());
    journals.append(reports(3, 0));
    // Were it to write, it would lose the disk.
    disk.fail(0, Fault::Undone, u32::MAX);
    journals.append(Vec::new());
    assert!(journals.is_on_disk());
}

#[test]
fn a_file_that_is_being_opened_again_can_not_be_read_for_now_and_has_lost_nothing() {
    let journals = open(&Simulated::default(), Instant::now());
    let reading = |seq| delivery::Journal::reading(&journals, &journals.id(), seq);
    journals.append(reports(3, 0));
    let newest = journals.append(reports(3, 900));
    assert!(reading(1).is_ok_and(|found| found.is_some()));
    let other = "other".parse().expect("an id");
    let found = delivery::Journal::reading(&journals, &other, 1);
    assert_eq!(found, Err(Unreadable), "it may come back");

    journals.writer().disk.as_ref().expect("one").close();
    assert_eq!(reading(1), Err(Unreadable));
    assert_eq!(reading(4), Ok(newest.first().cloned()));
    assert_eq!(reading(7), Ok(None));
}
