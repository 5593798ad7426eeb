//! A broker that is restarted.

use rig::chain::Chain;
use rig::ledger::sorted;
use rig::wait;

use super::{ARRIVAL, ENVOY, count, gateway, more_was_shown};

/// How often the broker goes away.
const OUTAGES: usize = 2;

#[tokio::test]
async fn each_restart_of_the_broker_is_two_lines_in_both_daemons_and_costs_no_reading() {
    let test = "each restart of the broker is two lines in both daemons and costs no reading";
    let Some(chain) = Chain::start_own(test, &[ENVOY]).await else {
        return;
    };
    let envoy = gateway().await;
    let mut receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let mut scraper = chain.scraper(&envoy, ENVOY).spawn();
    more_was_shown(&envoy).await;

    for outage in 1..=OUTAGES {
        chain.broker.stop().await;
        more_was_shown(&envoy).await;
        chain.broker.start_again().await;
        for daemon in [&scraper, &receiver] {
            wait::until_true("the daemon to be connected again", ARRIVAL, async || {
                count(daemon, "connected to the broker again") == outage
            })
            .await;
        }
    }
    let shown = sorted(envoy.stop().await.ledger());
    wait::until_true("all that was shown in the database", ARRIVAL, async || {
        chain.stored().await == shown
    })
    .await;
    for daemon in [&mut scraper, &mut receiver] {
        assert!(daemon.terminate().await.success());
        let (begun, ended) = (
            "no connection to the broker",
            "connected to the broker again",
        );
        assert_eq!(count(daemon, begun), OUTAGES);
        assert_eq!(count(daemon, ended), OUTAGES);
    }
}
