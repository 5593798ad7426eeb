//! A journal that has another id while its readings are on their way.

use super::*;

#[test]
fn a_renewed_journal_is_sent_under_its_new_id_also_what_a_poll_brought_under_the_old_one() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    rig.send();
    let on_the_way = rig.journal.append(&["b"], 0);
    let copy = r#"{"instance":"other","journals":[{"id":"j1","first":1,"last":9}],"waiting":0}"#;
    let news = rig.hear("envoy/e/journal", copy, false);
    assert!(matches!(news, News::JournalRenewed { .. }), "{news:?}");
    rig.delivery.take(on_the_way, rig.now);
    assert_eq!(short(&rig.send()), ["plain j2 1", "plain j2 2"]);
    assert_eq!(rig.delivery.given_up(), 0);
}

#[test]
fn a_journal_that_has_taken_another_id_by_itself_is_sent_under_that_and_once() {
    let mut rig = Rig::new();
    rig.poll(&["a"], 0);
    rig.poll(&["a"], 1);
    rig.journal.renew(&rig.journal.id());
    rig.poll(&["a"], 2);
    let announcement = rig.send().remove(0).0;
    rig.echo(&announcement);
    let sent = rig.send_at_most(9);
    assert_eq!(short(&sent), ["plain j2 3", "late j2 1", "late j2 2"]);

    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    let sent = rig.send();
    rig.journal.renew(&rig.journal.id());
    rig.poll(&["b"], 0);
    rig.delivery.acknowledged(&sent[0].1, rig.now);
    assert_eq!(rig.delivery.waiting(), 1);
    assert_eq!(short(&rig.send_at_most(9)), ["plain j2 2"]);

    // Also what no more than has to be put back.
    let mut rig = Rig::new();
    let newest = rig.journal.append(&["a"], 0);
    rig.begin(Beginning {
        newest,
        delivered_below: 2,
    });
    rig.journal.renew(&rig.journal.id());
    rig.poll(&[], 1);
    let announcement = rig.send().remove(0).0;
    rig.echo(&announcement);
    assert_eq!(short(&rig.send()), ["plain j2 1"]);
}

#[test]
fn what_waits_and_what_is_on_its_way_follow_a_journal_that_took_a_new_id_by_itself() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 2);
    rig.poll(&["a"], 1);
    rig.poll(&["a"], 0);
    rig.journal.renew(&rig.journal.id());
    // No poll has said so yet.
    assert_eq!(rig.delivered_below(), ("j2".to_owned(), 1));
    let sent = rig.send();
    assert_eq!(short(&sent), ["plain j2 1", "late j2 2", "late j2 3"]);
    rig.journal.renew(&rig.journal.id());
    for (_, ticket) in &sent {
        rig.delivery.acknowledged(ticket, rig.now);
    }
    assert_eq!((rig.delivery.waiting(), rig.delivery.given_up()), (0, 0));
    assert_eq!(short(&rig.send()), ["announcement 0"]);
}

#[test]
fn a_receiver_that_asks_for_more_than_the_journal_ever_had_has_seen_it_with_other_readings() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    rig.send();
    let request = r#"{"journal":"j1","ranges":[[2,2]]}"#;
    let news = rig.hear("envoy-receiver/r/replay/e", request, false);
    assert!(matches!(news, News::JournalRenewed { .. }), "{news:?}");
    assert_eq!(short(&rig.send()), ["plain j2 1"]);
    // Who asks again and again does not get another one each time.
    let request = r#"{"journal":"j2","ranges":[[2,2]]}"#;
    let news = rig.hear("envoy-receiver/r/replay/e", request, false);
    assert_eq!(news, News::AskedAgain(0));
    rig.pass(SUSPICION);
    let news = rig.hear("envoy-receiver/r/replay/e", request, false);
    assert!(matches!(news, News::JournalRenewed { .. }), "{news:?}");
    // One that is none of ours any more.
    let request = r#"{"journal":"j1","ranges":[[2,2]]}"#;
    let news = rig.hear("envoy-receiver/r/replay/e", request, false);
    assert_eq!(news, News::AskedAgain(0));
}
