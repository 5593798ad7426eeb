//! Journals of many Envoys that seem to have been put back.

use super::*;

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
        rig.marks.settle(&doubted, &journal("j"), 1..=30);
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
