//! A gateway that was replaced.

use std::collections::BTreeMap;
use std::process::Output;

use rig::servers::{Account, Client};
use rig::wait;

use super::{ENVOY, Site, ended};
use crate::ARRIVAL;

/// Another Envoy, whose serial begins with that of the one that is replaced.
const OTHER: &str = "2024000000311";

impl Site {
    fn forget_gateway(&self, envoy: &str) -> Output {
        self.scraper().args(["forget", "--gateway", envoy]).to_end()
    }

    /// What is retained of an Envoy; the words by which rights are proved are not.
    fn of(&self, envoy: &str) -> BTreeMap<String, String> {
        let mut held = self.held();
        let (own, devices) = (
            format!("envoy/{envoy}/"),
            format!("homeassistant/device/{envoy}/"),
        );
        held.retain(|topic, _| topic.starts_with(&own) || topic.starts_with(&devices));
        held.retain(|topic, _| !topic.ends_with("/check"));
        held
    }
}

#[tokio::test]
async fn of_a_gateway_that_was_replaced_nothing_is_left_and_of_another_one_all() {
    let test = "of a gateway that was replaced nothing is left, and of another one all";
    let Some(site) = Site::start(test, "1").await else {
        return;
    };
    let account = Account::scraper(OTHER);
    site.broker.set_account(&account).await;
    let mut other = Client::connect(&site.broker, &account, None)
        .await
        .expect("it may log in");
    for topic in [
        "envoy/2024000000311/site",
        "envoy/2024000000311/status",
        "homeassistant/device/2024000000311/gateway/config",
    ] {
        other.publish(topic, "online", true).await;
    }
    let mut scraper = site.scraper().spawn();
    site.all_are_there().await;
    let of_other = site.of(OTHER);
    assert_eq!(of_other.len(), 3);

    let output = site.forget_gateway(ENVOY);
    ended(&site, &output, 64, &["nothing is cleared", "stop it first"]);
    assert!(scraper.terminate().await.success());
    // Another program's, of the same Envoy.
    let foreign = format!("homeassistant/device/{ENVOY}/another/config");
    let announced = r#"{"origin":{"name":"another"}}"#;
    let mut another = Client::connect(&site.broker, &site.account, None)
        .await
        .expect("it may log in");
    another.publish(&foreign, announced, true).await;
    wait::until_true("the device of another program", ARRIVAL, async || {
        site.held().contains_key(&foreign)
    })
    .await;
    let all = site.of(ENVOY);
    assert!(all.len() > 10, "{all:?}");

    let stranger = site
        .scraper()
        .args(["forget", "--gateway", ENVOY])
        .env("MQTT_USERNAME", OTHER)
        .env("MQTT_PASSWORD", account.password())
        .to_end();
    ended(&site, &stranger, 1, &["not allowed", "MQTT_USERNAME"]);
    assert_eq!(site.of(ENVOY), all);

    let output = site.forget_gateway(ENVOY);
    ended(&site, &output, 0, &[ENVOY, "4 devices", "is cleared"]);
    let left = BTreeMap::from([(foreign, announced.to_owned())]);
    wait::until_true(
        "nothing of it but the device of another program",
        ARRIVAL,
        async || site.of(ENVOY) == left,
    )
    .await;
    assert_eq!(site.of(OTHER), of_other);

    let output = site.forget_gateway(ENVOY);
    ended(&site, &output, 64, &["retains nothing", ENVOY]);
    let output = site.forget_gateway("2024/31");
    ended(&site, &output, 64, &["2024/31", "label"]);
}
