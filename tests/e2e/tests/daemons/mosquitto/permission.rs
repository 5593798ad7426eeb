//! What an account may not do looks as if it had been done.

use rig::servers::{Account, Client, Configuration, Login, Mosquitto, Seen};

use super::{DEADLINE, ENVOY};

const OWN: &str = "envoy/202400000011/journal";
const FOREIGN: &str = "envoy/202499999999/journal";

#[tokio::test]
async fn a_forbidden_publish_is_acknowledged_and_a_forbidden_subscription_granted_and_only_the_echo_tells()
 {
    let test = "a forbidden publish is acknowledged and a forbidden subscription granted";
    let scraper = Account::scraper(ENVOY);
    let other = Account::scraper("202499999999");
    let accounts = [scraper.clone(), other.clone()];
    let Some(broker) = Mosquitto::start(test, &accounts).await else {
        return;
    };
    let mut client = Client::connect(&broker, &scraper, None)
        .await
        .expect("the account may log in");
    let mut owner = Client::connect(&broker, &other, Some(FOREIGN))
        .await
        .expect("the account may log in");

    assert!(client.subscribe(FOREIGN).await, "granted");
    // Both return when the broker has acknowledged.
    client.publish(FOREIGN, "forbidden", false).await;
    owner.publish(FOREIGN, "allowed", false).await;
    let heard = owner
        .wait_for("the owner's own message", DEADLINE, |seen| !seen.is_empty())
        .await;
    assert_eq!(texts(&heard), ["allowed"], "the forbidden one was dropped");

    assert!(client.subscribe(OWN).await, "granted, too");
    client.publish(OWN, "allowed", false).await;
    let heard = client
        .wait_for("the echo", DEADLINE, |seen| !seen.is_empty())
        .await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].topic, OWN, "the forbidden topic stayed silent");
}

#[tokio::test]
async fn a_pattern_line_lets_every_user_publish_so_the_account_command_writes_none() {
    let test = "a pattern line lets every user publish";
    let reader = Account::reader("reader");
    let watcher = Account::watcher("watcher");
    let accounts = [reader.clone(), watcher.clone()];
    let Some(broker) = Mosquitto::start_own(test, &accounts).await else {
        return;
    };
    let mut publisher = Client::connect(&broker, &reader, None)
        .await
        .expect("the account may log in");
    let watching = Client::connect(&broker, &watcher, Some("#"))
        .await
        .expect("the account may log in");

    publisher
        .publish("envoy/reader/status", "as shipped", false)
        .await;
    broker.add_rights("pattern readwrite envoy/%u/#").await;
    publisher
        .publish("envoy/reader/status", "with a pattern", false)
        .await;
    let heard = watching
        .wait_for("what the pattern lets through", DEADLINE, |seen| {
            !seen.is_empty()
        })
        .await;
    assert_eq!(texts(&heard), ["with a pattern"]);
}

#[tokio::test]
async fn with_a_listener_nobody_gets_in_without_an_account() {
    let test = "with a listener nobody gets in without an account";
    let configuration = Configuration::shipped()
        .without("allow_anonymous")
        .without("password_file")
        .without("acl_file");
    let Some(broker) = Mosquitto::start_with(test, &[], &configuration).await else {
        return;
    };
    assert!(Login::anonymous(&broker).connect().await.is_err());
}

fn texts(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(Seen::text).collect()
}
