//! An inverter that was taken down.

use rig::wait;

use super::{ENVOY, Site, says};
use crate::ARRIVAL;
use crate::health::{address, listening, metric};

/// Waits until the metrics count so many inverters.
async fn counts(metrics: &str, wanted: f64) {
    wait::until_true("the inverters of all states", ARRIVAL, async || {
        let mut count = 0.0;
        for state in ["reporting", "asleep", "silent"] {
            let series = format!("envoy_scraper_inverters{{state=\"{state}\"}}");
            count += metric(metrics, &series).await.unwrap_or_default();
        }
        (count - wanted).abs() < 0.5
    })
    .await;
}

/// Whether the metrics have the power of an inverter.
async fn is_measured(metrics: &str, inverter: &str) -> bool {
    let series = format!("envoy_inverter_power_watts{{envoy=\"{ENVOY}\",inverter=\"{inverter}\"}}");
    metric(metrics, &series).await.is_some()
}

#[tokio::test]
async fn a_forgotten_inverter_stays_away_whatever_starts_again() {
    let test = "a forgotten inverter stays away whatever starts again";
    let Some(site) = Site::start(test, "1").await else {
        return;
    };
    let mut scraper = listening(site.scraper())
        .env("METRICS_INVERTERS", "true")
        .spawn();
    let metrics = address(&scraper).await;
    let inverters = site.all_are_there().await;
    // The last is announced last.
    let (gone, other) = (&inverters[0], &inverters[2]);
    counts(&metrics, 3.0).await;
    assert!(is_measured(&metrics, gone).await);

    let output = site.forget(gone);
    assert!(output.status.success(), "{}", says(&output));
    assert!(says(&output).contains("is forgotten until it reports again"));
    scraper.stderr_line("this is forgotten").await;
    wait::until_true("nothing of it", ARRIVAL, async || {
        site.health_lists(gone) == Some(false)
            && site.readings() == inverters[1..]
            && site.devices() == inverters[1..]
    })
    .await;
    counts(&metrics, 2.0).await;
    assert!(!is_measured(&metrics, gone).await);
    assert!(is_measured(&metrics, other).await);

    let before = site.announced(other);
    site.broker.stop().await;
    site.broker.start_again().await;
    scraper.stderr_line("connected to the broker again").await;
    site.said_again_without(gone, other, before).await;

    assert!(scraper.terminate().await.success());
    let before = site.announced(other);
    let mut scraper = site.scraper().spawn();
    site.said_again_without(gone, other, before).await;
    // A second time it is no mistake.
    let output = site.forget(gone);
    assert!(output.status.success(), "{}", says(&output));
    assert!(scraper.terminate().await.success());
    // Home Assistant warns of a device that is cleared and not there.
    let device = format!("homeassistant/device/{ENVOY}/{gone}/config");
    let seen = site.subscriber.seen();
    let cleared = seen
        .iter()
        .filter(|seen| seen.topic == device && seen.payload.is_empty());
    assert_eq!(cleared.count(), 1);
}

#[tokio::test]
async fn an_inverter_can_be_forgotten_while_its_scraper_is_off() {
    let test = "an inverter can be forgotten while its scraper is off";
    let Some(site) = Site::start(test, "1").await else {
        return;
    };
    let mut scraper = site.scraper().spawn();
    let inverters = site.all_are_there().await;
    assert!(scraper.terminate().await.success());
    let (gone, other) = (&inverters[0], &inverters[2]);
    let output = site.forget(gone);
    assert!(output.status.success(), "{}", says(&output));
    wait::until_true("nothing of it", ARRIVAL, async || {
        site.readings() == inverters[1..] && site.devices() == inverters[1..]
    })
    .await;
    let before = site.announced(other);
    let mut scraper = site.scraper().spawn();
    site.said_again_without(gone, other, before).await;
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn a_forgotten_inverter_that_reports_again_is_back() {
    let test = "a forgotten inverter that reports again is back";
    let Some(site) = Site::start(test, "60").await else {
        return;
    };
    let mut scraper = site.scraper().spawn();
    let inverters = site.all_are_there().await;
    // Nothing new until the scraper has taken it up.
    site.envoy.freeze(true).await;
    let gone = &inverters[0];
    let output = site.forget(gone);
    assert!(output.status.success(), "{}", says(&output));
    scraper.stderr_line("this is forgotten").await;
    wait::until_true("nothing of it", ARRIVAL, async || {
        site.health_lists(gone) == Some(false) && site.readings() == inverters[1..]
    })
    .await;

    site.envoy.freeze(false).await;
    scraper
        .stderr_line("what was forgotten reports again")
        .await;
    site.all_are_there().await;
    assert_eq!(site.health_lists(gone), Some(true));
    assert!(scraper.terminate().await.success());
}
