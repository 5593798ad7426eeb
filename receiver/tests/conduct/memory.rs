//! What the receiver remembers of what its store has: what it asks for, and what it does not.

use std::fs;

use receiver::refill;
use scripted::influx::Reply;

use crate::chain::{AUDIT_AFTER, Chain};
use crate::influx::{Said, sound};
use crate::state::{ENVOY, JOURNAL, OTHERS};

/// A chain whose store has the readings 1 to 5, and whose broker has no more of them.
async fn with_five() -> Chain {
    let chain = Chain::start(5, &[], |request, _| sound(request)).await;
    chain.settles().await;
    chain.is_over();
    chain
}

/// Waits until the audit has looked at all that was announced before: a journal that is announced now
/// is asked for.
async fn audited(chain: &Chain) {
    chain.announce("probe", 1, 1).await;
    chain
        .until(|state| !state.asked_of("probe").is_empty())
        .await;
}

#[tokio::test]
async fn what_did_not_come_is_asked_for_after_a_while_and_again_and_not_once_it_is_stored() {
    let chain = with_five().await;
    let announced = tokio::time::Instant::now();
    chain.announce(JOURNAL, 1, 8).await;
    chain.until(|state| state.requests.len() == 2).await;
    chain.look(|state| {
        assert_eq!(state.asked_of(JOURNAL), [[6..=8], [6..=8]]);
        let (first, again) = (state.requests[0].0, state.requests[1].0);
        assert!(first >= announced + AUDIT_AFTER, "{:?}", first - announced);
        assert!(again >= first + AUDIT_AFTER, "{:?}", again - first);
    });
    chain.deliver(3, &[]).await;
    chain.settles().await;
    let asked = chain.look(|state| state.asked_of(JOURNAL).len());
    audited(&chain).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL).len(), asked));
    chain.ends().await;
}

#[tokio::test]
async fn after_a_restart_only_what_is_missing_is_asked_for() {
    let mut chain = with_five().await;
    chain.stop().await;
    chain.start_again().await;
    chain.announce(JOURNAL, 1, 8).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [6..=8]));
    chain.ends().await;
}

#[tokio::test]
async fn a_receiver_that_has_lost_its_state_asks_for_everything() {
    let mut chain = with_five().await;
    chain.stop().await;
    fs::remove_dir_all(chain.state_file("")).unwrap();
    chain.start_again().await;
    chain.announce(JOURNAL, 1, 5).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [1..=5]));
    chain.ends().await;
}

#[tokio::test]
async fn marks_that_are_damaged_are_none_and_are_set_aside() {
    let mut chain = with_five().await;
    chain.stop().await;
    fs::write(chain.state_file("marks-receiver.json"), "{\"form").unwrap();
    chain.start_again().await;
    chain.announce(JOURNAL, 1, 5).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [1..=5]));
    assert!(chain.state_file("marks-receiver.damaged").exists());
    chain.ends().await;
}

#[tokio::test]
async fn another_store_begins_without_marks() {
    let mut chain = with_five().await;
    chain.stop().await;
    chain.settings.bucket = "another".to_owned();
    chain.start_again().await;
    chain.announce(JOURNAL, 1, 5).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [1..=5]));
    chain.ends().await;
}

fn leave_note(chain: &Chain) {
    let receiver = refill::StateOf {
        name: "receiver".parse().unwrap(),
        state_dir: chain.state_file(""),
    };
    refill::leave_note(&receiver).unwrap();
}

#[tokio::test]
async fn a_refill_beside_a_running_receiver_has_it_ask_for_everything() {
    let chain = with_five().await;
    chain.announce(JOURNAL, 1, 5).await;
    audited(&chain).await;
    chain.look(|state| assert!(state.asked_of(JOURNAL).is_empty()));
    leave_note(&chain);
    chain
        .until(|state| !state.asked_of(JOURNAL).is_empty())
        .await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [1..=5]));
    assert!(!chain.state_file("refill-receiver").exists());
    chain.ends().await;
}

#[tokio::test]
async fn a_refill_before_a_start_has_it_ask_for_everything() {
    let mut chain = with_five().await;
    chain.stop().await;
    leave_note(&chain);
    chain.start_again().await;
    chain.announce(JOURNAL, 1, 5).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [1..=5]));
    assert!(!chain.state_file("refill-receiver").exists());
    chain.ends().await;
}

#[tokio::test]
async fn a_retained_reading_that_is_marked_is_acknowledged_without_another_write() {
    let chain = with_five().await;
    let (reading, writes) = chain.look(|state| (state.readings[0].clone(), state.asked.len()));
    let topic = reading.topic().render(&wire::BaseTopic::default());
    chain.say(&topic, &reading.encode(), true).await;
    chain.until(|state| state.others == [OTHERS]).await;
    chain.look(|state| assert_eq!(state.asked.len(), writes));
    // What comes live is written, whatever the marks say.
    chain.say(&topic, &reading.encode(), false).await;
    chain.until(|state| state.others.len() == 2).await;
    chain.look(|state| assert_eq!(state.asked.len(), writes + 1));
    chain.ends().await;
}

#[tokio::test]
async fn a_receiver_that_is_killed_between_write_and_acknowledgement_stores_it_again() {
    let mut chain = Chain::start(20, &[], |request, _| {
        Said::all_kept(request, Reply::Silence)
    })
    .await;
    chain.until(|state| state.kept.len() == 20).await;
    chain.kill().await;
    chain.look(|state| assert_eq!(state.acknowledged, [0; 0]));
    assert!(!chain.state_file("marks-receiver.json").exists());
    chain.mend();
    chain.start_again().await;
    chain.settles().await;
    chain.is_over();
    chain.announce(JOURNAL, 1, 20).await;
    audited(&chain).await;
    chain.look(|state| assert!(state.asked_of(JOURNAL).is_empty()));
    chain.ends().await;
}

#[tokio::test]
async fn while_the_store_takes_nothing_nothing_is_asked_for() {
    let chain = with_five().await;
    chain.announce("probe", 1, 1).await;
    chain.now(|_, _| Said::nothing_kept(Reply::error(503, "busy")));
    chain.deliver(3, &[]).await;
    chain.announce(JOURNAL, 1, 8).await;
    chain.asked(10).await;
    let before = chain.look(|state| state.requests.len());
    chain.asked(40).await;
    chain.look(|state| {
        assert!(state.asked_of(JOURNAL).is_empty());
        assert_eq!(state.requests.len(), before);
    });
    chain.mend();
    chain.settles().await;
    audited(&chain).await;
    chain.look(|state| assert!(state.asked_of(JOURNAL).is_empty()));
    chain.ends().await;
}

#[tokio::test]
async fn while_the_store_is_left_alone_for_long_nothing_is_asked_for() {
    let chain = with_five().await;
    chain.now(|_, _| {
        // By far longer than until something would be asked for.
        let headers = vec!["retry-after: 3".to_owned()];
        Said::nothing_kept(Reply::Answer(503, headers, String::new()))
    });
    chain.deliver(1, &[]).await;
    chain.asked(1).await;
    chain.announce(JOURNAL, 1, 8).await;
    chain.asked(1).await;
    chain.look(|state| assert!(state.requests.is_empty(), "{:?}", state.requests));
    chain.deliver(2, &[]).await;
    chain.mend();
    chain.settles().await;
    audited(&chain).await;
    chain.look(|state| assert!(state.asked_of(JOURNAL).is_empty()));
    chain.ends().await;
}

#[tokio::test]
async fn without_a_state_directory_readings_are_stored_and_what_is_missing_is_asked_for() {
    let chain = Chain::start_in(true, 5, &[], |request, _| sound(request), |_| {}).await;
    chain.settles().await;
    chain.announce(JOURNAL, 1, 8).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [6..=8]));
    chain
        .say(&format!("envoy/{ENVOY}/inverters/i"), "?", false)
        .await;
    chain.until(|state| state.others.len() == 2).await;
    chain.ends().await;
}

#[tokio::test]
async fn marks_that_could_not_be_saved_go_with_the_next_batch_whosever_it_is() {
    let mut chain = with_five().await;
    let (file, aside) = (
        chain.state_file("marks-receiver.json"),
        chain.state_file("aside"),
    );
    let say = async |envoy: &str| {
        let reading = format!(
            r#"{{"serial":"i","envoy":"{envoy}","reported_at":"2026-11-23T09:15:00Z","power_w":212,"peak_power_w":296,"journal":"j","seq":1}}"#
        );
        chain
            .say(&format!("envoy/{envoy}/inverters/i"), &reading, false)
            .await;
    };
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    say("e1").await;
    chain.until(|state| state.others.len() == 1).await;
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    say("e2").await;
    chain.until(|state| state.others.len() == 2).await;
    let marks = chain.look(|state| state.marks.as_ref().unwrap().load().unwrap());
    for (envoy, journal) in [(ENVOY, JOURNAL), ("e1", "j"), ("e2", "j")] {
        let (envoy, journal) = (envoy.parse().unwrap(), journal.parse().unwrap());
        assert!(marks.contains(&envoy, &journal, 1), "{envoy}");
    }
    chain.stop().await;
}
