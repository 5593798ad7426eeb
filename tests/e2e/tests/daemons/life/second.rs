//! A second daemon on the state of the first.

use std::path::Path;

use rig::programs::Start;

use super::surroundings::{Hanging, receiver};

fn on(directory: &Path, name: &str, influx: &Hanging) -> Start {
    // Nothing listens there: a receiver waits for its broker.
    receiver("mqtt://127.0.0.1:1", influx)
        .env("STATE_DIR", directory)
        .env("RECEIVER_NAME", name)
}

#[tokio::test]
async fn a_second_receiver_on_the_marks_of_the_first_says_so_and_does_not_start() {
    let influx = Hanging::start().await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let state = folder.path().join("state");
    let first = on(&state, "r", &influx).spawn();
    first.stderr_line("storing readings").await;

    let mut second = on(&state, "r", &influx).spawn();
    assert_eq!(second.ended().await.code(), Some(1));
    let said = second.stderr().join("\n");
    for words in [
        "another receiver with the name 'r'",
        &state.display().to_string(),
        "--state-dir",
        "--name",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said:?}");
    }
    assert!(!said.contains("storing readings"), "{said}");

    // One with another name, and one with another directory, have marks of their own.
    for other in [on(&state, "s", &influx), on(folder.path(), "r", &influx)] {
        let mut other = other.spawn();
        other.stderr_line("storing readings").await;
        assert!(other.terminate().await.success());
    }

    // What a killed one held is free.
    first.kill();
    let next = on(&state, "r", &influx).spawn();
    next.stderr_line("storing readings").await;
}
