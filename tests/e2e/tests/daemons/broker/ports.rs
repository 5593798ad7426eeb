//! The right broker at the wrong port.

use rig::programs::{Binary, Start};
use rig::servers::{Configuration, Mosquitto};

use super::Site;

#[tokio::test]
async fn plain_against_tls_and_tls_against_plain_are_named_with_the_scheme_to_use() {
    let test = "plain against tls and tls against plain are named with the scheme to use";
    let accounts = Site::accounts();
    let with_tls = Configuration::shipped().with_tls();
    let Some(broker) = Mosquitto::start_with(test, &accounts, &with_tls).await else {
        return;
    };
    let site = Site::of(broker, accounts);
    let scraper = || {
        let start = Start::new(Binary::Scraper).env("ENVOY_HOST", "http://127.0.0.1:9");
        site.scraper(start)
    };
    let tls_url = site.broker.tls_url();
    let plain_at_tls = tls_url.replace("mqtts://", "mqtt://");
    let tls_at_plain = site.broker.url().replace("mqtt://", "mqtts://");

    let plain = |daemon: Start| daemon.env("MQTT_URL", &plain_at_tls).spawn();
    for daemon in [plain(scraper()), plain(site.receiver())] {
        let line = daemon.stderr_line("no connection to the broker").await;
        assert!(line.contains(&plain_at_tls), "{line}");
        assert!(line.contains("mqtts://"), "the remedy: {line}");
    }

    let with_tls = |daemon: Start| {
        daemon
            .env("MQTT_URL", &tls_at_plain)
            .env("MQTT_CA_FILE", site.broker.ca_file())
            .spawn()
    };
    for daemon in [with_tls(scraper()), with_tls(site.receiver())] {
        let line = daemon.stderr_line("no connection to the broker").await;
        assert!(line.contains(&tls_at_plain), "{line}");
        assert!(line.contains("over TLS"), "the remedy: {line}");
    }
}
