//! What the receiver keeps of each Envoy: its marks and its audit, in bytes, and what they cost. Called by
//! `bench/scale`, one process for each number, so that nothing is left of another one.
//!
//! `cargo run --release -p bench --bin marks ENVOYS` prints in one line, by white space: the bytes of the marks of
//! an Envoy, those of its audit, the bytes that its marks take in a file, the nanoseconds in which a reading is
//! marked, and those of each Envoy when it is looked for what the store lacks.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::hint::black_box;
use std::time::Duration;

use anyhow::Context;
use receiver::audit::Audit;
use store::{Marks, MarksFile};
use tokio::time::Instant;
use wire::{Announcement, JournalId, JournalSpan, Serial};

/// Each Envoy's readings so far.
const READINGS: u64 = 1_000;

/// How long a reading may take from its announcement to the store.
const WAIT: Duration = Duration::from_mins(1);

fn main() -> anyhow::Result<()> {
    let count: u64 = std::env::args().nth(1).context("ENVOYS")?.parse()?;
    let before = resident()?;
    let mut marks = Marks::default();
    for number in (0..count).map(|number| shuffled(number, count)) {
        let (envoy, journal) = names(number)?;
        marks.settle(&envoy, &journal, 1..=READINGS);
    }
    let with_marks = resident()?;
    let mut audit = Audit::new(WAIT);
    let mut now = Instant::now();
    for number in (0..count).map(|number| shuffled(number, count)) {
        let (envoy, journal) = names(number)?;
        let announcement = Announcement {
            instance: "p7000000".parse()?,
            journals: vec![JournalSpan::new(journal, 1, READINGS)?],
            waiting: 0,
        };
        audit.announced(&envoy, &announcement, &mut marks, now);
    }
    let with_audit = resident()?;
    now += 2 * WAIT;
    let begun = std::time::Instant::now();
    let (requests, _) = black_box(audit.requests(&marks, now));
    let looking = begun.elapsed();
    anyhow::ensure!(requests.is_empty(), "{} are asked for", requests.len());

    let begun = std::time::Instant::now();
    for number in (0..count).map(|number| shuffled(number, count)) {
        let (envoy, journal) = names(number)?;
        marks.settle(&envoy, &journal, READINGS + 1..=READINGS + 1);
    }
    let marking = begun.elapsed();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("marks.json");
    MarksFile::new(path.clone(), "bench".to_owned()).save(&marks)?;
    println!(
        "{} {} {} {} {}",
        (with_marks - before) / count,
        (with_audit - with_marks) / count,
        path.metadata()?.len() / count,
        marking.as_nanos() / u128::from(count),
        looking.as_nanos() / u128::from(count),
    );
    Ok(())
}

/// Each number below `count` once, in an order that is none of their names.
fn shuffled(number: u64, count: u64) -> u64 {
    // A prime that divides no power of ten.
    number * 7_919 % count
}

fn names(number: u64) -> anyhow::Result<(Serial, JournalId)> {
    Ok((
        format!("1220{number:08}").parse()?,
        format!("k{number:07}").parse()?,
    ))
}

/// The memory of this process, in bytes.
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .context("VmRSS")?;
    let kib = line.split_whitespace().nth(1).context("a number")?;
    Ok(kib.parse::<u64>()? * 1024)
}
