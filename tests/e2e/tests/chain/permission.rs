//! A broker that acknowledges what the scraper publishes, and drops it.

use rig::chain::Chain;

use crate::{caught_up, ends_with, gateway, more_was_shown};

const ENVOY: &str = "202400000005";

#[tokio::test]
async fn a_scraper_that_may_not_publish_says_so_and_keeps_its_readings_until_it_may() {
    let test = "a scraper that may not publish says so and keeps its readings until it may";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let right = chain.scraper_account(ENVOY).clone();
    let wrong = right.clone().with_topic("other");
    chain.broker.set_account(&wrong).await;
    let _receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let envoy = gateway(ENVOY, "8.3.5169").await;
    let mut scraper = chain.scraper(&envoy, ENVOY).spawn();

    scraper.stderr_line("not allowed to publish").await;
    more_was_shown(&envoy).await;
    assert_eq!(chain.stored().await, [], "nothing gets through");

    chain.broker.set_account(&right).await;
    caught_up(&chain, &envoy).await;
    ends_with(&chain, envoy.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
    let errors = scraper.stderr();
    let said = errors.iter().filter(|line| line.contains("not allowed"));
    assert_eq!(said.count(), 1, "{errors:?}");
}
