//! A scraper that had no chance to finish anything. What it had in its memory may be lost.

use rig::chain::{Chain, newest};
use rig::wait;

use crate::{ARRIVAL, INVERTERS, caught_up, gateway, holds, more_was_shown, reached_the_broker};

const ENVOY: &str = "202400000004";

#[tokio::test]
async fn a_killed_scraper_goes_on_with_what_the_envoy_shows_when_it_is_back() {
    let test = "a killed scraper goes on with what the envoy shows when it is back";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let _receiver = chain.receiver().spawn();
    let envoy = gateway(ENVOY, "8.3.5169").await;
    let scraper = chain.scraper(&envoy, ENVOY).spawn();
    more_was_shown(&envoy).await;
    caught_up(&chain, &envoy).await;

    scraper.kill();
    let mut scraper = chain.scraper(&envoy, ENVOY).spawn();
    more_was_shown(&envoy).await;
    // What comes after these was shown to the new one alone.
    let known = envoy.ledger();
    reached_the_broker(&chain, &known).await;
    more_was_shown(&envoy).await;

    let shown = envoy.stop().await.ledger();
    wait::until_true("the newest of each inverter", ARRIVAL, async || {
        chain.shown(INVERTERS).await == newest(&shown)
    })
    .await;
    holds(&chain, &shown[known.len()..]).await;
    assert!(scraper.terminate().await.success());
}
