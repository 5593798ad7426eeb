//! Messages that can never be stored: kept in a file, acknowledged, and in nobody's way.

use std::fs;

use crate::chain::Chain;
use crate::influx::sound;
use crate::state::{ENVOY, JOURNAL};

const FILE: &str = "dead-letters-receiver.jsonl";

fn letters(chain: &Chain) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(chain.state_file(FILE)).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[tokio::test]
async fn a_message_that_is_no_reading_is_in_the_file_before_it_is_acknowledged() {
    let chain = Chain::start(5, &[], |request, _| sound(request)).await;
    let topic = format!("envoy/{ENVOY}/inverters/i");
    chain.say(&topic, "nonsense", false).await;
    chain.until(|state| state.others.len() == 1).await;
    let letters = letters(&chain);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["topic"], topic);
    assert_eq!(letters[0]["payload"], "nonsense");
    assert_eq!(letters[0]["payload_bytes"], 8);
    chain.ends().await;
}

#[tokio::test]
async fn what_the_store_never_takes_is_in_the_file_and_is_not_asked_for() {
    let chain = Chain::start(10, &[3], |request, _| sound(request)).await;
    chain.settles().await;
    let letters = letters(&chain);
    assert_eq!(letters.len(), 1);
    assert!(letters[0]["topic"].as_str().unwrap().ends_with("bad-3"));
    chain.announce(JOURNAL, 1, 11).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [11..=11]));
    chain.ends().await;
}

#[tokio::test]
async fn a_message_that_is_no_reading_but_names_its_place_is_not_asked_for() {
    let chain = Chain::start(5, &[], |request, _| sound(request)).await;
    chain.settles().await;
    let payload = format!(r#"{{"journal":"{JOURNAL}","seq":6,"power_w":"much"}}"#);
    let topic = format!("envoy/{ENVOY}/backlog/inverters/i");
    chain.say(&topic, &payload, false).await;
    chain.announce(JOURNAL, 1, 7).await;
    chain.until(|state| !state.requests.is_empty()).await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [7..=7]));
    let marks = fs::read_to_string(chain.state_file("marks-receiver.json")).unwrap();
    assert!(marks.contains("[1,6]"), "{marks}");
    // Retained, it comes again with each connection.
    chain.say(&topic, &payload, true).await;
    chain.until(|state| state.others.len() == 3).await;
    assert_eq!(letters(&chain).len(), 1);
    chain.ends().await;
}

#[tokio::test]
async fn an_announcement_that_is_nonsense_is_refused_like_any_message() {
    let chain = Chain::start(5, &[], |request, _| sound(request)).await;
    let nonsense = r#"{"instance":"p7","journals":[{"id":"j","first":9,"last":3}],"waiting":0}"#;
    chain
        .say(&format!("envoy/{ENVOY}/journal"), nonsense, true)
        .await;
    chain.until(|state| state.others.len() == 1).await;
    let reason = letters(&chain)[0]["reason"].to_string();
    assert!(reason.contains("not an announcement"), "{reason}");
    chain.ends().await;
}

#[tokio::test]
async fn a_flood_is_acknowledged_and_the_files_stay_small() {
    const MESSAGES: usize = 3_000;
    const MOST: u64 = 1024 * 1024;
    let chain = Chain::start(5, &[], |request, _| sound(request)).await;
    let payload = "x".repeat(2_000);
    for number in 0..MESSAGES {
        let topic = format!("envoy/{ENVOY}/inverters/i{number}");
        chain.say(&topic, &payload, false).await;
    }
    chain.until(|state| state.others.len() == MESSAGES).await;
    for name in [FILE.to_owned(), format!("{FILE}.1")] {
        let length = fs::metadata(chain.state_file(&name)).unwrap().len();
        assert!(length <= MOST, "{name}: {length}");
    }
    let newest = letters(&chain).pop().unwrap();
    assert!(newest["topic"].as_str().unwrap().ends_with("/i2999"));
    let names = fs::read_dir(chain.state_file("")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4, "two of letters, marks, lock: {names:?}");
    chain.ends().await;
}
