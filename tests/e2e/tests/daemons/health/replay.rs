//! What was missing shows on both sides: asked for by the receiver, sent again by the scraper.

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::wait;

use super::{address, is_ready, listening, metric, shows};
use crate::{ARRIVAL, WITH_SUN};

const ENVOY: &str = "202400000073";

#[tokio::test]
async fn readings_from_before_a_receiver_are_asked_for_and_sent_again_and_both_sides_count_them() {
    let test =
        "readings from before a receiver are asked for and sent again and both sides count them";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let inverters = 5;
    let arguments = [
        &["--serial", ENVOY, "--inverters", "5"][..],
        &["--report-interval", "900"],
        &WITH_SUN[..2],
        &["--speed", "900"],
    ];
    let envoy = Gateway::start(&arguments.concat()).await;
    let scraper = listening(chain.scraper(&envoy, ENVOY)).spawn();
    let of_scraper = address(&scraper).await;
    is_ready(&of_scraper).await;
    wait::until_true("some reports of each inverter", ARRIVAL, async || {
        envoy.ledger().len() >= 4 * inverters
    })
    .await;
    // Nothing comes after this.
    let shown = envoy.stop().await.ledger().len();
    let published = published(&of_scraper, shown).await;

    // The plain topics keep the newest alone, and nobody was there for those before.
    let receiver = listening(chain.receiver()).spawn();
    let of_receiver = address(&receiver).await;
    wait::until_true("each reading in the database", ARRIVAL, async || {
        let written = metric(&of_receiver, "envoy_receiver_points_written_total").await;
        written.is_some_and(|count| count >= published)
    })
    .await;
    shows(&of_receiver, "envoy_receiver_messages_waiting", 0.0).await;
    let number = async |address: &str, series: &str| {
        let value = metric(address, series).await;
        value.unwrap_or_else(|| panic!("{series} is not there"))
    };
    let asked = number(&of_receiver, "envoy_receiver_readings_asked_for_total").await;
    assert!(
        asked >= published - 2.0 * 5.0 - 2.0,
        "{asked} of {published}"
    );
    shows(&of_scraper, "envoy_scraper_readings_asked_for_total", asked).await;
    let again = number(&of_scraper, "envoy_scraper_readings_sent_again_total").await;
    assert!(again > 0.0 && again <= asked, "{again} of {asked}");
    let lost = number(&of_receiver, "envoy_receiver_readings_lost_total").await;
    assert!(lost < 0.5, "{lost}");
    let last_receive = "envoy_receiver_last_receive_timestamp_seconds";
    assert!(number(&of_receiver, last_receive).await > 0.0);
}

/// How many readings the broker has acknowledged, once these reports are among them and no more come.
#[allow(clippy::cast_precision_loss, reason = "some hundred readings")]
async fn published(of_scraper: &str, reports: usize) -> f64 {
    let mut count = 0.0;
    wait::until_true("each report at the broker", ARRIVAL, async || {
        let published = metric(of_scraper, "envoy_scraper_readings_published_total").await;
        let held = metric(of_scraper, "envoy_scraper_journal_readings").await;
        count = published.unwrap_or_default();
        count >= reports as f64 && published == held
    })
    .await;
    count
}
