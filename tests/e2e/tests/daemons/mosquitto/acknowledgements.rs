//! Acknowledgements that come out of turn.

use rig::servers::{Account, Client, Login, Mosquitto, Seen};

use super::{DEADLINE, ENVOY};

const TOPIC: &str = "envoy/202400000011/backlog/inverters/482012345678";

#[tokio::test]
async fn what_was_acknowledged_out_of_turn_does_not_come_again_and_what_was_not_does_in_order() {
    let test = "what was acknowledged out of turn does not come again and what was not does";
    let (scraper, receiver) = (Account::scraper(ENVOY), Account::receiver("main"));
    let accounts = [scraper.clone(), receiver.clone()];
    let Some(broker) = Mosquitto::start(test, &accounts).await else {
        return;
    };
    let login = || {
        Login::new(&broker, &receiver)
            .id("envoy-receiver-main")
            .persistent()
            .manual_acknowledgements()
            .connect()
    };
    let mut first = login().await.expect("the account may log in");
    assert!(first.subscribe("envoy/#").await);
    let mut publisher = Client::connect(&broker, &scraper, None)
        .await
        .expect("the account may log in");
    for number in 1..=4 {
        publisher.publish(TOPIC, number.to_string(), false).await;
    }
    all(&first, 4).await;
    first.acknowledge_at(2).await;
    first.acknowledge_at(1).await;
    first.leave().await;

    let second = login().await.expect("the account may log in");
    assert!(second.session_present());
    publisher.publish(TOPIC, "5", false).await;
    let seen = all(&second, 3).await;
    let numbers: Vec<_> = seen.iter().map(Seen::text).collect();
    assert_eq!(numbers, ["1", "4", "5"]);
}

async fn all(client: &Client, count: usize) -> Vec<Seen> {
    client
        .wait_for("all messages", DEADLINE, |seen| seen.len() >= count)
        .await
}
