//! What becomes of a daemon whose log nobody reads any more.

use std::process::{Command, Stdio};
use std::time::Duration;

use rig::gateway::Gateway;
use rig::programs::Binary;
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
