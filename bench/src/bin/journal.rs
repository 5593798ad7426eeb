//! What an append to the journal costs, beside the least that keeps the same bytes: appending them
//! to a plain file and syncing it. And how long a journal of the default size lasts.
//!
//! `cargo run --release -p bench --bin journal [directory]`: on the disk of that directory, or on
//! that of temporary files.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use scraper::journal::Journals;
use wire::Inverter as Report;
use wire::{Reading, ReportTime, Serial};

/// The default size of a journal, in bytes.
const SIZE: u64 = 32 * 1024 * 1024;

/// Reports of an inverter in a day: each 15 minutes, 10 hours.
const REPORTS_A_DAY: u64 = 40;

/// Appends that are timed, of each kind in turn, so that both meet the same disk.
const ROUNDS: usize = 200;

fn main() -> anyhow::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::tempdir_in(directory)?;
    println!("append and fsync, ms: median (90th percentile) of {ROUNDS}");
    for inverters in [10, 100, 300] {
        time(directory.path(), inverters)?;
    }
    println!();
    println!("a journal of {SIZE} bytes");
    for inverters in [10, 30, 100, 300] {
        fill(directory.path(), inverters)?;
    }
    Ok(())
}

fn envoy(number: u32) -> anyhow::Result<Serial> {
    Ok(format!("1220{number:08}").parse()?)
}

fn reports(inverters: u32, poll: u64) -> anyhow::Result<Vec<Report>> {
    let at = 1_700_000_000 + i64::try_from(poll)? * 900;
    (0..inverters)
        .map(|number| {
            Ok(Report {
                serial: format!("1210{number:08}").parse()?,
                reported_at: ReportTime::from_unix_seconds(at + i64::from(number))?,
                device_type: Some(1),
                power_w: i32::try_from(poll * 7 % 300)?,
                peak_power_w: 295,
                detail: None,
            })
        })
        .collect()
}

fn time(directory: &Path, inverters: u32) -> anyhow::Result<()> {
    let journals = Journals::open(directory, &envoy(inverters)?, SIZE)?;
    let path = directory.join(format!("plain-{inverters}"));
    let mut plain = OpenOptions::new().create(true).append(true).open(path)?;
    let (mut journal_times, mut plain_times) = (Vec::new(), Vec::new());
    for poll in 0..u64::try_from(ROUNDS)? {
        let reports = reports(inverters, poll)?;
        let start = Instant::now();
        let readings = journals.append(reports);
        journal_times.push(start.elapsed());
        let bytes = lines(&readings)?;
        let start = Instant::now();
        append(&mut plain, &bytes)?;
        plain_times.push(start.elapsed());
    }
    anyhow::ensure!(journals.spans().len() == 1, "the disk failed");
    let (journal, plain) = (Times::of(journal_times)?, Times::of(plain_times)?);
    println!(
        "{inverters:>4} inverters: journal {journal}, plain file {plain}, ratio of medians {:.2}",
        journal.median.as_secs_f64() / plain.median.as_secs_f64()
    );
    Ok(())
}

/// The same content: the journal's records are the readings without what all have in common.
fn lines(readings: &[Reading]) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for reading in readings {
        let mut value: serde_json::Value = serde_json::from_str(&reading.encode())?;
        let object = value.as_object_mut().context("a reading is an object")?;
        object.remove("envoy");
        object.remove("journal");
        serde_json::to_writer(&mut bytes, &value)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn append(file: &mut File, bytes: &[u8]) -> anyhow::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()?;
    Ok(())
}

struct Times {
    median: Duration,
    high: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> anyhow::Result<Self> {
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).copied();
        Ok(Self {
            median: at(50).context("no times")?,
            high: at(90).context("no times")?,
        })
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(formatter, "{:.2} ({:.2})", ms(self.median), ms(self.high))
    }
}

/// Appends polls until readings leave the journal, and some more, so that it is as it will stay.
fn fill(directory: &Path, inverters: u32) -> anyhow::Result<()> {
    let envoy = envoy(1_000_000 + inverters)?;
    let path = directory.join(format!("journal-{envoy}.redb"));
    let journals = Journals::open(directory, &envoy, SIZE)?;
    let (mut poll, mut longest, mut least) = (0, 0, u64::MAX);
    let mut pruned_for = 0;
    let mut before_pruning = None;
    let mut slowest = Duration::ZERO;
    while pruned_for < 3 {
        // Larger polls than real ones, for the sake of time; the pages are the same.
        let mut batch = Vec::new();
        for _ in 0..=1000 / inverters {
            batch.extend(reports(inverters, poll)?);
            poll += 1;
        }
        let first = journals.spans()[0].first();
        let start = Instant::now();
        journals.append(batch);
        slowest = slowest.max(start.elapsed());
        let span = journals.spans().remove(0);
        if span.first() != first {
            pruned_for += 1;
            before_pruning.get_or_insert(span.last());
            least = least.min(span.len());
        }
        longest = longest.max(std::fs::metadata(&path)?.len());
    }
    anyhow::ensure!(journals.spans().len() == 1, "the disk failed");
    drop(journals);
    let start = Instant::now();
    drop(Journals::open(directory, &envoy, SIZE)?);
    let opening = start.elapsed();
    let held = before_pruning.context("nothing was pruned")?;
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let (per_reading, days) = (
        longest as f64 / held as f64,
        least as f64 / (f64::from(inverters) * REPORTS_A_DAY as f64),
    );
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let yearly = per_reading * (REPORTS_A_DAY * 365) as f64 / 1e6;
    println!(
        "{inverters:>4} inverters: {per_reading:.0} bytes a reading, {yearly:.2} MB per inverter \
         and year, at least {least} readings are held: {days:.0} days; the file never exceeded \
         {longest} bytes; the slowest append, which made room for 1,000 readings, took {} ms, to \
         open and close the full journal {} ms",
        slowest.as_millis(),
        opening.as_millis()
    );
    Ok(())
}
