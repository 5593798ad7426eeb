//! Messages that are too large.

use rig::servers::{Account, Client, Configuration, Login, Mosquitto};
use rig::wait;

use super::{DEADLINE, ENVOY};

const TOPIC: &str = "envoy/202400000011/inverters/482012345678";
const MARK: &str = "envoy/202400000011/mark";

/// The shipped limit of a payload.
const LARGEST: usize = 512 * 1024;

/// More than the shipped limit of a packet, which is also what our own clients take.
const TOO_LARGE: usize = 1024 * 1024 + 512 * 1024;

async fn start(test: &str, configuration: &Configuration) -> Option<(Mosquitto, Account, Account)> {
    let (scraper, receiver) = (Account::scraper(ENVOY), Account::receiver("main"));
    let accounts = [scraper.clone(), receiver.clone()];
    let broker = Mosquitto::start_with(test, &accounts, configuration).await?;
    Some((broker, scraper, receiver))
}

#[tokio::test]
async fn the_shipped_limits_let_half_a_mebibyte_pass_drop_what_is_larger_and_cut_off_who_sends_a_mebibyte()
 {
    let test = "the shipped limits let half a mebibyte pass and drop what is larger";
    let Some((broker, scraper, receiver)) = start(test, &Configuration::shipped()).await else {
        return;
    };
    let receiver = Client::connect(&broker, &receiver, Some("envoy/#"))
        .await
        .expect("the account may log in");
    let mut scraper = Login::new(&broker, &scraper)
        .sending_any_size()
        .connect()
        .await
        .expect("the account may log in");

    scraper.publish(TOPIC, vec![b'1'; LARGEST], true).await;
    // Acknowledged all the same.
    scraper.publish(TOPIC, vec![b'2'; LARGEST + 1], true).await;
    scraper.publish(MARK, "mark", false).await;
    let seen = receiver
        .wait_for("the mark behind them", DEADLINE, |seen| {
            seen.iter().any(|message| message.topic == MARK)
        })
        .await;
    let sizes: Vec<_> = seen.iter().map(|message| message.payload.len()).collect();
    assert_eq!(sizes, [LARGEST, "mark".len()], "the larger one was dropped");

    assert_eq!(scraper.connections(), 1);
    scraper
        .publish_unconfirmed(TOPIC, vec![b'3'; TOO_LARGE])
        .await;
    wait::until_true("the sender to be cut off", DEADLINE, async || {
        scraper.connections() > 1
    })
    .await;
    assert_eq!(receiver.seen().len(), 2, "nobody got it");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn with_mosquittos_own_defaults_one_retained_message_throws_a_receiver_out_again_and_again() {
    let test = "with mosquittos own defaults one retained message throws a receiver out";
    let default = Configuration::shipped()
        .without("message_size_limit")
        .without("max_packet_size");
    let Some((broker, scraper, receiver)) = start(test, &default).await else {
        return;
    };
    let mut scraper = Login::new(&broker, &scraper)
        .sending_any_size()
        .connect()
        .await
        .expect("the account may log in");
    scraper.publish(TOPIC, vec![b'1'; TOO_LARGE], true).await;

    let receiver = Client::connect(&broker, &receiver, Some("envoy/#"))
        .await
        .expect("the account may log in");
    wait::until_true("a receiver that comes back thrice", DEADLINE, async || {
        receiver.connections() > 3
    })
    .await;
    assert_eq!(receiver.seen(), []);
}
