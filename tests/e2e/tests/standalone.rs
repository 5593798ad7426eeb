//! The single process: what its SQLite file holds equals what its simulated Envoy has shown.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rig::ledger::{self, Report, sorted};
use rig::programs::{Binary, Start};
use rig::wait;
use rusqlite::{Connection, OpenFlags};

/// A simulated day takes half a minute, and a quiet moment after it half as long; this leaves room
/// on a machine that builds beside it.
const A_DAY: Duration = Duration::from_mins(3);

/// With a simulated twenty minutes between two polls each of them has something new, and what it
/// has is in the file before the next one.
const SETTINGS: &str = "speed = 2880\npoll_interval = \"400ms\"";

/// What a line about a reading has, and no other.
const READING: &str = " W  (peak ";

#[tokio::test]
async fn a_day_in_one_process_is_printed_and_in_its_file_as_it_was_shown() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = directory.path().join("ledger.jsonl");
    let settings = directory.path().join("settings.toml");
    let testing = format!("[testing]\n{SETTINGS}\nledger = \"{}\"\n", ledger.display());
    std::fs::write(&settings, testing).unwrap();
    let mut program = Start::new(Binary::Standalone)
        .arg("--config")
        .arg(&settings)
        .args(["--broker-listen", "127.0.0.1:0", "--state-dir"])
        .arg(directory.path())
        .spawn();
    program.stdout_line("simulated").await;

    let database = directory.path().join("simulated/readings.sqlite");
    wait::until_true("the next morning's reports", A_DAY, async || {
        reaches_the_next_morning(&ledger::read(&ledger))
    })
    .await;
    wait::until_true("all that was shown is in the file", A_DAY, async || {
        stored(&database) == sorted(ledger::read(&ledger))
    })
    .await;

    assert!(program.terminate().await.success());
    let shown = sorted(ledger::read(&ledger));
    assert_eq!(stored(&database), shown);
    let mut printed: Vec<String> = program.stdout();
    printed.retain(|line| line.contains(READING));
    assert_eq!(printed.len(), shown.len(), "each is printed, once");
    for report in &shown {
        let part = format!(
            "inverter {}  {:>4} W  (peak {} W)",
            report.inverter, report.power_w, report.peak_power_w
        );
        assert!(printed.iter().any(|line| line.ends_with(&part)), "{part}");
    }
}

/// How often the process is killed.
const KILLS: u64 = 12;

#[tokio::test]
async fn a_process_that_is_killed_at_random_moments_has_all_in_its_file_that_it_could_have_seen() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = directory.path().join("ledger.jsonl");
    let settings = directory.path().join("settings.toml");
    // Each poll has something new, and is over within milliseconds.
    let often = "speed = 2880\npoll_interval = \"60ms\"";
    let testing = format!("[testing]\n{often}\nledger = \"{}\"\n", ledger.display());
    std::fs::write(&settings, testing).unwrap();
    let start = Start::new(Binary::Standalone)
        .arg("--config")
        .arg(&settings)
        .args(["--broker-listen", "127.0.0.1:0", "--state-dir"])
        .arg(directory.path());

    let mut excused = Vec::new();
    for kill in 0..KILLS {
        let before = ledger::read(&ledger).len();
        let program = start.spawn();
        wait::until_true("further reports", A_DAY, async || {
            // Some kills come at the first report, some in the middle of everything.
            ledger::read(&ledger).len() as u64 > before as u64 + 7 * kill
        })
        .await;
        program.kill();
        // An answer that was shown and not yet written is no promise; the one before it was.
        excused.extend(newest_of_each(&ledger::read(&ledger)[before..]));
    }
    let database = directory.path().join("simulated/readings.sqlite");
    let mut program = start.spawn();
    // Before that it ends by a signal as every program does, not in an orderly way.
    program.stdout_line("Readings as they are stored").await;
    let promised: Vec<Report> = ledger::read(&ledger)
        .into_iter()
        .filter(|report| !excused.contains(report))
        .collect();
    wait::until_true("all that was promised is in the file", A_DAY, async || {
        let stored = stored(&database);
        promised.iter().all(|report| is_among(report, &stored))
    })
    .await;
    assert!(program.terminate().await.success());
    assert!(promised.len() > 200, "there was something to lose");
    let shown = ledger::read(&ledger);
    let strange = stored(&database)
        .into_iter()
        .find(|report| !is_among(report, &shown));
    assert_eq!(strange, None, "nothing is there that was never shown");
}

fn newest_of_each(shown: &[Report]) -> Vec<Report> {
    let mut newest: BTreeMap<&str, &Report> = BTreeMap::new();
    for report in shown {
        newest.insert(&report.inverter, report);
    }
    newest.into_values().cloned().collect()
}

/// Each process simulates its Envoy anew, and two of them may report for one second: then either is right.
fn is_among(report: &Report, others: &[Report]) -> bool {
    let same = |other: &&Report| {
        (&other.envoy, &other.inverter, other.reported_at)
            == (&report.envoy, &report.inverter, report.reported_at)
    };
    others.iter().any(|other| same(&other))
}

/// Whether the reports span a whole day. What an inverter shows first was frozen at the dusk before
/// the simulation began, so its day begins with its second report.
fn reaches_the_next_morning(reports: &[Report]) -> bool {
    let mut times: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for report in reports {
        let of_inverter = times.entry(&report.inverter).or_default();
        of_inverter.push(report.reported_at);
    }
    let morning = times.values().filter_map(|times| times.get(1)).min();
    let newest = times.values().flatten().max();
    morning
        .zip(newest)
        .is_some_and(|(morning, newest)| newest - morning > 24 * 3600)
}

/// The file's readings, read without any code of ours.
fn stored(database: &Path) -> Vec<Report> {
    let connection =
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut query = connection
        .prepare(
            "SELECT envoy, serial, reported_at, device_type, power_w, peak_power_w \
             FROM inverter_reading ORDER BY envoy, serial, reported_at",
        )
        .unwrap();
    query
        .query_map([], |row| {
            Ok(Report {
                envoy: row.get(0)?,
                inverter: row.get(1)?,
                reported_at: row.get(2)?,
                device_type: row.get(3)?,
                power_w: row.get(4)?,
                peak_power_w: row.get(5)?,
            })
        })
        .unwrap()
        .map(Result::unwrap)
        .collect()
}
