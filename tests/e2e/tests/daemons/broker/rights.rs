//! Rights that are taken away in the middle of a connection, and given back: Mosquitto acknowledges
//! and drops what is published meanwhile.

use std::collections::BTreeMap;

use rig::chain::newest;
use rig::ledger::Report;
use rig::programs::Binary;
use rig::servers::Client;
use rig::wait;

use super::{ARRIVAL, INVERTERS, Site, arrived, count, gateway, more_was_shown};

#[tokio::test]
async fn a_scraper_whose_rights_are_taken_away_says_so_and_loses_nothing_once_they_are_back() {
    let test = "a scraper whose rights are taken away says so and loses nothing";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let subscriber = site.subscriber().await;
    let envoy = gateway().await;
    let mut scraper = site.scraper(envoy.reader(Binary::Scraper)).spawn();
    more_was_shown(&envoy).await;
    arrived(&subscriber, &envoy.ledger()).await;

    let wrong = site.scraper.clone().with_topic("other");
    site.broker.set_account(&wrong).await;
    more_was_shown(&envoy).await;
    scraper.stderr_line("not allowed to publish").await;
    more_was_shown(&envoy).await;
    let shown = envoy.stop().await.ledger();

    site.broker.set_account(&site.scraper).await;
    scraper.stderr_line("the broker lets us publish now").await;
    arrived(&subscriber, &shown).await;
    let newest = newest(&shown);
    wait::until_true("the newest on the plain topics", ARRIVAL, async || {
        plain(&site).await == newest
    })
    .await;

    assert!(scraper.terminate().await.success());
    assert_eq!(count(&scraper, "not allowed to publish"), 1);
    assert_eq!(
        count(&scraper, "connected to the broker"),
        1,
        "all of it on one connection"
    );
    assert_eq!(count(&scraper, "stopped with readings"), 0);
}

#[tokio::test]
async fn a_receiver_whose_rights_are_taken_away_says_so_until_they_are_back() {
    let test = "a receiver whose rights are taken away says so until they are back";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let mut receiver = site.receiver().spawn();
    receiver.stderr_line("connected to the broker").await;

    let wrong = site.receiver.clone().with_topic("other");
    site.broker.set_account(&wrong).await;
    let line = receiver.stderr_line("not allowed to publish").await;
    assert!(line.contains("mosquitto/account receiver NAME"), "{line}");

    site.broker.set_account(&site.receiver).await;
    receiver.stderr_line("the broker lets us publish now").await;
    assert!(receiver.terminate().await.success());
    assert_eq!(count(&receiver, "not allowed to publish"), 1);
    assert_eq!(
        count(&receiver, "connected to the broker"),
        1,
        "all of it on one connection"
    );
}

/// What the plain topic of each inverter shows to a new subscriber.
async fn plain(site: &Site) -> BTreeMap<String, Report> {
    let subscriber = Client::connect(&site.broker, &site.reader, Some("envoy/+/inverters/+"))
        .await
        .expect("the reader has an account");
    let seen = subscriber
        .wait_for("the retained readings", ARRIVAL, |seen| {
            seen.len() >= INVERTERS
        })
        .await;
    seen.iter()
        .map(|seen| (seen.topic.clone(), Report::published(seen.text())))
        .collect()
}
