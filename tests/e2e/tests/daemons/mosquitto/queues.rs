//! How much waits for a client, and how much is on its way to it.

use rig::servers::{Account, Client, Configuration, Login, Mosquitto};

use super::{DEADLINE, ENVOY};

const TOPIC: &str = "envoy/202400000011/backlog/inverters/482012345678";
const MARK: &str = "envoy/202400000011/mark";

/// More than Mosquitto's own defaults and the test's settings let through.
const MESSAGES: usize = 50;

/// A setting of 20, to see with 50 messages what 1,000 do with more.
const FEW: usize = 20;

struct Site {
    broker: Mosquitto,
    scraper: Account,
    receiver: Account,
}

impl Site {
    async fn start(test: &str, configuration: &Configuration) -> Option<Self> {
        let (scraper, receiver) = (Account::scraper(ENVOY), Account::receiver("main"));
        let accounts = [scraper.clone(), receiver.clone()];
        let broker = Mosquitto::start_with(test, &accounts, configuration).await?;
        Some(Self {
            broker,
            scraper,
            receiver,
        })
    }

    fn receiver(&self) -> Login {
        Login::new(&self.broker, &self.receiver)
            .id("envoy-receiver-main")
            .persistent()
    }

    async fn publish_all(&self) -> Client {
        let mut scraper = Client::connect(&self.broker, &self.scraper, None)
            .await
            .expect("the account may log in");
        for number in 0..MESSAGES {
            // Each is acknowledged, whatever becomes of it.
            scraper.publish(TOPIC, number.to_string(), false).await;
        }
        scraper
    }

    /// How many of the messages a receiver gets that was away while they were published.
    async fn kept_for_an_absent_receiver(&self) -> usize {
        let mut receiver = self.receiver().connect().await.expect("may log in");
        assert!(receiver.subscribe("envoy/#").await);
        receiver.leave().await;
        let mut scraper = self.publish_all().await;

        let receiver = self.receiver().connect().await.expect("may log in");
        assert!(receiver.session_present());
        scraper.publish(MARK, "mark", false).await;
        let seen = receiver
            .wait_for("the mark behind them", DEADLINE, |seen| {
                seen.iter().any(|message| message.topic == MARK)
            })
            .await;
        seen.iter().filter(|message| message.topic == TOPIC).count()
    }

    /// How many of the messages reach a receiver that acknowledges none. Where it is not all, further
    /// ones come once it does.
    async fn on_the_way_to_a_receiver(&self) -> usize {
        let mut receiver = self
            .receiver()
            .manual_acknowledgements()
            .connect()
            .await
            .expect("may log in");
        assert!(receiver.subscribe("envoy/#").await);
        let scraper = self.publish_all().await;
        // At most once, so that it does not wait for acknowledgements.
        scraper.publish_unconfirmed(MARK, "mark").await;
        let seen = receiver
            .wait_for("the mark that overtakes", DEADLINE, |seen| {
                seen.iter().any(|message| message.topic == MARK)
            })
            .await;
        let first = seen.len() - 1;
        if first < MESSAGES {
            receiver.acknowledge().await;
            receiver
                .wait_for("the next message", DEADLINE, |seen| seen.len() > first + 1)
                .await;
        }
        first
    }
}

#[tokio::test]
async fn a_full_queue_drops_acknowledged_messages_without_a_word() {
    let test = "a full queue drops acknowledged messages without a word";
    let few = Configuration::shipped().with("max_queued_messages", &FEW.to_string());
    let Some(site) = Site::start(test, &few).await else {
        return;
    };
    assert_eq!(site.kept_for_an_absent_receiver().await, FEW);
}

#[tokio::test]
async fn the_shipped_queue_keeps_what_an_absent_receiver_misses() {
    let test = "the shipped queue keeps what an absent receiver misses";
    let Some(site) = Site::start(test, &Configuration::shipped()).await else {
        return;
    };
    assert_eq!(site.kept_for_an_absent_receiver().await, MESSAGES);
}

#[tokio::test]
async fn with_mosquittos_own_default_a_batch_never_grows_past_twenty() {
    let test = "with mosquittos own default a batch never grows past twenty";
    let default = Configuration::shipped().without("max_inflight_messages");
    let Some(site) = Site::start(test, &default).await else {
        return;
    };
    assert_eq!(site.on_the_way_to_a_receiver().await, 20);
}

#[tokio::test]
async fn with_the_shipped_setting_a_batch_grows_past_twenty() {
    let test = "with the shipped setting a batch grows past twenty";
    let Some(site) = Site::start(test, &Configuration::shipped()).await else {
        return;
    };
    assert_eq!(site.on_the_way_to_a_receiver().await, MESSAGES);
}
