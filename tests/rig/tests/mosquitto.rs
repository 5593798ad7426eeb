//! The broker's handle does what tests build on.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rig::servers::{Account, Client, Mosquitto, Refused};

const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_stopped_broker_comes_back_with_its_retained_messages_on_the_same_port() {
    let test = "a stopped broker comes back with its retained messages on the same port";
    let scraper = Account::scraper("122012345678");
    let reader = Account::reader("watcher");
    let accounts = [scraper.clone(), reader.clone()];
    let Some(broker) = Mosquitto::start_own(test, &accounts).await else {
        return;
    };
    let port = broker.port();
    let mut publisher = Client::connect(&broker, &scraper, None).await.unwrap();
    publisher
        .publish("envoy/122012345678/status", "online", true)
        .await;

    broker.stop().await;
    broker.start_again().await;

    assert_eq!(broker.port(), port);
    let watcher = Client::connect(&broker, &reader, Some("envoy/#"))
        .await
        .unwrap();
    let seen = watcher
        .wait_for("the retained status", DEADLINE, |seen| !seen.is_empty())
        .await;
    assert_eq!(seen[0].topic, "envoy/122012345678/status");
    assert_eq!(seen[0].text(), "online");
    assert!(seen[0].retain);
}

#[tokio::test]
async fn a_killed_broker_forgets_what_it_had_not_written_yet() {
    let test = "a killed broker forgets what it had not written yet";
    let scraper = Account::scraper("122012345678");
    let accounts = [scraper.clone()];
    let Some(broker) = Mosquitto::start_own(test, &accounts).await else {
        return;
    };
    let mut publisher = Client::connect(&broker, &scraper, None).await.unwrap();
    publisher
        .publish("envoy/122012345678/status", "online", true)
        .await;

    broker.kill().await;
    broker.start_again().await;

    let mut watcher = Client::connect(&broker, &scraper, Some("envoy/122012345678/#"))
        .await
        .unwrap();
    watcher
        .publish("envoy/122012345678/mark", "mark", false)
        .await;
    let seen = watcher
        .wait_for("the mark", DEADLINE, |seen| !seen.is_empty())
        .await;
    assert_eq!(seen[0].topic, "envoy/122012345678/mark");
}

#[tokio::test]
async fn a_running_broker_takes_up_new_passwords_and_removed_accounts() {
    let test = "a running broker takes up new passwords and removed accounts";
    let old = Account::reader("watcher");
    let accounts = [old.clone()];
    let Some(broker) = Mosquitto::start(test, &accounts).await else {
        return;
    };
    assert!(may_log_in(&broker, &old).await);

    let new = Account::reader("watcher");
    broker.set_account(&new).await;
    assert!(!may_log_in(&broker, &old).await);
    assert!(may_log_in(&broker, &new).await);

    broker.remove_account("watcher").await;
    assert!(!may_log_in(&broker, &new).await);
}

async fn may_log_in(broker: &Mosquitto, account: &Account) -> bool {
    match Client::connect(broker, account, None).await {
        Ok(_) => true,
        Err(Refused(_)) => false,
    }
}
