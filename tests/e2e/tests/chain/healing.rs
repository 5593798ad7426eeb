//! Every part goes away once, and comes back.

use rig::chain::Chain;
use rig::ledger::Report;

use crate::{caught_up, ends_with, gateway, more_was_shown, reached_the_broker};

const ENVOY: &str = "202400000003";

/// How much later than its last report the Envoy comes back, by its own clock, in seconds: the
/// reports of two rounds were never shown to anybody.
const ENVOY_AWAY_S: i64 = 1800;

#[tokio::test]
async fn a_chain_whose_parts_go_away_one_after_the_other_heals_by_itself() {
    let test = "a chain whose parts go away one after the other heals by itself";
    let Some(chain) = Chain::start_own(test, &[ENVOY]).await else {
        return;
    };
    let envoy = gateway(ENVOY, "8.3.5169").await;
    let mut receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let mut scraper = chain.scraper(&envoy, ENVOY).spawn();
    caught_up(&chain, &envoy).await;

    chain.broker.stop().await;
    more_was_shown(&envoy).await;
    chain.broker.start_again().await;
    caught_up(&chain, &envoy).await;

    receiver.kill();
    more_was_shown(&envoy).await;
    receiver = chain.receiver().spawn();
    caught_up(&chain, &envoy).await;

    // What the broker gave to a receiver that could not store it, and then died, is given again.
    chain.influx.kill().await;
    more_was_shown(&envoy).await;
    reached_the_broker(&chain, &envoy.ledger()).await;
    receiver.kill();
    chain.influx.start_again().await;
    receiver = chain.receiver().spawn();
    caught_up(&chain, &envoy).await;

    assert!(scraper.terminate().await.success());
    scraper = chain.scraper(&envoy, ENVOY).spawn();
    more_was_shown(&envoy).await;
    caught_up(&chain, &envoy).await;

    let stopped = envoy.stop().await;
    scraper
        .stderr_line("the Envoy's readings can't be had")
        .await;
    let beginning = a_while_after(&stopped.ledger());
    let envoy = stopped.start_again(beginning).await;
    more_was_shown(&envoy).await;

    ends_with(&chain, envoy.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
    assert!(receiver.terminate().await.success());
}

fn a_while_after(shown: &[Report]) -> jiff::Timestamp {
    let newest = shown.iter().map(|report| report.reported_at).max();
    let beginning = newest.expect("something was shown") + ENVOY_AWAY_S;
    jiff::Timestamp::from_second(beginning).expect("a time")
}
