//! What the single process's page is told while there is nothing to show.

use rig::programs::{Binary, Start};
use rig::wait;

use crate::ARRIVAL;
use crate::health::get;

/// A port on which nothing listens: nobody but the system may.
const NO_ENVOY: &str = "127.0.0.1:1";

#[tokio::test]
async fn the_page_of_an_envoy_that_does_not_answer_says_why_in_the_words_of_check() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut program = Start::new(Binary::Standalone)
        .args(["--envoy", NO_ENVOY, "--page", "127.0.0.1:0"])
        .args(["--broker-listen", "127.0.0.1:0", "--state-dir"])
        .arg(directory.path())
        .spawn();
    let line = program.stdout_line("page  ").await;
    let (_, page) = line.split_once("http://").expect("its address");
    wait::until_true("the reason on the page", ARRIVAL, async || {
        let (_, now) = get(page, "/api/v1/now").await.expect("it serves");
        let now: serde_json::Value = serde_json::from_str(&now).expect("JSON");
        let status = now["status"].as_str().expect("a text");
        status.contains("nothing listens there")
    })
    .await;
    assert!(program.terminate().await.success());
}
