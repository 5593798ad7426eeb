//! `check`: tries what the receiver needs, one step after the other, and takes no reading.

mod file;

use std::io::Write;
use std::time::Duration;

use daemon::check::Report;
use daemon::check::broker::{self, Caller, Passed};
use mqtt::Event;
use store::{Finding, InfluxDb, Outcome};
use tokio::time::timeout;
use wire::Topic;

use crate::config::{Chosen, Config};

const READINGS: &str = "readings";

/// How long a broker takes at most to send the first of the readings that it has kept.
const FIRST_READING: Duration = Duration::from_secs(5);

/// Takes every step, to the broker and to the store.
///
/// # Errors
/// When the settings can't be used at all; the message says why.
pub async fn check<W: Write>(
    config: &Config,
    store: &Chosen,
    report: &mut Report<W>,
) -> Result<(), String> {
    report.begin("broker");
    check_broker(config, report).await?;
    match store {
        Chosen::Influx(store) => check_influx(store.store(), report).await,
        Chosen::Sqlite(path) => {
            report.begin("SQLite");
            match file::check(path) {
                Ok(text) => report.passed("file", text),
                Err(problem) => report.failed("file", problem),
            }
        }
    }
    Ok(())
}

async fn check_influx<W: Write>(store: &InfluxDb, report: &mut Report<W>) {
    report.begin("InfluxDB");
    let awaited = format!(
        "InfluxDB takes long; it is given {} s for each answer",
        store::Settings::DEFAULT_TIMEOUT.as_secs()
    );
    let findings = report.patiently("reachable", &awaited, store.probe()).await;
    for Finding { step, outcome } in findings {
        match outcome {
            Outcome::Passed(text) => report.passed(step, text),
            Outcome::NotChecked(text) => report.skipped(step, text),
            Outcome::Failed { problem, remedy } => {
                report.failed(step, format!("{problem}; {remedy}"));
            }
        }
    }
}

async fn check_broker<W: Write>(config: &Config, report: &mut Report<W>) -> Result<(), String> {
    let caller = Caller {
        client_id: crate::client_id(&config.name),
        username: config.name.to_string(),
        account_command: format!("mosquitto/account receiver {} --keep-password", config.name),
        topic: Topic::ReceiverCheck {
            name: config.name.clone(),
        },
    };
    if let Some(mut passed) = broker::check(report, &config.broker, Some(&caller)).await? {
        let filter = config.broker.topic.inverters_filter();
        if is_published(&mut passed, &filter).await {
            report.passed(READINGS, format!("there are some on {filter}"));
        } else {
            report.skipped(
                READINGS,
                format!(
                    "none came from {filter}: no scraper has published yet, or this account may \
                     not read there (mosquitto/account receiver NAME --keep-password lets it)"
                ),
            );
        }
        passed.close().await;
    }
    Ok(())
}

/// Whether a reading is there. Mosquitto grants a subscription that its ACL forbids, and then sends
/// nothing, so this is all that can be known.
async fn is_published(passed: &mut Passed, filter: &str) -> bool {
    if passed.connection.subscribe([filter]).await.is_err() {
        return false;
    }
    let first = timeout(FIRST_READING, passed.events.next()).await;
    // It is not acknowledged: the session ends with the check, and so does its queue.
    matches!(first, Ok(Some(Event::Received(_))))
}
