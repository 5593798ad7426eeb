//! What waits for a broker is in the journal; in memory it takes next to nothing.
//!
//! One test, alone in its process, whose memory it measures.

#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::fs;

use scraper::delivery::outbox::Outbox;
use scraper::delivery::replay::Replay;
use wire::{JournalId, JournalSpan, Reading, ReplayRequest, ReportTime};

const INVERTERS: u64 = 300;

/// Reports of an inverter in a week: each quarter of an hour, ten hours a day.
const REPORTS: u64 = 7 * 40;

const WEEK: u64 = INVERTERS * REPORTS;

/// The most that the ranges and the newest reading of each inverter may take. The readings themselves
/// would take four times as much.
const MOST: u64 = 4 * 1024 * 1024;

/// What this process has in memory and nowhere else, in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    1024 * kilobytes.expect("in kB").parse::<u64>().expect("a number")
}

fn journal() -> JournalId {
    "j".parse().expect("an id")
}

fn reading(seq: u64) -> Reading {
    let (inverter, report) = ((seq - 1) % INVERTERS, (seq - 1) / INVERTERS);
    let minutes = i64::try_from(15 * report).expect("a week");
    Reading {
        envoy: "122000000001".parse().expect("a serial"),
        measured: wire::Inverter {
            serial: format!("1210{inverter:08}").parse().expect("a serial"),
            reported_at: ReportTime::from_unix_seconds(1_700_000_000 + 60 * minutes)
                .expect("a time"),
            device_type: Some(1),
            power_w: 200,
            peak_power_w: 300,
            detail: None,
        }
        .into(),
        journal: journal(),
        seq,
    }
}

#[test]
fn a_week_of_three_hundred_inverters_that_waits_takes_next_to_no_memory() {
    let before = memory();
    let mut outbox = Outbox::new(Vec::new());
    for seq in 1..=WEEK {
        outbox.add(&reading(seq));
    }
    assert_eq!(outbox.waiting(), WEEK);
    let taken = memory().saturating_sub(before);
    assert!(taken < MOST, "what waits takes {taken} bytes");

    // Receivers ask for all of it, piece by piece and several at once.
    let held = [JournalSpan::new(journal(), 1, WEEK).expect("a span")];
    let mut replay = Replay::default();
    for _ in 0..4 {
        for first in (1..=WEEK).step_by(1_000) {
            let piece = first..=(first + 999).min(WEEK);
            let request = ReplayRequest::new(journal(), vec![piece]).expect("a request");
            replay.ask(&request, &held);
        }
    }
    let taken = memory().saturating_sub(before);
    assert!(
        taken < MOST,
        "with what is asked for it takes {taken} bytes"
    );

    // The worst that a broker can make of it: every second one arrives.
    outbox.open();
    outbox.connected(HashMap::new());
    for seq in (1..=WEEK).step_by(2) {
        outbox.acknowledged(&journal(), seq);
    }
    outbox.announced();
    outbox.proven();
    assert_eq!(outbox.unproven(), WEEK / 2);
    let taken = memory().saturating_sub(before);
    assert!(taken < 4 * MOST, "in the worst case it takes {taken} bytes");
}
