//! The chain end to end: simulated Envoys, scrapers, the real broker with the shipped configuration
//! and accounts, a receiver, the real database.
//!
//! One program for all of these tests, so that they run side by side.

mod broker_forgets;
mod day;
mod energy;
mod healing;
mod journal;
mod killed_scraper;
mod permission;
mod receiver_state;
mod second_scraper;

use std::time::Duration;

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::ledger::{Report, sorted};
use rig::wait;

/// A simulated day takes half a minute; this leaves room on a machine that builds beside it.
const A_DAY: Duration = Duration::from_mins(3);

/// Until what has just happened is in the database.
const ARRIVAL: Duration = Duration::from_mins(1);

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
    holds(chain, &envoy.ledger()).await;
}

/// Waits until the database holds all of these.
async fn holds(chain: &Chain, reports: &[Report]) {
    wait::until_true("all that was shown in the database", ARRIVAL, async || {
        let stored = chain.stored().await;
        reports
            .iter()
            .all(|report| stored.binary_search(report).is_ok())
    })
    .await;
}

/// Waits until the database holds exactly these, and the plain topics the newest of them.
async fn ends_with(chain: &Chain, shown: Vec<Report>) {
    holds(chain, &shown).await;
    wait::until_true(
        "the newest readings on the plain topics",
        ARRIVAL,
        async || chain.shown(INVERTERS).await == rig::chain::newest(&shown),
    )
    .await;
    assert_eq!(chain.stored().await, sorted(shown));
}

/// Waits until the broker's plain topics show all that the Envoy had shown at `known`, or newer.
async fn reached_the_broker(chain: &Chain, known: &[Report]) {
    let known = rig::chain::newest(known);
    wait::until_true("what was shown on the plain topics", ARRIVAL, async || {
        let shown = chain.shown(INVERTERS).await;
        known.iter().all(|(topic, known)| {
            shown
                .get(topic)
                .is_some_and(|shown| shown.reported_at >= known.reported_at)
        })
    })
    .await;
}
