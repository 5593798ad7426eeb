//! Wrong certificates, and the right one.

use std::path::Path;

use rig::chain::Chain;
use rig::ledger::sorted;
use rig::programs::{Binary, Start};
use rig::servers::{Certificate, Configuration, Mosquitto};
use rig::wait;

use super::{ARRIVAL, ENVOY, Site, count, gateway, more_was_shown};

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

#[tokio::test]
async fn a_file_whose_ca_has_expired_is_a_mistake_and_beside_its_successor_a_warning() {
    let test = "a file whose ca has expired is a mistake and beside its successor a warning";
    let accounts = Site::accounts();
    let with_tls = Configuration::shipped().with_tls();
    let Some(broker) = Mosquitto::start_with(test, &accounts, &with_tls).await else {
        return;
    };
    let site = Site::of(broker, accounts);
    let trusting = |ca_file: &Path| {
        let scraper = Start::new(Binary::Scraper).env("ENVOY_HOST", "http://127.0.0.1:9");
        [site.scraper(scraper), site.receiver()].map(|daemon| {
            let daemon = daemon.env("MQTT_URL", site.broker.tls_url());
            daemon.env("MQTT_CA_FILE", ca_file).spawn()
        })
    };
    let expired = site.broker.expired_ca_file();
    for mut daemon in trusting(expired) {
        assert_eq!(daemon.ended().await.code(), Some(64));
        let said = format!(
            "MQTT_CA_FILE: \"{}\" has no CA that is still valid, the last one expired on 2021-01-01; name a file with the CA's new certificate",
            expired.display()
        );
        daemon.stderr_line(&said).await;
    }

    let both = site.directory.path().join("both.pem");
    let pem = [expired, site.broker.ca_file()].map(|file| std::fs::read(file).expect("a CA"));
    std::fs::write(&both, pem.concat()).expect("a temporary directory can be written");
    site.broker.show(Certificate::OfExpiredCa).await;
    let said = format!(
        "the CA 'CN=expired' in {} expired on 2021-01-01",
        both.display()
    );
    let daemons = trusting(&both);
    for daemon in &daemons {
        let warning = format!("{said} and is not trusted");
        let line = daemon.stderr_line(&warning).await;
        assert!(line.contains("WARN"), "{line}");
        let refused = format!("{said}; put the CA's new certificate into that file and restart");
        let line = daemon.stderr_line(&refused).await;
        assert!(line.contains("ERROR"), "{line}");
        assert!(line.contains("(settings: MQTT_CA_FILE)"), "{line}");
    }
    site.broker.show(Certificate::Right).await;
    for mut daemon in daemons {
        daemon.stderr_line("connected to the broker").await;
        assert!(daemon.terminate().await.success());
    }
}
