//! A receiver that dies at the worst moment, or loses what it knew, and a store that loses what it had.

use rig::chain::Chain;
use rig::programs::Program;
use rig::wait;

use crate::{ARRIVAL, caught_up, ends_with, gateway, holds, more_was_shown};

#[tokio::test]
async fn a_receiver_killed_between_write_and_acknowledgement_loses_nothing() {
    let envoy = "202400000037";
    let test = "a receiver killed between write and acknowledgement loses nothing";
    let Some(chain) = Chain::start(test, &[envoy]).await else {
        return;
    };
    let gateway = gateway(envoy, "8.3.5169").await;
    let receiver = chain.receiver().spawn();
    let mut scraper = chain.scraper(&gateway, envoy).spawn();
    more_was_shown(&gateway).await;
    caught_up(&chain, &gateway).await;

    chain.tap.hold_answers();
    let written = chain.tap.lines().len();
    wait::until_true("a write without an answer", ARRIVAL, async || {
        chain.tap.lines().len() > written
    })
    .await;
    receiver.kill();
    chain.tap.let_answers_go();
    let _receiver = chain.receiver().spawn();
    more_was_shown(&gateway).await;
    ends_with(&chain, gateway.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn a_receiver_that_has_lost_its_state_fetches_everything_once_more() {
    let envoy = "202400000038";
    let test = "a receiver that has lost its state fetches everything once more";
    let Some(chain) = Chain::start(test, &[envoy]).await else {
        return;
    };
    let gateway = gateway(envoy, "8.3.5169").await;
    let mut receiver = chain.receiver().spawn();
    let mut scraper = chain.scraper(&gateway, envoy).spawn();
    more_was_shown(&gateway).await;
    caught_up(&chain, &gateway).await;

    assert!(receiver.terminate().await.success());
    std::fs::remove_dir_all(chain.state("e2e")).expect("the receiver has made it");
    chain.influx.empty(chain.bucket()).await;
    let _receiver = chain.receiver().spawn();
    ends_with(&chain, gateway.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn a_refill_beside_a_running_receiver_and_one_before_its_start_fill_an_emptied_database() {
    let envoy = "202400000039";
    let test =
        "a refill beside a running receiver and one before its start fill an emptied database";
    let Some(chain) = Chain::start(test, &[envoy]).await else {
        return;
    };
    let gateway = gateway(envoy, "8.3.5169").await;
    let mut receiver = chain.receiver().spawn();
    let mut scraper = chain.scraper(&gateway, envoy).spawn();
    more_was_shown(&gateway).await;
    caught_up(&chain, &gateway).await;

    chain.influx.empty(chain.bucket()).await;
    refill(&chain).await;
    receiver.stderr_line("refilling").await;
    holds(&chain, &gateway.ledger()).await;

    assert!(receiver.terminate().await.success());
    chain.influx.empty(chain.bucket()).await;
    refill(&chain).await;
    let _receiver = chain.receiver().spawn();
    ends_with(&chain, gateway.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
}

async fn refill(chain: &Chain) {
    let mut refill: Program = chain.receiver().arg("refill").spawn();
    assert!(refill.ended().await.success(), "{:?}", refill.stderr());
}
