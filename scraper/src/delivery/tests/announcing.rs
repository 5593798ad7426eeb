//! Announcements, and what their echo proves.

use super::*;

#[test]
fn before_the_echo_nothing_goes_out_but_the_announcement() {
    let mut rig = Rig::new();
    rig.poll(&["a"], 0);
    let sent = rig.send();
    assert_eq!(short(&sent), ["announcement 1"]);
    rig.echo(&sent[0].0);
    assert_eq!(short(&rig.send()), ["plain j1 1"]);
}

#[test]
fn without_an_echo_readings_go_out_after_a_while_and_acknowledgements_prove_nothing() {
    let mut rig = Rig::new();
    rig.poll(&["a"], 0);
    let sent = rig.send();
    rig.delivery.acknowledged(&sent[0].1, rig.now);
    let missed = rig.delivery.due().expect("the echo is awaited");
    rig.now = missed;
    assert_eq!(rig.delivery.at(rig.now), News::NotAllowed);
    let sent = rig.send();
    assert_eq!(short(&sent), ["plain j1 1"]);
    rig.delivery.acknowledged(&sent[0].1, rig.now);
    assert_eq!(rig.delivery.waiting(), 1);
}

#[test]
fn an_announcement_waits_for_the_readings_on_their_way_but_not_for_long() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    let sent = rig.send();
    assert_eq!(short(&sent), ["plain j1 1"]);
    rig.delivery.acknowledged(&sent[0].1, rig.now);
    assert_eq!(short(&rig.send()), ["announcement 0"]);

    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    rig.send();
    assert_eq!(short(&rig.send()), [""; 0]);
    rig.now = rig.delivery.due().expect("an announcement waits");
    assert_eq!(short(&rig.send()), ["announcement 1"]);
}

#[test]
fn an_announcement_that_does_not_come_back_is_missed_also_when_all_was_lined_up_anew_meanwhile() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    rig.pass(Duration::from_secs(5));
    let sent = rig.send();
    assert_eq!(short(&sent), ["plain j1 1", "announcement 1"]);
    let request = r#"{"journal":"j1","ranges":[[2,2]]}"#;
    let news = rig.hear("envoy-receiver/r/replay/e", request, false);
    assert!(matches!(news, News::JournalRenewed { .. }), "{news:?}");
    assert_eq!(short(&rig.send()), ["plain j2 1"]);
    rig.delivery.acknowledged(&sent[1].1, rig.now);
    rig.now = rig.delivery.due().expect("the echo is awaited");
    assert_eq!(rig.delivery.at(rig.now), News::NotAllowed);
    assert_eq!(short(&rig.send()), ["plain j2 1", "announcement 1"]);

    // On another connection it stands for nothing.
    rig.delivery.disconnected();
    rig.delivery.connected(rig.now);
    let announcement = rig.send().remove(0);
    rig.delivery.acknowledged(&sent[1].1, rig.now);
    assert_eq!(rig.delivery.due(), None);
    rig.delivery.acknowledged(&announcement.1, rig.now);
    assert!(rig.delivery.due().is_some());
}
