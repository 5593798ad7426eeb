//! A wrong secret.

use rig::programs::Binary;

use super::{Site, arrived, count, gateway, more_was_shown};

const ANOTHER: &str = "not-the-one-that-the-daemons-have";

#[tokio::test]
async fn a_wrong_secret_is_named_and_once_it_is_mended_at_the_broker_the_daemons_go_on() {
    let test = "a wrong secret is named and once it is mended at the broker the daemons go on";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let subscriber = site.subscriber().await;
    for account in [&site.scraper, &site.receiver] {
        let changed = account.clone().with_password(ANOTHER);
        site.broker.set_account(&changed).await;
    }
    let envoy = gateway().await;
    let mut scraper = site.scraper(envoy.reader(Binary::Scraper)).spawn();
    let mut receiver = site.receiver().spawn();

    for (daemon, account) in [(&scraper, &site.scraper), (&receiver, &site.receiver)] {
        let line = daemon.stderr_line("no connection to the broker").await;
        assert!(line.contains("ERROR"), "{line}");
        assert!(line.contains(account.user()), "{line}");
        assert!(line.contains("user name and password"), "{line}");
    }
    more_was_shown(&envoy).await;

    for account in [&site.scraper, &site.receiver] {
        site.broker.set_account(account).await;
    }
    for daemon in [&scraper, &receiver] {
        daemon.stderr_line("connected to the broker again").await;
    }
    arrived(&subscriber, &envoy.stop().await.ledger()).await;
    for daemon in [&mut scraper, &mut receiver] {
        assert!(daemon.terminate().await.success());
        assert_eq!(count(daemon, "no connection to the broker"), 1);
        for secret in [ANOTHER, site.scraper.password(), site.receiver.password()] {
            assert_eq!(count(daemon, secret), 0, "a secret is printed");
        }
    }
}
