//! Every recorded gateway, replayed by the simulator and read by the real scraper.

#![allow(clippy::unwrap_used, missing_docs)]

use rig::gateway::Gateway;
use rig::ledger::Report;
use rig::programs::Binary;
use rig::recordings::{self, Recording};

async fn replay(recording: &Recording) -> Gateway {
    let directory = recording.directory().to_str().unwrap();
    Gateway::start(&["--recording", directory]).await
}

#[tokio::test]
async fn what_print_shows_equals_what_the_gateway_recorded() {
    for recording in recordings::all().iter().filter(|r| r.lists_inverters()) {
        let gateway = replay(recording).await;
        let output = gateway
            .reader(Binary::Scraper)
            .args(["print", "--json"])
            .to_end();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {errors}", recording.name());
        let mut printed: Vec<Report> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(Report::published)
            .collect();
        printed.sort();
        assert!(!printed.is_empty(), "{} lists inverters", recording.name());
        assert_eq!(printed, recording.reports(), "{}", recording.name());
    }
}

#[tokio::test]
async fn a_gateway_that_rejects_the_password_is_answered_with_what_to_check() {
    let all = recordings::all();
    let rejecting: Vec<_> = all.iter().filter(|r| !r.lists_inverters()).collect();
    assert_eq!(rejecting.len(), usize::from(!all.is_empty()));
    for recording in rejecting {
        let gateway = replay(recording).await;
        let output = gateway.reader(Binary::Scraper).arg("print").to_end();
        assert_eq!(output.status.code(), Some(1), "{}", recording.name());
        assert!(output.stdout.is_empty());
        let errors = String::from_utf8(output.stderr).unwrap();
        for part in ["installer", "ENVOY_USERNAME", "ENVOY_PASSWORD"] {
            assert!(errors.contains(part), "{part} is missing in: {errors}");
        }
    }
}

#[tokio::test]
async fn the_table_has_a_row_for_each_inverter_and_their_sum() {
    for recording in recordings::all().iter().filter(|r| r.lists_inverters()) {
        let gateway = replay(recording).await;
        let output = gateway.reader(Binary::Scraper).arg("print").to_end();
        let table = String::from_utf8(output.stdout).unwrap();
        let reports = recording.reports();
        for report in &reports {
            let row = table
                .lines()
                .find(|line| line.starts_with(&report.inverter))
                .unwrap_or_else(|| panic!("{} in:\n{table}", report.inverter));
            assert!(row.contains(&format!(" {} W", report.power_w)), "{row}");
        }
        let sum: i32 = reports.iter().map(|report| report.power_w).sum();
        assert!(table.contains(&format!(" {sum} W")), "{sum} in:\n{table}");
    }
}
