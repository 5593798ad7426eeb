//! How the inverters do: stored beside the readings, once, and in nobody's way.

use scripted::influx::Reply;

use crate::chain::Chain;
use crate::influx::{Said, sound};
use crate::state::{ENVOY, is_health};

/// A minute of 2026-11-23 after 09:00.
fn payload(minute: u32, state: &str) -> String {
    format!(
        r#"{{"envoy":"{ENVOY}","changed_at":"2026-11-23T09:{minute:02}:00Z","reporting":1,"asleep":0,"silent":0,"total":1,"never_reported":0,"inverters":{{"a":{{"state":"{state}","fresh":true,"interval_s":300,"missed_reports":0,"relative_output_pct":null,"name":"Garage left","array":null}}}}}}"#
    )
}

fn line(minute: u32, state: &str) -> String {
    let seconds = 1_795_424_400 + minute * 60;
    format!(
        "inverterHealth,envoySerial={ENVOY},serial=a state=\"{state}\",fresh=true,missedReports=0,\
         intervalS=300,name=\"Garage left\" {seconds}"
    )
}

async fn say(chain: &Chain, minute: u32, state: &str, retain: bool) {
    let topic = format!("envoy/{ENVOY}/health");
    chain.say(&topic, &payload(minute, state), retain).await;
}

async fn stored(chain: &Chain, lines: &[String]) {
    chain
        .until(|state| state.healths.len() >= lines.len())
        .await;
    chain.look(|state| assert_eq!(state.healths, lines));
}

#[tokio::test]
async fn a_state_is_stored_once_however_often_the_broker_sends_it() {
    let chain = Chain::start(5, &[], |request, _| sound(request)).await;
    say(&chain, 0, "reporting", true).await;
    stored(&chain, &[line(0, "reporting")]).await;
    for _ in 0..2 {
        chain.cut().await;
        say(&chain, 0, "reporting", true).await;
    }
    say(&chain, 5, "silent", false).await;
    stored(&chain, &[line(0, "reporting"), line(5, "silent")]).await;
    // A broker that came back at an older state.
    say(&chain, 0, "reporting", true).await;
    say(&chain, 10, "reporting", false).await;
    let all = [(0, "reporting"), (5, "silent"), (10, "reporting")];
    stored(&chain, &all.map(|(minute, state)| line(minute, state))).await;
    chain.ends().await;
}

#[tokio::test]
async fn a_receiver_that_starts_again_writes_the_same_point() {
    let mut chain = Chain::start(5, &[], |request, _| sound(request)).await;
    say(&chain, 0, "reporting", true).await;
    stored(&chain, &[line(0, "reporting")]).await;
    chain.settles().await;
    chain.stop().await;
    chain.start_again().await;
    say(&chain, 0, "reporting", true).await;
    stored(&chain, &[line(0, "reporting"), line(0, "reporting")]).await;
    chain.ends().await;
}

#[tokio::test]
async fn a_store_that_refuses_it_takes_every_reading_all_the_same() {
    let chain = Chain::start(5, &[], |request, _| {
        if request.lines.iter().any(|line| is_health(line)) {
            Said::nothing_kept(Reply::error(
                422,
                "partial write: field type conflict dropped=1",
            ))
        } else {
            sound(request)
        }
    })
    .await;
    say(&chain, 0, "reporting", true).await;
    chain.asked(3).await;
    chain.deliver(20, &[]).await;
    chain.settles().await;
    say(&chain, 5, "silent", false).await;
    chain.until(|state| state.others.len() == 2).await;
    // Whatever was asked with the state before is answered.
    chain.asked(2).await;
    chain.mend();
    // Of what was refused the newest is stored.
    stored(&chain, &[line(5, "silent")]).await;
    chain.ends().await;
}

#[tokio::test]
async fn a_store_that_was_away_gets_the_newest_state() {
    let chain = Chain::start(0, &[], |_, _| Said::nothing_kept(Reply::error(503, "busy"))).await;
    for (minute, state) in [(0, "reporting"), (5, "silent"), (10, "asleep")] {
        say(&chain, minute, state, false).await;
    }
    chain.until(|state| state.others.len() == 3).await;
    // Whatever was asked with a state before is answered.
    chain.asked(2).await;
    chain.look(|state| assert!(state.healths.is_empty()));
    chain.mend();
    stored(&chain, &[line(10, "asleep")]).await;
    chain.ends().await;
}

#[tokio::test]
async fn what_is_no_health_is_no_dead_letter_either() {
    let chain = Chain::start(5, &[], |request, _| sound(request)).await;
    let topic = format!("envoy/{ENVOY}/health");
    for payload in ["nonsense", "", &payload(0, "broken")] {
        chain.say(&topic, payload, true).await;
    }
    chain.until(|state| state.others.len() == 3).await;
    assert!(!chain.state_file("dead-letters-receiver.jsonl").exists());
    say(&chain, 5, "reporting", true).await;
    stored(&chain, &[line(5, "reporting")]).await;
    chain.ends().await;
}
