//! What was announced to Home Assistant elsewhere than now, or is not announced any more.

use rig::wait;

use super::{ENVOY, Site};
use crate::ARRIVAL;

/// Another prefix, which those may read who read the usual one.
const MOVED: &str = "homeassistant/moved";

impl Site {
    /// How many devices are announced below a prefix.
    fn devices_below(&self, prefix: &str) -> usize {
        let beginning = format!("{prefix}/device/{ENVOY}/");
        let held = self.held();
        held.keys()
            .filter(|topic| topic.starts_with(&beginning))
            .count()
    }

    async fn announces(&self, here: &str, not_there: &str) {
        wait::until_true("the devices in one place", ARRIVAL, async || {
            self.devices_below(here) == 4 && self.devices_below(not_there) == 0
        })
        .await;
    }
}

#[tokio::test]
async fn devices_are_announced_below_one_prefix_at_a_time() {
    let test = "devices are announced below one prefix at a time";
    let Some(site) = Site::start(test, "1").await else {
        return;
    };
    let rights = format!("user {ENVOY}\ntopic readwrite {MOVED}/device/{ENVOY}/#\n");
    site.broker.add_rights(&rights).await;
    let mut scraper = site.scraper().spawn();
    site.announces("homeassistant", MOVED).await;
    assert!(scraper.terminate().await.success());

    let moved = || site.scraper().env("HOME_ASSISTANT_PREFIX", MOVED);
    let mut scraper = moved().spawn();
    site.announces(MOVED, "homeassistant").await;
    assert!(scraper.terminate().await.success());

    let mut scraper = moved().env("HOME_ASSISTANT", "false").spawn();
    wait::until_true("no device", ARRIVAL, async || {
        site.devices_below(MOVED) == 0
    })
    .await;
    assert_eq!(site.readings().len(), 3, "its readings stay");
    assert!(scraper.terminate().await.success());

    let mut scraper = site.scraper().spawn();
    site.announces("homeassistant", MOVED).await;
    assert!(scraper.terminate().await.success());
}
