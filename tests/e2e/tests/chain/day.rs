//! A day of two Envoys, of the oldest and the newest kind.

use std::collections::BTreeSet;

use rig::chain::{Chain, newest};
use rig::ledger::{Report, sorted};
use rig::wait;

use crate::{A_DAY, ARRIVAL, DAWN, INVERTERS, gateway};

const OLD: &str = "121500000001";
const NEW: &str = "202400000002";

#[tokio::test]
async fn a_day_of_two_envoys_is_in_the_database_as_it_was_shown() {
    let test = "a day of two envoys is in the database as it was shown";
    let Some(chain) = Chain::start(test, &[OLD, NEW]).await else {
        return;
    };
    let mut receiver = chain.receiver().spawn();
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
    let shown = [old.stop().await.ledger(), new.stop().await.ledger()].concat();
    let shown = sorted(shown);
    wait::until_true("as many readings in the database", ARRIVAL, async || {
        chain.stored().await.len() >= shown.len()
    })
    .await;

    assert_eq!(chain.stored().await, shown);
    assert_eq!(chain.shown(2 * INVERTERS).await, newest(&shown));

    for mut scraper in scrapers {
        assert!(scraper.terminate().await.success());
    }
    assert!(receiver.terminate().await.success());
    // Nobody is left who could write: only now does the count say that nothing was written twice.
    let lines = chain.tap.lines();
    let reports = lines
        .iter()
        .filter(|line| line.starts_with("inverterPower"));
    assert_eq!(reports.count(), shown.len(), "each was written once");
    assert_eq!(
        lines.iter().collect::<BTreeSet<_>>().len(),
        lines.len(),
        "and so was all that came of them"
    );
    assert_eq!(chain.stored().await, shown);
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
