//! What a persistent session brings when its client is back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rig::servers::{Account, Client, Configuration, Login, Mosquitto};
use rig::wait;

use super::{DEADLINE, ENVOY};

const TOPIC: &str = "envoy/202400000011/inverters/482012345678";
const MARK: &str = "envoy/202400000011/mark";

#[tokio::test]
async fn retained_messages_come_again_with_each_subscription_of_a_persistent_session() {
    let test = "retained messages come again with each subscription of a persistent session";
    let (scraper, receiver) = (Account::scraper(ENVOY), Account::receiver("main"));
    let accounts = [scraper.clone(), receiver.clone()];
    let Some(broker) = Mosquitto::start(test, &accounts).await else {
        return;
    };
    let mut publisher = Client::connect(&broker, &scraper, None)
        .await
        .expect("the account may log in");
    publisher.publish(TOPIC, "newest", true).await;
    let login = || {
        Login::new(&broker, &receiver)
            .id("envoy-receiver-main")
            .persistent()
            .connect()
    };

    let mut first = login().await.expect("the account may log in");
    assert!(first.subscribe("envoy/#").await);
    retained(&first, 1).await;
    first.leave().await;

    let mut second = login().await.expect("the account may log in");
    assert!(second.session_present());
    publisher.publish(MARK, "mark", false).await;
    let seen = second
        .wait_for("the mark", DEADLINE, |seen| !seen.is_empty())
        .await;
    assert_eq!(seen[0].text(), "mark", "it was acknowledged before");
    assert!(second.subscribe("envoy/#").await);
    retained(&second, 1).await;
    assert!(second.subscribe("envoy/#").await);
    retained(&second, 2).await;
}

async fn retained(client: &Client, count: usize) {
    client
        .wait_for("the retained message", DEADLINE, |seen| {
            let newest = seen.iter().filter(|message| message.text() == "newest");
            newest.filter(|message| message.retain).count() == count
        })
        .await;
}

/// The client whose session it is.
const CLIENT: &str = "envoy-receiver-main";

/// For how many seconds the broker keeps the session of a receiver that has left, with what waits in it;
/// none when for ever. It is there again after a restart of the broker.
async fn kept_for(test: &str, configuration: &Configuration) -> Option<Option<i64>> {
    let (scraper, receiver) = (Account::scraper(ENVOY), Account::receiver("main"));
    let accounts = [scraper.clone(), receiver.clone()];
    let broker = Mosquitto::start_with(test, &accounts, configuration).await?;
    let login = || Login::new(&broker, &receiver).id(CLIENT).persistent();
    let mut away = login().connect().await.expect("the account may log in");
    assert!(away.subscribe("envoy/#").await);
    away.leave().await;
    let left = SystemTime::now().duration_since(UNIX_EPOCH);
    let left = left.map(|since| since.as_secs()).map(i64::try_from);
    let left = left
        .expect("after 1970")
        .expect("before the year 292277026596");
    let ends = wait::until("the session in the state", DEADLINE, async || {
        broker.session_ends(CLIENT).await
    })
    .await;
    let mut publisher = Client::connect(&broker, &scraper, None)
        .await
        .expect("the account may log in");
    publisher.publish(MARK, "mark", false).await;

    broker.stop().await;
    broker.start_again().await;
    let back = login().connect().await.expect("the account may log in");
    assert!(back.session_present());
    back.wait_for("what waited in it", DEADLINE, |seen| {
        seen.iter().any(|message| message.text() == "mark")
    })
    .await;
    Some((ends > 0).then_some(ends - left))
}

#[tokio::test]
async fn with_the_shipped_setting_the_session_of_an_absent_receiver_ends_after_two_months() {
    let test = "with the shipped setting the session of an absent receiver ends after two months";
    let Some(kept) = kept_for(test, &Configuration::shipped()).await else {
        return;
    };
    let days = Duration::from_hours(24 * 60);
    let expected = i64::try_from(days.as_secs()).expect("a short time");
    let kept = kept.expect("it ends");
    assert!((expected - 60..=expected + 60).contains(&kept), "{kept} s");
}

#[tokio::test]
async fn with_mosquittos_own_default_the_session_of_an_absent_receiver_never_ends() {
    let test = "with mosquittos own default the session of an absent receiver never ends";
    let default = Configuration::shipped().without("persistent_client_expiration");
    let Some(kept) = kept_for(test, &default).await else {
        return;
    };
    assert_eq!(kept, None);
}
