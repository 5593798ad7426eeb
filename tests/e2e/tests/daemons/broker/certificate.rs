//! Wrong certificates, and the right one.

use rig::chain::Chain;
use rig::ledger::sorted;
use rig::servers::{Certificate, Configuration};
use rig::wait;

use super::{ARRIVAL, ENVOY, count, gateway, more_was_shown};

#[tokio::test]
async fn each_fault_of_the_brokers_certificate_is_named_and_the_right_one_lets_the_daemons_go_on() {
    let test = "each fault of the brokers certificate is named and the right one mends it";
    let with_tls = Configuration::shipped().with_tls();
    let Some(chain) = Chain::start_with(test, &[ENVOY], &with_tls).await else {
        return;
    };
    // The broker has a session for it from then on, whichever daemon is let in first below.
    let mut before = chain.over_tls(chain.receiver()).spawn();
    chain.online("envoy-receiver/e2e/status").await;
    assert!(before.terminate().await.success());
    chain.broker.show(Certificate::OfUnknownCa).await;
    let envoy = gateway().await;
    let mut scraper = chain.over_tls(chain.scraper(&envoy, ENVOY)).spawn();
    let mut receiver = chain.over_tls(chain.receiver()).spawn();

    let unknown = "is signed by a CA that is not trusted here";
    let (expired, name) = (
        "has expired",
        &format!("is not for the name '{}'", chain.broker.host()),
    );
    for (certificate, said) in [
        (None, unknown),
        (Some(Certificate::Expired), expired),
        (Some(Certificate::ForAnotherName), name),
    ] {
        if let Some(certificate) = certificate {
            chain.broker.show(certificate).await;
        }
        for daemon in [&scraper, &receiver] {
            let line = daemon.stderr_line(said).await;
            assert!(line.contains("ERROR"), "{line}");
        }
    }
    more_was_shown(&envoy).await;
    assert_eq!(chain.stored().await, [], "nobody was let in");

    chain.broker.show(Certificate::Right).await;
    for daemon in [&scraper, &receiver] {
        daemon.stderr_line("connected to the broker again").await;
    }
    let shown = sorted(envoy.stop().await.ledger());
    wait::until_true("all that was shown in the database", ARRIVAL, async || {
        chain.stored().await == shown
    })
    .await;
    for daemon in [&mut scraper, &mut receiver] {
        assert!(daemon.terminate().await.success());
        for said in [unknown, expired, name] {
            assert_eq!(count(daemon, said), 1, "{said}");
        }
    }
}
