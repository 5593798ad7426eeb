//! The chain end to end: two simulated Envoys, two scrapers, the real broker with the shipped
//! configuration and accounts, one receiver, the real database.

use std::time::Duration;

use rig::chain::{Chain, newest};
use rig::gateway::Gateway;
use rig::ledger::Report;
use rig::programs::Program;
use rig::wait;

/// A simulated day takes half a minute; this leaves room on a machine that builds beside it.
const A_DAY: Duration = Duration::from_mins(3);

/// Until what has just happened is in the database.
const ARRIVAL: Duration = Duration::from_mins(1);

const OLD: &str = "121500000001";
const NEW: &str = "202400000002";
const INVERTERS: usize = 30;
const DAWN: &str = "2026-06-20T03:00:00Z";

async fn gateway(serial: &str, firmware: &str) -> Gateway {
    let inverters = INVERTERS.to_string();
    Gateway::start(
        &[
            ["--serial", serial],
            ["--firmware", firmware],
            ["--report-interval", "900"],
            ["--inverters", &inverters],
            ["--ghosts", "1"],
            ["--start", DAWN],
            ["--speed", "2880"],
        ]
        .concat(),
    )
    .await
}

#[tokio::test]
async fn a_day_of_two_envoys_is_in_the_database_as_it_was_shown() {
    let test = "a day of two envoys is in the database as it was shown";
    let Some(chain) = Chain::start(test, &[OLD, NEW]).await else {
        return;
    };
    let receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let old = gateway(OLD, "5.0.62").await;
    let new = gateway(NEW, "8.3.5169").await;
    let scrapers = [
        chain.scraper(&old, OLD).spawn(),
        chain.scraper(&new, NEW).spawn(),
    ];

    wait::until_true("the next morning's reports", A_DAY, async || {
        reaches_the_next_morning(&old.ledger()) && reaches_the_next_morning(&new.ledger())
    })
    .await;
    let mut shown = [old.stop().await, new.stop().await].concat();
    shown.sort();
    wait::until_true("as many readings in the database", ARRIVAL, async || {
        chain.stored().await.len() >= shown.len()
    })
    .await;

    assert_eq!(chain.stored().await, shown);
    assert_eq!(
        chain.tap.lines().len(),
        shown.len(),
        "each was written once"
    );
    assert_eq!(chain.shown(2 * INVERTERS).await, newest(&shown));

    for program in scrapers.into_iter().chain([receiver]) {
        assert!(program.terminate().await.success());
    }
    let statuses = chain.retained("envoy/+/status", 2).await;
    assert!(
        statuses.iter().all(|status| status.text() == "offline"),
        "they said good-bye: {statuses:?}"
    );
}

/// The first answer shows what was frozen at the dusk before the simulation began, so only a day
/// after its beginning has a whole day been seen.
fn reaches_the_next_morning(reports: &[Report]) -> bool {
    let dawn: jiff::Timestamp = DAWN.parse().expect("a time");
    let morning = dawn.as_second() + 24 * 3600;
    reports.iter().any(|report| report.reported_at > morning)
}

#[tokio::test]
async fn a_chain_whose_parts_go_away_one_after_the_other_heals_by_itself() {
    let test = "a chain whose parts go away one after the other heals by itself";
    let Some(chain) = Chain::start_own(test, &[NEW]).await else {
        return;
    };
    let envoy = gateway(NEW, "8.3.5169").await;
    let mut receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let mut scraper = chain.scraper(&envoy, NEW).spawn();
    caught_up(&chain, &envoy).await;

    chain.broker.stop().await;
    more_was_shown(&envoy).await;
    chain.broker.start_again().await;
    caught_up(&chain, &envoy).await;

    receiver.kill();
    more_was_shown(&envoy).await;
    receiver = chain.receiver().spawn();
    caught_up(&chain, &envoy).await;

    chain.influx.kill().await;
    more_was_shown(&envoy).await;
    chain.influx.start_again().await;
    caught_up(&chain, &envoy).await;

    end(scraper).await;
    scraper = chain.scraper(&envoy, NEW).spawn();
    more_was_shown(&envoy).await;
    caught_up(&chain, &envoy).await;

    let shown = envoy.stop().await;
    wait::until_true(
        "the newest readings on the plain topics",
        ARRIVAL,
        async || chain.shown(INVERTERS).await == newest(&shown),
    )
    .await;
    end(scraper).await;
    end(receiver).await;
}

async fn end(program: Program) {
    assert!(program.terminate().await.success());
}

/// Waits until there are reports that were not shown before, of which most are of another time.
async fn more_was_shown(envoy: &Gateway) {
    let before = envoy.ledger().len();
    wait::until_true("further reports", A_DAY, async || {
        envoy.ledger().len() >= before + 2 * INVERTERS
    })
    .await;
}

/// Waits until the database holds everything that was shown until now.
async fn caught_up(chain: &Chain, envoy: &Gateway) {
    let mut shown = envoy.ledger();
    shown.sort();
    wait::until_true("all that was shown in the database", ARRIVAL, async || {
        let stored = chain.stored().await;
        shown
            .iter()
            .all(|report| stored.binary_search(report).is_ok())
    })
    .await;
}
