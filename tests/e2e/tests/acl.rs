//! What each account may publish, as a subscriber sees it. Mosquitto acknowledges a forbidden message
//! and drops it, so only what arrives counts; and that something does not arrive shows by what was
//! sent after it and did.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rig::servers::{Account, Client, Mosquitto, Seen};

const DEADLINE: Duration = Duration::from_secs(20);

const OURS: &str = "122012345678";
const OTHER: &str = "122099999999";

/// In none of the trees that accounts have a part of.
const ELSEWHERE: &str = "elsewhere/122012345678/status";

struct Site {
    broker: Mosquitto,
    scraper: Account,
    other_scraper: Account,
    receiver: Account,
    reader: Account,
    home_assistant: Account,
    watcher: Account,
}

impl Site {
    async fn start(test: &str) -> Option<Self> {
        let scraper = Account::scraper(OURS);
        let other_scraper = Account::scraper(OTHER);
        let receiver = Account::receiver("main");
        // The name that a `pattern readwrite envoy/%u/#` would have let publish.
        let reader = Account::reader("reader");
        let home_assistant = Account::home_assistant("homeassistant");
        // What no account of the command may: so nothing escapes it.
        let watcher = Account::watcher("watcher");
        let accounts = [
            scraper.clone(),
            other_scraper.clone(),
            receiver.clone(),
            reader.clone(),
            home_assistant.clone(),
            watcher.clone(),
        ];
        let broker = Mosquitto::start(test, &accounts).await?;
        Some(Self {
            broker,
            scraper,
            other_scraper,
            receiver,
            reader,
            home_assistant,
            watcher,
        })
    }

    async fn client(&self, account: &Account, filter: Option<&str>) -> Client {
        Client::connect(&self.broker, account, filter)
            .await
            .unwrap()
    }

    /// Publishes on each topic as `account` and returns those that the watcher then saw.
    ///
    /// All clients publish one message after the other, each acknowledged before the next. So once
    /// the mark, which `marker` may publish on `mark`, has arrived at the watcher, everything before
    /// it that was let through has arrived, too.
    async fn let_through(
        &self,
        account: &Account,
        topics: &[&str],
        (marker, mark): (&Account, &str),
    ) -> Vec<String> {
        let watcher = self.client(&self.watcher, Some("#")).await;
        let mut sender = self.client(account, None).await;
        for topic in topics {
            sender.publish(topic, "tried", false).await;
        }
        self.client(marker, None)
            .await
            .publish(mark, "mark", false)
            .await;
        let is_mark = |seen: &Seen| seen.payload == b"mark";
        watcher
            .wait_for("the mark", DEADLINE, |seen| seen.iter().any(is_mark))
            .await
            .into_iter()
            .filter(|seen| seen.payload == b"tried")
            .map(|seen| seen.topic)
            .collect()
    }
}

#[tokio::test]
async fn a_scraper_publishes_under_its_own_serial_only() {
    let test = "a scraper publishes under its own serial only";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let own = [
        "envoy/122012345678/status",
        "envoy/122012345678/backlog/inverters/482012345678",
        "homeassistant/device/122012345678/gateway/config",
    ];
    let foreign = [
        "envoy/122099999999/status",
        "envoy/122099999999/inverters/482012345678",
        "envoy/status",
        "envoy-receiver/main/status",
        "envoy-receiver/main/replay/122012345678",
        "homeassistant/device/122099999999/gateway/config",
        "homeassistant/status",
        ELSEWHERE,
    ];
    let mark = (&site.other_scraper, "envoy/122099999999/mark");

    let tried = [foreign.as_slice(), own.as_slice()].concat();
    assert_eq!(site.let_through(&site.scraper, &tried, mark).await, own);
}

#[tokio::test]
async fn a_receiver_publishes_under_its_own_name_only() {
    let test = "a receiver publishes under its own name only";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let own = [
        "envoy-receiver/main/status",
        "envoy-receiver/main/replay/122012345678",
    ];
    let foreign = [
        "envoy/122012345678/inverters/482012345678",
        "envoy/main/status",
        "envoy-receiver/other/status",
        "homeassistant/status",
        ELSEWHERE,
    ];
    let mark = (&site.scraper, "envoy/122012345678/mark");

    let tried = [foreign.as_slice(), own.as_slice()].concat();
    assert_eq!(site.let_through(&site.receiver, &tried, mark).await, own);
}

#[tokio::test]
async fn a_reader_publishes_nothing_and_home_assistant_its_status_alone() {
    let test = "a reader publishes nothing and home assistant its status alone";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let tried = [
        "envoy/122012345678/inverters/482012345678",
        "envoy/reader/status",
        "envoy/homeassistant/status",
        "envoy-receiver/reader/status",
        "envoy-receiver/main/replay/122012345678",
        "homeassistant/device/122012345678/gateway/config",
        "homeassistant/status",
        ELSEWHERE,
    ];
    let mark = (&site.scraper, "envoy/122012345678/mark");

    assert!(
        site.let_through(&site.reader, &tried, mark)
            .await
            .is_empty()
    );
    assert_eq!(
        site.let_through(&site.home_assistant, &tried, mark).await,
        ["homeassistant/status"]
    );
}

#[tokio::test]
async fn a_scraper_reads_its_own_topics_and_its_requests_only() {
    let test = "a scraper reads its own topics and its requests only";
    let Some(site) = Site::start(test).await else {
        return;
    };
    let watcher = site.client(&site.scraper, Some("#")).await;
    let mut other = site.client(&site.other_scraper, None).await;
    let mut receiver = site.client(&site.receiver, None).await;

    other
        .publish("envoy/122099999999/status", "other", false)
        .await;
    receiver
        .publish("envoy-receiver/main/status", "other", false)
        .await;
    receiver
        .publish("envoy-receiver/main/replay/122099999999", "other", false)
        .await;
    receiver
        .publish("envoy-receiver/main/replay/122012345678", "mark", false)
        .await;

    let seen = watcher
        .wait_for("the request", DEADLINE, |seen| {
            seen.iter().any(|seen| seen.payload == b"mark")
        })
        .await;
    assert_eq!(seen.len(), 1, "{seen:?}");
}
