//! Journals that seem to have been put back.

use super::*;

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

#[test]
fn what_is_stored_after_a_look_raises_a_doubt_without_another_announcement() {
    let mut rig = Rig::after(1, 10);
    rig.receive(1..=12);
    // Put back while more of it was on its way to the store.
    rig.announce("i", &[("j", 1, 12)]);
    rig.now += WAIT;
    assert_eq!(rig.asked(), []);
    assert!(rig.rests(), "nothing is missing");
    rig.store(13..=20);
    assert_eq!(rig.asked(), []);
    assert_eq!(rig.asked(), [20..=20]);
}

#[test]
fn doubts_come_bit_by_bit_and_keep_nobody_from_being_asked_for_what_is_missing() {
    const ENVOYS: usize = 3 * MOST_DOUBTED;
    let mut rig = Rig::new();
    rig.announce("i", &[("j", 1, 10)]);
    let span = JournalSpan::new(journal("j"), 1, 10).expect("a span");
    let announcement = Announcement {
        instance: "i".parse().expect("an id"),
        journals: vec![span],
        waiting: 0,
    };
    for number in 0..ENVOYS {
        let doubted = format!("n{number}").parse().expect("a serial");
        rig.settle(&doubted, &journal("j"), 1..=30);
        let marks = &mut rig.marks;
        rig.audit.announced(&doubted, &announcement, marks, rig.now);
    }
    assert_eq!(rig.asked(), [], "one look is not enough");
    rig.now += WAIT;
    let asked = rig.asked();
    let (missing, doubts): (Vec<_>, Vec<_>) = asked.into_iter().partition(|one| *one == (1..=10));
    assert_eq!(missing.len(), 1);
    assert_eq!(doubts, vec![30..=30; MOST_DOUBTED]);
    for _ in 1..3 {
        assert_eq!(rig.asked(), vec![30..=30; MOST_DOUBTED], "the next ones");
    }
    assert_eq!(rig.asked(), [], "each has been asked");
}
