//! What has left a journal before it was stored.

use super::*;

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
