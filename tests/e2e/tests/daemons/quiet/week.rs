//! A week of undisturbed running, and then each part goes away once.

use std::collections::BTreeSet;
use std::time::Duration;

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::ledger::{Report, sorted};
use rig::programs::Program;
use rig::wait;

const ENVOY: &str = "202400000012";

const WEEK_S: i64 = 7 * 24 * 3600;

/// The simulated clock's speed: a week in some 25 seconds.
const SPEED: &str = "24000";

/// Lines of one daemon in a week in which nothing happens.
const QUIET: usize = 20;

/// This is for a machine that builds beside the test.
const DEADLINE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn a_week_is_a_few_lines_and_each_outage_two_more() {
    let test = "a week is a few lines and each outage two more";
    let Some(chain) = Chain::start_own(test, &[ENVOY]).await else {
        return;
    };
    // A restart of the Envoy is no new certificate, which would be a line of its own.
    let directory = tempfile::tempdir().expect("a temporary directory");
    let certificate = directory.path().join("certificate");
    let envoy = Gateway::start(&[
        "--certificate",
        certificate.to_str().expect("a plain path"),
        "--serial",
        ENVOY,
        "--report-interval",
        "900",
        "--start",
        "2026-06-20T03:00:00Z",
        "--speed",
        SPEED,
    ])
    .await;
    let mut receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let mut scraper = chain.scraper_polling(&envoy, ENVOY, "1ms").spawn();

    wait::until_true("a week", DEADLINE, async || span(&envoy.ledger()) >= WEEK_S).await;
    stored(&chain, &envoy).await;
    let reports = envoy.ledger().len();
    assert!(reports > 2000, "{reports} reports are no week");
    for daemon in [&scraper, &receiver] {
        let lines = daemon.stderr();
        assert!(lines.len() < QUIET, "{lines:?}");
    }

    let before = Lines::of(&scraper, &receiver);
    chain.broker.stop().await;
    scraper.stderr_line("no connection to the broker").await;
    receiver.stderr_line("no connection to the broker").await;
    chain.broker.start_again().await;
    scraper.stderr_line("connected to the broker again").await;
    receiver.stderr_line("connected to the broker again").await;
    stored(&chain, &envoy).await;
    let before = before.grew_by(2, 2, &scraper, &receiver);

    chain.influx.kill().await;
    receiver.stderr_line("the store takes no readings").await;
    chain.influx.start_again().await;
    receiver.stderr_line("the store takes readings again").await;
    stored(&chain, &envoy).await;
    let before = before.grew_by(0, 2, &scraper, &receiver);

    let stopped = envoy.stop().await;
    scraper
        .stderr_line("the Envoy's readings can't be had")
        .await;
    let newest = stopped
        .ledger()
        .iter()
        .map(|report| report.reported_at)
        .max();
    // Later than its clock was, which has gone on since then for a night at most: a clock that is set back is a line more.
    let later = newest.expect("something was shown") + 12 * 3600;
    let beginning = jiff::Timestamp::from_second(later).expect("a time");
    let envoy = stopped.start_again(beginning).await;
    scraper
        .stderr_line("the Envoy's readings are there again")
        .await;
    stored(&chain, &envoy).await;
    // And that it came back with another token.
    before.grew_by(3, 0, &scraper, &receiver);

    let shown = sorted(envoy.stop().await.ledger());
    wait::until_true("all of it in the database", DEADLINE, async || {
        chain.stored().await == shown
    })
    .await;
    assert!(scraper.terminate().await.success());
    assert!(receiver.terminate().await.success());
}

/// From the first to the last of them, in seconds.
fn span(reports: &[Report]) -> i64 {
    let times = || reports.iter().map(|report| report.reported_at);
    let (first, last) = (times().min(), times().max());
    last.zip(first).map_or(0, |(last, first)| last - first)
}

/// Waits until as many reports were written as had been shown until now. A query of a database that
/// is written to without a pause would see half a point each time.
async fn stored(chain: &Chain, envoy: &Gateway) {
    let shown = envoy.ledger().len();
    wait::until_true("all that was shown is written", DEADLINE, async || {
        let written: BTreeSet<String> = chain.tap.lines().into_iter().collect();
        written.len() >= shown
    })
    .await;
}

/// How much was logged until now.
struct Lines {
    scraper: usize,
    receiver: usize,
}

impl Lines {
    fn of(scraper: &Program, receiver: &Program) -> Self {
        Self {
            scraper: scraper.stderr().len(),
            receiver: receiver.stderr().len(),
        }
    }

    /// How much it is now; so many lines have come at most.
    fn grew_by(self, scraper: usize, receiver: usize, s: &Program, r: &Program) -> Self {
        let now = Self::of(s, r);
        let news = now.scraper - self.scraper;
        assert!(news <= scraper, "{:?}", s.stderr());
        let news = now.receiver - self.receiver;
        assert!(news <= receiver, "{:?}", r.stderr());
        now
    }
}
