//! The numbers are those of the ledger.

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::programs::{Binary, Start};
use rig::wait;

use super::{address, get, is_ready, listening, metric, shows, status};
use crate::{ARRIVAL, WITH_SUN};

const ENVOY: &str = "202400000072";

#[tokio::test]
#[allow(clippy::cast_precision_loss, reason = "some hundred readings")]
async fn what_was_shown_is_what_was_published_written_and_shown_as_gauges() {
    let test = "what was shown is what was published written and shown as gauges";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let inverters = 5;
    let arguments = [
        &[
            "--serial",
            ENVOY,
            "--inverters",
            "5",
            "--report-interval",
            "900",
        ],
        &WITH_SUN[..2],
        &["--speed", "900"][..],
    ];
    let envoy = Gateway::start(&arguments.concat()).await;
    let receiver = listening(chain.receiver()).spawn();
    let scraper = chain
        .scraper(&envoy, ENVOY)
        .env("METRICS_INVERTERS", "true");
    let scraper = listening(scraper).spawn();
    let (of_scraper, of_receiver) = (address(&scraper).await, address(&receiver).await);
    is_ready(&of_scraper).await;
    is_ready(&of_receiver).await;
    wait::until_true("some reports of each inverter", ARRIVAL, async || {
        envoy.ledger().len() >= 4 * inverters
    })
    .await;
    // Nothing comes after this.
    let shown = envoy.stop().await.ledger();
    let count = written(&chain, shown.len()).await as f64;
    shows(&of_scraper, "envoy_scraper_readings_published_total", count).await;
    shows(&of_receiver, "envoy_receiver_points_written_total", count).await;
    shows(&of_scraper, "envoy_scraper_readings_waiting", 0.0).await;
    shows(&of_scraper, "envoy_scraper_journal_readings", count).await;
    for (address, series, wanted) in [
        (&of_scraper, "envoy_scraper_broker_connected", 1.0),
        (&of_receiver, "envoy_receiver_broker_connected", 1.0),
        (&of_receiver, "envoy_receiver_dead_letters_total", 0.0),
        (&of_scraper, "envoy_scraper_readings_given_up_total", 0.0),
    ] {
        let value = metric(address, series).await;
        assert_eq!(value, Some(wanted), "{series}");
    }
    for (address, series) in [
        (&of_scraper, "envoy_scraper_last_poll_timestamp_seconds"),
        (&of_scraper, "envoy_scraper_last_publish_timestamp_seconds"),
        (
            &of_scraper,
            "envoy_scraper_last_acknowledge_timestamp_seconds",
        ),
        (&of_scraper, "envoy_scraper_journal_size_bytes"),
        (&of_scraper, "envoy_scraper_poll_duration_seconds_count"),
        (&of_receiver, "envoy_receiver_last_write_timestamp_seconds"),
        (
            &of_receiver,
            "envoy_receiver_last_acknowledge_timestamp_seconds",
        ),
        (&of_receiver, "envoy_receiver_write_duration_seconds_count"),
        (&of_receiver, "envoy_receiver_batch_readings_sum"),
    ] {
        let value = metric(address, series).await;
        assert!(
            value.is_some_and(|value| value > 0.0),
            "{series}: {value:?}"
        );
    }

    // The plain topics and the gauges.
    let retained = chain.shown(inverters).await;
    assert_eq!(retained.len(), inverters);
    for report in retained.values() {
        let labels = format!("{{envoy=\"{ENVOY}\",inverter=\"{}\"}}", report.inverter);
        let power = metric(&of_scraper, &format!("envoy_inverter_power_watts{labels}")).await;
        assert_eq!(power, Some(f64::from(report.power_w)), "{labels}");
        let time = format!("envoy_inverter_last_report_timestamp_seconds{labels}");
        let time = metric(&of_scraper, &time).await;
        assert_eq!(time, Some(report.reported_at as f64), "{labels}");
    }

    // With the Envoy away.
    assert_eq!(status(&of_scraper, "/healthz").await, 200);
    assert_eq!(status(&of_scraper, "/readyz").await, 200);
    for address in [&of_scraper, &of_receiver] {
        let (_, exposition) = get(address, "/metrics").await.expect("it listens");
        assert!(exposition.ends_with("# EOF\n"), "{exposition}");
        let secrets = [
            chain.scraper_account(ENVOY).password(),
            chain.receiver_account().password(),
            chain.influx.token(),
        ];
        assert!(secrets.iter().all(|secret| !exposition.contains(secret)));
    }
}

/// How many points were written, once these reports are among them: what the site made went with them. No more
/// comes, since the Envoy's clock has stopped.
async fn written(chain: &Chain, reports: usize) -> usize {
    let of = |measurement: &str| {
        let lines = chain.tap.lines();
        let those = lines.iter().filter(|line| line.starts_with(measurement));
        those.count()
    };
    wait::until_true("each report in the database", ARRIVAL, async || {
        of("inverterPower,") == reports
    })
    .await;
    let sites = of("site,");
    assert!(sites > 0);
    reports + sites
}

#[tokio::test]
async fn the_single_process_shows_what_both_daemons_show() {
    let directory = tempfile::tempdir().expect("a directory");
    let start = Start::new(Binary::Standalone)
        .args(["--broker-listen", "127.0.0.1:0", "--state-dir"])
        .arg(directory.path());
    let program = listening(start).spawn();
    let address = address(&program).await;
    is_ready(&address).await;
    wait::until_true("readings in the store", ARRIVAL, async || {
        let written = metric(&address, "envoy_receiver_points_written_total").await;
        let published = metric(&address, "envoy_scraper_readings_published_total").await;
        written.is_some_and(|count| count > 0.0) && written == published
    })
    .await;
    assert_eq!(status(&address, "/healthz").await, 200);
    let (_, exposition) = get(&address, "/metrics").await.expect("it listens");
    assert!(
        !exposition.contains("envoy_inverter_power_watts{"),
        "it is off"
    );
}
