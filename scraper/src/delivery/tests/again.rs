//! What receivers have asked for.

use super::*;

#[test]
fn what_a_receiver_asks_for_goes_out_at_a_pace_and_behind_what_is_new() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"; 120], 0);
    rig.arrive();
    let request = r#"{"journal":"j1","ranges":[[1,120]]}"#;
    let news = rig.hear("envoy-receiver/r/replay/e", request, false);
    assert_eq!(news, News::AskedAgain(120));
    let mut bursts = Vec::new();
    for minute in 1..=4 {
        rig.poll(&["new"], minute);
        let sent = rig.send();
        assert!(short(&sent)[0].starts_with("plain j1"), "{sent:?}");
        let again = |what: &&String| what.starts_with("again");
        bursts.push(short(&sent).iter().filter(again).count());
        for (_, ticket) in &sent {
            rig.delivery.acknowledged(ticket, rig.now);
        }
        rig.pass(Duration::from_millis(100));
    }
    assert_eq!(bursts, [50, 50, 20, 0]);
}

#[test]
fn while_too_many_readings_sent_again_are_not_acknowledged_there_is_nothing_to_do() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"; 150], 0);
    rig.arrive();
    let request = r#"{"journal":"j1","ranges":[[1,150]]}"#;
    rig.hear("envoy-receiver/r/replay/e", request, false);
    let mut sent = rig.send();
    rig.now = rig.delivery.due().expect("the next burst");
    sent.extend(rig.send());
    assert_eq!(sent.len(), 100);
    assert_eq!(rig.delivery.due(), None, "nothing can go out");
    rig.delivery.acknowledged(&sent[0].1, rig.now);
    assert!(rig.delivery.due().is_some(), "one more");
}
