//! The single process: what its SQLite file holds equals what its simulated Envoy has shown.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Duration;

use rig::ledger::{self, Report};
use rig::programs::{Binary, Start};
use rig::wait;
use rusqlite::{Connection, OpenFlags};

/// A simulated day takes half a minute; this leaves room on a machine that builds beside it.
const A_DAY: Duration = Duration::from_mins(3);

/// What 12 inverters report at least on a winter's day.
const A_DAYS_REPORTS: usize = 12 * 30;

#[tokio::test]
async fn a_day_in_one_process_is_in_its_file_as_it_was_shown() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = directory.path().join("ledger.jsonl");
    let settings = directory.path().join("settings.toml");
    std::fs::write(
        &settings,
        format!(
            "[testing]\nspeed = 2880\npoll_interval = \"100ms\"\nledger = \"{}\"\n",
            ledger.display()
        ),
    )
    .unwrap();
    let program = Start::new(Binary::Standalone)
        .arg("--config")
        .arg(&settings)
        .args(["--broker-listen", "127.0.0.1:0", "--state-dir"])
        .arg(directory.path())
        .spawn();
    program.stdout_line("simulated").await;
    let shown_line = program.stdout_line(" W  (peak ").await;
    assert!(shown_line.contains("inverter "), "{shown_line}");

    let database = directory.path().join("simulated/readings.sqlite");
    wait::until_true("all that was shown is in the file", A_DAY, async || {
        let shown = ledger::read(&ledger);
        shown.len() >= A_DAYS_REPORTS && stored(&database) == sorted(shown)
    })
    .await;
    assert!(program.terminate().await.success());
}

fn sorted(mut reports: Vec<Report>) -> Vec<Report> {
    reports.sort();
    reports
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
