//! What the scraper's journal keeps, and what it does without one.

use std::path::Path;

use rig::chain::Chain;

use crate::{caught_up, ends_with, gateway, holds, more_was_shown};

#[tokio::test]
async fn a_scraper_killed_between_journal_and_publish_publishes_it_after_its_next_start() {
    let envoy = "202400000035";
    let test = "a scraper killed between journal and publish publishes it after its next start";
    let Some(chain) = Chain::start_own(test, &[envoy]).await else {
        return;
    };
    let gateway = gateway(envoy, "8.3.5169").await;
    let _receiver = chain.receiver().spawn();
    let scraper = chain.scraper(&gateway, envoy).spawn();
    more_was_shown(&gateway).await;
    caught_up(&chain, &gateway).await;

    chain.broker.stop().await;
    more_was_shown(&gateway).await;
    gateway.inject("refuse").await;
    // What was shown before is in the journal once it asks again in vain.
    scraper
        .stderr_line("the Envoy's readings can't be had")
        .await;
    scraper.kill();
    chain.broker.start_again().await;

    // The Envoy is away: the journal knows whose readings these are.
    let mut scraper = chain.scraper(&gateway, envoy).spawn();
    holds(&chain, &gateway.ledger()).await;
    gateway.heal().await;
    more_was_shown(&gateway).await;
    ends_with(&chain, gateway.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn a_state_directory_that_is_removed_under_the_scraper_takes_no_reading_with_it() {
    let envoy = "202400000071";
    let test = "a state directory that is removed under the scraper takes no reading with it";
    let Some(chain) = Chain::start_own(test, &[envoy]).await else {
        return;
    };
    let gateway = gateway(envoy, "8.3.5169").await;
    let _receiver = chain.receiver().spawn();
    let scraper = chain.scraper(&gateway, envoy).spawn();
    more_was_shown(&gateway).await;
    caught_up(&chain, &gateway).await;

    chain.broker.stop().await;
    more_was_shown(&gateway).await;
    remove_at_once(&chain.state(envoy));
    let removed = "was removed or replaced under the running scraper";
    let said = scraper.stderr_line(removed).await;
    assert!(said.contains("ERROR"), "{said}");
    more_was_shown(&gateway).await;
    gateway.inject("refuse").await;
    scraper
        .stderr_line("the Envoy's readings can't be had")
        .await;
    let printed = scraper.stderr();
    let said = printed.iter().filter(|line| line.contains(removed));
    assert_eq!(said.count(), 1, "{printed:#?}");
    scraper.kill();
    chain.broker.start_again().await;
    gateway.heal().await;

    let mut scraper = chain.scraper(&gateway, envoy).spawn();
    more_was_shown(&gateway).await;
    ends_with(&chain, gateway.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn a_scraper_whose_journal_can_not_be_written_says_so_and_goes_on_in_memory() {
    let envoy = "202400000036";
    let test = "a scraper whose journal can not be written says so and goes on in memory";
    let Some(chain) = Chain::start(test, &[envoy]).await else {
        return;
    };
    let gateway = gateway(envoy, "8.3.5169").await;
    let _receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let mut scraper = chain
        .scraper(&gateway, envoy)
        .env("STATE_DIR", "/proc/nowhere")
        .spawn();
    let said = scraper.stderr_line("ERROR").await;
    assert!(said.contains("/proc/nowhere"), "{said}");
    more_was_shown(&gateway).await;
    ends_with(&chain, gateway.stop().await.ledger()).await;
    assert!(scraper.terminate().await.success());
}

/// Removes a directory in which the scraper may make files at any time: removed file by file, it
/// could have a new one before its turn came.
fn remove_at_once(directory: &Path) {
    let aside = directory.with_extension("removed");
    std::fs::rename(directory, &aside).expect("the directory goes aside");
    std::fs::remove_dir_all(aside).expect("nobody writes there any more");
}
