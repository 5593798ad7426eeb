//! A receiver that dies at the worst moment, or loses what it knew, and a store that loses what it had.

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::programs::Program;
use rig::tap::Answers;
use rig::wait;

use crate::{ARRIVAL, caught_up, ends_with, gateway, holds, more_was_shown};

/// A chain that runs and has caught up.
struct Running {
    chain: Chain,
    gateway: Gateway,
    scraper: Program,
    receiver: Program,
}

impl Running {
    async fn start(test: &str, envoy: &str) -> Option<Self> {
        let chain = Chain::start(test, &[envoy]).await?;
        let gateway = gateway(envoy, "8.3.5169").await;
        let receiver = chain.receiver().spawn();
        let scraper = chain.scraper(&gateway, envoy).spawn();
        more_was_shown(&gateway).await;
        caught_up(&chain, &gateway).await;
        Some(Self {
            chain,
            gateway,
            scraper,
            receiver,
        })
    }

    /// Everything is stored in the end, and the plain topics show the newest.
    async fn ends(mut self) {
        ends_with(&self.chain, self.gateway.stop().await.ledger()).await;
        assert!(self.scraper.terminate().await.success());
    }
}

#[tokio::test]
async fn a_receiver_killed_between_write_and_acknowledgement_loses_nothing() {
    let test = "a receiver killed between write and acknowledgement loses nothing";
    let Some(running) = Running::start(test, "202400000037").await else {
        return;
    };
    let tap = &running.chain.tap;
    tap.answers(Answers::Held);
    let written = tap.lines().len();
    wait::until_true("a write without an answer", ARRIVAL, async || {
        tap.lines().len() > written
    })
    .await;
    running.receiver.kill();
    tap.answers(Answers::Passed);
    let receiver = running.chain.receiver().spawn();
    more_was_shown(&running.gateway).await;
    Running {
        receiver,
        ..running
    }
    .ends()
    .await;
}

#[tokio::test]
async fn a_receiver_that_has_lost_its_state_fetches_everything_once_more() {
    let test = "a receiver that has lost its state fetches everything once more";
    let Some(mut running) = Running::start(test, "202400000038").await else {
        return;
    };
    let chain = &running.chain;
    assert!(running.receiver.terminate().await.success());
    std::fs::remove_dir_all(chain.state("e2e")).expect("the receiver has made it");
    chain.influx.empty(chain.bucket()).await;
    running.receiver = chain.receiver().spawn();
    running.ends().await;
}

#[tokio::test]
async fn a_refill_beside_a_running_receiver_and_one_before_its_start_fill_an_emptied_database() {
    let test =
        "a refill beside a running receiver and one before its start fill an emptied database";
    let Some(mut running) = Running::start(test, "202400000039").await else {
        return;
    };
    let chain = &running.chain;
    chain.influx.empty(chain.bucket()).await;
    refill(chain).await;
    running.receiver.stderr_line("refilling").await;
    holds(chain, &running.gateway.ledger()).await;

    assert!(running.receiver.terminate().await.success());
    chain.influx.empty(chain.bucket()).await;
    refill(chain).await;
    running.receiver = chain.receiver().spawn();
    running.ends().await;
}

async fn refill(chain: &Chain) {
    let mut refill: Program = chain.receiver().arg("refill").spawn();
    assert!(refill.ended().await.success(), "{:?}", refill.stderr());
}
