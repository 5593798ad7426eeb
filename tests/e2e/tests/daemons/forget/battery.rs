//! A battery that was taken down.

use rig::wait;

use super::{ENVOY, NOON, Site, ended};
use crate::ARRIVAL;

const WITH_TWO: [&str; 6] = ["--batteries", "2", "--meters", "connected", "--start", NOON];
const WITH_ONE: [&str; 6] = ["--batteries", "1", "--meters", "connected", "--start", NOON];
const LATER: [&str; 6] = [
    "--batteries",
    "2",
    "--meters",
    "connected",
    "--start",
    "2026-06-20T13:00:00Z",
];

impl Site {
    fn batteries(&self) -> Vec<String> {
        self.inverters(&format!("envoy/{ENVOY}/batteries/"), "")
    }

    fn battery_devices(&self) -> Vec<String> {
        let beginning = format!("homeassistant/device/{ENVOY}/battery_");
        self.inverters(&beginning, "/config")
    }

    /// Waits until the broker retains the batteries for which this holds, and their devices.
    async fn has_batteries(&self, are_those: impl Fn(&[String]) -> bool) -> Vec<String> {
        wait::until("these batteries", ARRIVAL, async || {
            let (batteries, devices) = (self.batteries(), self.battery_devices());
            (are_those(&batteries) && batteries == devices).then_some(batteries)
        })
        .await
    }
}

#[tokio::test]
async fn a_battery_that_was_taken_down_stays_away_until_it_is_measured_again() {
    let test = "a battery that was taken down stays away until it is measured again";
    let Some(mut site) = Site::start_with(test, &WITH_TWO).await else {
        return;
    };
    let mut scraper = site.scraper().spawn();
    let both = site.has_batteries(|there| there.len() == 2).await;
    assert!(scraper.terminate().await.success());
    // Which of them is still there shows by the one that is listed.
    site.envoy = Site::gateway(&WITH_ONE).await;
    let mut scraper = site.scraper().spawn();
    scraper.stderr_line("connected to the broker").await;
    let gone = &both[1];
    ended(
        &site,
        &site.forget(gone),
        0,
        &["The battery", gone, "is forgotten until it reports again"],
    );
    scraper.stderr_line("this is forgotten").await;
    site.has_batteries(|there| there == &both[..1]).await;
    let gateway = format!("envoy/{ENVOY}/gateway");
    wait::until_true("no stale topic of it", ARRIVAL, async || {
        let held = site.held();
        held.get(&gateway).is_some_and(|said| !said.contains(gone))
    })
    .await;

    // The journal has its newest reading.
    let device = format!("battery_{}", both[0]);
    let before = site.announced(&device);
    site.broker.stop().await;
    site.broker.start_again().await;
    scraper.stderr_line("connected to the broker again").await;
    wait::until_true("another announcement", ARRIVAL, async || {
        site.announced(&device) > before
    })
    .await;
    site.has_batteries(|there| there == &both[..1]).await;
    assert!(scraper.terminate().await.success());

    site.envoy = Site::gateway(&LATER).await;
    let mut scraper = site.scraper().spawn();
    scraper
        .stderr_line("what was forgotten reports again")
        .await;
    site.has_batteries(|there| there == both).await;
    assert!(scraper.terminate().await.success());
}
