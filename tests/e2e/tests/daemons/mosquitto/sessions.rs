//! What a persistent session brings when its client is back.

use rig::servers::{Account, Client, Login, Mosquitto};

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
