//! A broker that has acknowledged readings and then has them no more. The receiver finds out and asks.

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::programs::Program;
use rig::servers::{Configuration, Login};

use crate::{caught_up, ends_with, gateway, more_was_shown, reached_the_broker};

/// A chain that has caught up, whose receiver has died, and whose broker has taken readings since.
struct Ahead {
    chain: Chain,
    envoy: Gateway,
    scraper: Program,
}

impl Ahead {
    async fn start(test: &str, envoy: &str, configuration: &Configuration) -> Option<Self> {
        let chain = Chain::start_with(test, &[envoy], configuration).await?;
        let gateway = gateway(envoy, "8.3.5169").await;
        let receiver = chain.receiver().spawn();
        chain.online("envoy-receiver/e2e/status").await;
        let scraper = chain.scraper(&gateway, envoy).spawn();
        more_was_shown(&gateway).await;
        caught_up(&chain, &gateway).await;
        // An orderly end writes its state, with the receiver's session.
        chain.broker.stop().await;
        chain.broker.start_again().await;
        more_was_shown(&gateway).await;
        caught_up(&chain, &gateway).await;
        receiver.kill();
        more_was_shown(&gateway).await;
        reached_the_broker(&chain, &gateway.ledger()).await;
        Some(Self {
            chain,
            envoy: gateway,
            scraper,
        })
    }

    /// The receiver is back: everything arrives, and it says what it did.
    async fn ends(self) {
        let mut receiver = self.chain.receiver().spawn();
        receiver.stderr_line("they are asked for").await;
        let shown = self.envoy.stop().await.ledger();
        ends_with(&self.chain, shown).await;
        receiver
            .stderr_line("all that was missing is in the store")
            .await;
        let mut scraper = self.scraper;
        assert!(scraper.terminate().await.success());
        assert!(receiver.terminate().await.success());
    }
}

/// One that writes its state to disk in good order only, as between two automatic saves.
fn forgetful() -> Configuration {
    Configuration::shipped().with("autosave_interval", "3600")
}

#[tokio::test]
async fn a_broker_killed_with_9_is_rolled_back_and_what_it_forgot_is_asked_for() {
    let test = "a broker killed with 9 is rolled back and what it forgot is asked for";
    let Some(ahead) = Ahead::start(test, "202400000031", &forgetful()).await else {
        return;
    };
    ahead.chain.broker.kill().await;
    ahead.chain.broker.start_again().await;
    ahead.ends().await;
}

#[tokio::test]
async fn a_broker_that_comes_back_with_an_empty_disk_costs_nothing() {
    let test = "a broker that comes back with an empty disk costs nothing";
    let Some(ahead) = Ahead::start(test, "202400000032", &Configuration::shipped()).await else {
        return;
    };
    ahead.chain.broker.kill().await;
    ahead.chain.broker.empty_disk();
    ahead.chain.broker.start_again().await;
    ahead.ends().await;
}

#[tokio::test]
async fn a_receiver_that_is_back_after_the_end_of_its_session_lacks_nothing() {
    let test = "a receiver that is back after the end of its session lacks nothing";
    let Some(ahead) = Ahead::start(test, "202400000072", &Configuration::shipped()).await else {
        return;
    };
    // Who asks for no session ends the one that was there, as its time would: that is an hour at least.
    let receiver = ahead.chain.receiver_account();
    let login = || Login::new(&ahead.chain.broker, receiver).id("envoy-receiver-e2e");
    let nothing_kept = login().connect().await.expect("the account may log in");
    nothing_kept.leave().await;
    assert_eq!(
        ahead.chain.broker.session_ends("envoy-receiver-e2e").await,
        None
    );
    ahead.ends().await;
}

#[tokio::test]
async fn a_queue_of_twenty_that_overflows_while_the_receiver_is_away_costs_nothing() {
    let test = "a queue of twenty that overflows while the receiver is away costs nothing";
    let short = Configuration::shipped()
        .with("max_queued_messages", "20")
        .with("max_inflight_messages", "20");
    let Some(ahead) = Ahead::start(test, "202400000033", &short).await else {
        return;
    };
    ahead.ends().await;
}

#[tokio::test]
async fn the_last_readings_of_the_day_are_asked_for_though_nothing_comes_after_them() {
    let test = "the last readings of the day are asked for though nothing comes after them";
    let Some(ahead) = Ahead::start(test, "202400000034", &forgetful()).await else {
        return;
    };
    // Night: the Envoy says nothing new any more.
    ahead.envoy.inject("refuse").await;
    ahead
        .scraper
        .stderr_line("the Envoy's readings can't be had")
        .await;
    reached_the_broker(&ahead.chain, &ahead.envoy.ledger()).await;
    ahead.chain.broker.kill().await;
    ahead.chain.broker.start_again().await;
    ahead.ends().await;
}
