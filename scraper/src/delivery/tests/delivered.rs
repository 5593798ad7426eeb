//! What the journal is told of: below which number all has arrived.

use super::*;

#[test]
fn what_was_appended_and_not_yet_taken_is_not_delivered() {
    let mut rig = Rig::allowed();
    assert_eq!(rig.delivered_below(), ("j1".to_owned(), 1));
    rig.poll(&["a"], 0);
    rig.arrive();
    assert_eq!(rig.delivered_below(), ("j1".to_owned(), 2));
    let on_the_way = rig.journal.append(&["a"], 1);
    assert_eq!(rig.delivered_below(), ("j1".to_owned(), 2));
    rig.delivery.take(on_the_way, rig.now);
    assert_eq!(rig.delivered_below(), ("j1".to_owned(), 2));
    rig.arrive();
    assert_eq!(rig.delivered_below(), ("j1".to_owned(), 3));
}

#[test]
fn what_was_taken_in_of_a_journal_counts_under_its_next_id_too() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    rig.arrive();
    rig.journal.renew(&rig.journal.id());
    rig.journal.append(&["a"], 1);
    assert_eq!(rig.delivered_below(), ("j2".to_owned(), 2));
}

#[test]
fn a_topic_that_is_put_back_is_not_a_reading_that_the_broker_lacks() {
    let mut rig = Rig::new();
    let newest = rig.journal.append(&["dead"], 0);
    rig.journal.append(&["a"; 9], 0);
    rig.begin(Beginning {
        newest,
        delivered_below: 11,
    });
    let announcement = rig.send().remove(0);
    rig.delivery.acknowledged(&announcement.1, rig.now);
    rig.echo(&announcement.0);
    rig.pass(FIRST_ANSWER);
    let sent = rig.send();
    assert_eq!(short(&sent), ["plain j1 1"]);
    assert_eq!(rig.delivered_below(), ("j1".to_owned(), 11));
    assert!(!rig.delivery.is_finished(), "it is on its way");
    rig.delivery.acknowledged(&sent[0].1, rig.now);
    assert_eq!(rig.delivered_below(), ("j1".to_owned(), 11));
    assert_eq!(rig.delivery.waiting(), 0);
}
