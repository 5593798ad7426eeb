//! The journal in processes that are killed while they append, in two that want one file, and in one
//! whose files may not grow.
//!
//! This program runs itself again for those processes. One that is killed writes what each append
//! returned to a file, which outlives it. Its last line may be cut off: a process can be killed between two pages of what
//! it writes.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::RngExt;
use rustix::process::{Signal, getpid, kill_process};
use scraper::journal::{Journals, OpenError};
use wire::Inverter as Report;
use wire::{Reading, ReportTime, Serial};

/// Names the directory to a process that is to be killed.
const VICTIM: &str = "JOURNAL_VICTIM";
/// Names it to a process that holds a journal open.
const HOLDER: &str = "JOURNAL_HOLDER";

/// Names it to a process whose files may not grow.
const LIMITED: &str = "JOURNAL_LIMITED";

/// Directories, and kills in each of them: 3,600 in all. Each processor has one child at a time: with more
/// of them most would die before they have appended anything.
const FILES: u32 = 36;
const KILLS: u32 = 100;

const SIZE: u64 = 1024 * 1024;

/// Ends each line of what was returned. Without it a line was cut off, and its number may be, too.
const WHOLE: &str = " W";

fn envoy() -> Serial {
    "122000000001".parse().expect("a serial")
}

fn power(reading: &Reading) -> i32 {
    reading.measured.inverter().expect("an inverter's").power_w
}

fn report(power_w: i32) -> Report {
    Report {
        serial: "121000000001".parse().expect("a serial"),
        reported_at: ReportTime::from_unix_seconds(1_700_000_000).expect("a time"),
        device_type: Some(1),
        power_w,
        peak_power_w: 300,
        detail: None,
    }
}

fn again(test: &str, variable: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", test, "--nocapture"])
        .env(variable, directory)
        .stderr(Stdio::null());
    command
}

/// Ends this process after a random time, as `kill -9` does.
fn die_within(longest: Duration) {
    let micros = u64::try_from(longest.as_micros()).expect("a short time");
    let moment = Duration::from_micros(rand::rng().random_range(0..micros));
    std::thread::spawn(move || {
        let start = std::time::Instant::now();
        while start.elapsed() < moment {
            std::thread::yield_now();
        }
        kill_process(getpid(), Signal::KILL)
    });
}

/// Appends as fast as it can, and never returns.
fn append_until_killed(directory: &Path) {
    let mut random = rand::rng();
    // Some die while they open the journal.
    let dies_early = random.random_ratio(1, 4);
    if dies_early {
        die_within(Duration::from_millis(20));
    }
    let mut returned = OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("returned"))
        .expect("a file");
    // What the process before was killed over stays a line of its own.
    returned.write_all(b"\n").expect("a written line");
    let journals = Journals::open(directory, &envoy(), SIZE).expect("a journal");
    if !dies_early {
        die_within(Duration::from_millis(6));
    }
    loop {
        let count = random.random_range(1..6);
        let reports = (0..count).map(|_| report(random.random())).collect();
        let lines: Vec<String> = journals
            .append(reports)
            .iter()
            .map(|reading| (reading.journal.as_str(), reading.seq, power(reading)))
            .map(|(journal, seq, power)| format!("{journal} {seq} {power}{WHOLE}\n"))
            .collect();
        returned
            .write_all(lines.concat().as_bytes())
            .expect("a written line");
    }
}

/// Everything that was returned is in the journal, and was named once.
fn check(directory: &Path) -> usize {
    let journals = Journals::open(directory, &envoy(), SIZE).expect("a journal");
    assert_eq!(journals.spans().len(), 1, "it is on disk");
    let id = journals.id();
    let held: HashMap<u64, i32> = journals
        .readings(&id, 1..=u64::MAX, usize::MAX)
        .into_iter()
        .map(|reading| (reading.seq, power(&reading)))
        .collect();
    assert_eq!(held.len() as u64, journals.spans()[0].len());
    let returned = fs::read_to_string(directory.join("returned")).unwrap_or_default();
    let mut named = HashMap::new();
    for line in returned.lines().filter_map(|line| line.strip_suffix(WHOLE)) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [journal, seq, power] = fields[..] else {
            panic!("{line:?}")
        };
        let (seq, power): (u64, i32) = (seq.parse().expect("a seq"), power.parse().expect("W"));
        assert_eq!(journal, id.as_str(), "one journal for the life of the file");
        assert_eq!(named.insert(seq, power), None, "{seq} was given twice");
        let kept = seq < journals.spans()[0].first() || held.get(&seq) == Some(&power);
        assert!(kept, "{seq} was returned and is not there");
    }
    named.len()
}

#[test]
fn what_an_append_has_returned_outlives_a_kill_and_no_number_is_given_twice() {
    const NAME: &str = "what_an_append_has_returned_outlives_a_kill_and_no_number_is_given_twice";
    if let Some(directory) = std::env::var_os(VICTIM) {
        append_until_killed(Path::new(&directory));
    }
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let begun = AtomicU32::new(0);
    let (kills, returned) = std::thread::scope(|scope| {
        let kill_all = || {
            let (mut kills, mut returned) = (0, 0);
            while begun.fetch_add(1, Ordering::Relaxed) < FILES {
                let directory = tempfile::tempdir().expect("a directory");
                for kill in 1..=KILLS {
                    let mut victim = again(NAME, VICTIM, directory.path());
                    let status = victim.stdout(Stdio::null()).status();
                    let status = status.expect("this program runs again");
                    assert_eq!(status.code(), None, "it is killed and does not end");
                    kills += 1;
                    if kill % 20 == 0 {
                        check(directory.path());
                    }
                }
                returned += check(directory.path());
            }
            (kills, returned)
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(kill_all)).collect();
        let counts = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        let counts = counts.map(|count| count.expect("a thread"));
        counts.fold((0, 0), |all: (u32, usize), of| (all.0 + of.0, all.1 + of.1))
    });
    // Past the capture of a test that succeeds: how much this has shown.
    let said = format!("{kills} kills; {returned} readings had been returned before one\n");
    let _ = std::io::stderr().write_all(said.as_bytes());
    assert!(kills >= 3000, "{kills}");
    assert!(
        returned > 3000,
        "only {returned} readings were returned at all"
    );
}

#[test]
fn a_journal_that_another_process_has_open_is_refused() {
    const NAME: &str = "a_journal_that_another_process_has_open_is_refused";
    if let Some(directory) = std::env::var_os(HOLDER) {
        let _journals = Journals::open(Path::new(&directory), &envoy(), SIZE).expect("a journal");
        let mut output = std::io::stdout();
        output.write_all(b"\nopen\n").expect("standard output");
        std::io::stdin().lines().for_each(drop);
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let mut holder = again(NAME, HOLDER, directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs again");
    let output = BufReader::new(holder.stdout.take().expect("its output"));
    let mut lines = output.lines().map_while(Result::ok);
    assert!(
        lines.any(|line| line == "open"),
        "it has opened the journal"
    );
    let error = Journals::open(directory.path(), &envoy(), SIZE).expect_err("it is open");
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    drop(holder.stdin.take());
    lines.for_each(drop);
    assert!(holder.wait().expect("its end").success());
    Journals::open(directory.path(), &envoy(), SIZE).expect("it is closed");
}

/// Appends until the file may not grow any further, and a little more.
fn append_beyond_the_limit(directory: &Path) {
    let journals = Journals::open(directory, &envoy(), SIZE).expect("a journal");
    let mut on_disk: Vec<Reading> = Vec::new();
    let in_memory = loop {
        let appended = journals.append((0..20).map(report).collect());
        if on_disk.is_empty() || appended[0].journal == on_disk[0].journal {
            on_disk.extend(appended);
            assert!(on_disk.len() < 20_000, "there is no limit");
        } else {
            break appended;
        }
    };
    assert_eq!(journals.spans().len(), 2);
    for readings in [&on_disk, &in_memory] {
        let held = journals.readings(&readings[0].journal, 1..=u64::MAX, usize::MAX);
        assert!(held == *readings);
    }
    fs::write(directory.join("count"), on_disk.len().to_string()).expect("a file");
}

#[test]
fn a_disk_that_has_no_room_keeps_what_it_has_and_memory_takes_the_rest() {
    const NAME: &str = "a_disk_that_has_no_room_keeps_what_it_has_and_memory_takes_the_rest";
    if let Some(directory) = std::env::var_os(LIMITED) {
        append_beyond_the_limit(Path::new(&directory));
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    // A limit of 900 blocks of 512 or 1,024 bytes, as shells have it. Its signal would end the
    // process; ignored, it leaves the error, and that is like the error of a full disk.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 900; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", NAME])
        .env(LIMITED, directory.path())
        .stdout(Stdio::null())
        .status()
        .expect("this program runs again");
    assert!(status.success());
    let count = fs::read_to_string(directory.path().join("count")).expect("a file");
    let journals = Journals::open(directory.path(), &envoy(), SIZE).expect("a journal");
    assert_eq!(journals.spans().len(), 1);
    assert_eq!(journals.spans()[0].last().to_string(), count);
}
