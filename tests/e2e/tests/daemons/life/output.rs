//! What is printed: whose reader goes away, and whose reader is a machine.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use rig::gateway::Gateway;
use rig::programs::{Binary, Start};
use rig::wait;
use rustix::process::{Pid, Signal, kill_process};

use super::surroundings::ENVOY;

const DEADLINE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_daemon_outlives_the_reader_of_its_log() {
    let envoy = Gateway::start(&["--serial", ENVOY, "--firmware", "5.0.62"]).await;
    let mut scraper = Command::new(Binary::Scraper.path())
        .env_clear()
        .env("ENVOY_HOST", envoy.url())
        .env("MQTT_URL", "mqtt://127.0.0.1:1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(scraper.stderr.take());
    // It has said by then which Envoy it found, and that there is no broker.
    wait::until_true("the Envoy to be asked", DEADLINE, async || {
        !envoy.ledger().is_empty()
    })
    .await;
    kill_process(Pid::from_child(&scraper), Signal::TERM).expect("it still runs");
    let status = wait::until("the end of the scraper", DEADLINE, async || {
        scraper.try_wait().expect("a child can be waited for")
    })
    .await;
    assert_eq!(status.code(), Some(0), "{status}");
}

#[test]
fn in_a_log_of_json_the_reason_of_the_end_is_json_too() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let standalone = Start::new(Binary::Standalone)
        .args(["--broker-listen", &address, "--state-dir"])
        .arg(directory.path());

    let ended = standalone.clone().env("LOG_FORMAT", "json").to_end();
    assert_eq!(ended.status.code(), Some(1));
    let text = String::from_utf8(ended.stderr).expect("text");
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let last = events.last().expect("an event");
    assert_eq!(last["level"], "ERROR", "{last}");
    let said = last["fields"]["message"].as_str().expect("a message");
    assert!(said.contains(&address), "{said}");

    // Without any event the reason is not lost.
    let silent = standalone.env("LOG_FORMAT", "json").env("RUST_LOG", "off");
    let text = String::from_utf8(silent.to_end().stderr).expect("text");
    assert_eq!(text, format!("error: {said}\n"));
}

#[test]
fn a_result_that_nobody_reads_is_an_error_and_no_panic() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = Command::new(Binary::Scraper.path())
        .args(["password", ENVOY])
        .stdout(writer)
        .output()
        .expect("the program starts");
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).expect("text");
    assert!(
        said.contains("Broken pipe") && !said.contains("panicked"),
        "{said}"
    );
}

#[tokio::test]
async fn the_single_process_needs_nobody_who_reads_what_it_shows() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = directory.path().join("log");
    let mut standalone = Command::new(Binary::Standalone.path())
        .env_clear()
        .args(["--broker-listen", "127.0.0.1:0", "--state-dir"])
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(std::fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("the program starts");
    wait::until_true("its parts to be connected", DEADLINE, async || {
        let said = std::fs::read_to_string(&log).expect("a log");
        said.contains("connected to the broker")
    })
    .await;
    kill_process(Pid::from_child(&standalone), Signal::TERM).expect("it still runs");
    let status = wait::until("the end", DEADLINE, async || {
        standalone.try_wait().expect("a child can be waited for")
    })
    .await;
    assert_eq!(status.code(), Some(0), "{status}");
}
