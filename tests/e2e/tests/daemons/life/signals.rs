//! A signal ends each program in time, whatever it waits for; a second one at once.

use std::time::Instant;

use rig::programs::{Binary, Program, Signal, Start};
use scripted::broker::Broker;

use super::surroundings::{
    ENVOY, Hanging, code, deliver_reading, next, receiver, scraper, standalone,
};

/// Asks all of these to end, and looks that each does with code 0.
async fn all_end(programs: &mut [Program], signal: Signal) {
    let asked = Instant::now();
    for program in &*programs {
        program.signal(signal);
    }
    for program in programs {
        assert_eq!(code(program, asked).await, Some(0));
    }
}

async fn each_program_ends_at(signal: Signal) {
    let (envoy, broker, influx) =
        tokio::join!(Hanging::start(), Hanging::start(), Hanging::start());
    let other_envoy = Hanging::start().await;
    let url = format!("mqtt://{}", broker.address);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut programs = [
        Start::new(Binary::Simulator).spawn(),
        scraper(&envoy, &url, Some(ENVOY)).spawn(),
        receiver(&url, &influx).spawn(),
        standalone(&other_envoy, directory.path()).spawn(),
    ];
    programs[0].stdout_line("listening on").await;
    programs[2].stderr_line("storing readings").await;
    tokio::join!(
        envoy.was_asked(),
        other_envoy.was_asked(),
        broker.was_asked()
    );
    all_end(&mut programs, signal).await;
}

#[tokio::test]
async fn sigterm_ends_each_program_in_mid_poll_and_while_the_broker_hangs() {
    each_program_ends_at(Signal::TERM).await;
}

#[tokio::test]
async fn sigint_ends_each_program_in_mid_poll_and_while_the_broker_hangs() {
    each_program_ends_at(Signal::INT).await;
}

#[tokio::test]
async fn a_scraper_that_waits_for_the_envoy_to_say_who_it_is_ends_at_a_signal() {
    let envoy = Hanging::start().await;
    // Nobody listens at port 9, and nothing is published before the Envoy's first answer.
    let program = scraper(&envoy, "mqtt://127.0.0.1:9", None).spawn();
    envoy.was_asked().await;
    all_end(&mut [program], Signal::TERM).await;
}

#[tokio::test]
async fn a_second_signal_ends_a_daemon_at_once_with_code_1() {
    let (broker, influx) = (Broker::bind().await, Hanging::start().await);
    let mut program = receiver(&broker.url(), &influx).spawn();
    let mut peer = broker.welcome(false).await;
    assert!(next(&mut peer).await.is_ok(), "it says that it is online");
    deliver_reading(&mut peer, 1).await;
    influx.was_asked().await;

    let asked = Instant::now();
    program.signal(Signal::TERM);
    program.stderr_line("a second signal ends at once").await;
    program.signal(Signal::INT);
    assert_eq!(code(&mut program, asked).await, Some(1));
    let last = program.stderr();
    // It waits for its store for two seconds, and says so if it may.
    let finished = last.iter().any(|line| line.contains("stopped before"));
    assert!(!finished, "{last:?}");
}
