//! Tests of the journal as a whole, each on a file of its own.

use std::collections::HashSet;

use super::*;

mod faults;
mod model;
mod simulated;

/// A serial number.
fn serial(text: &str) -> Serial {
    text.parse().expect("a serial")
}

fn envoy() -> Serial {
    serial("122000000001")
}

/// A report of the inverter `number`, at `seconds` after some time in 2023.
fn report(number: u32, seconds: i64, power_w: i32) -> Report {
    Report {
        serial: serial(&format!("1210{number:08}")),
        reported_at: ReportTime::from_unix_seconds(1_700_000_000 + seconds).expect("a time"),
        device_type: Some(1),
        power_w,
        peak_power_w: 300,
    }
}

fn reports(inverters: u32, seconds: i64) -> Vec<Report> {
    (0..inverters)
        .map(|number| report(number, seconds + i64::from(number), 100))
        .collect()
}

const MIB: u64 = 1024 * 1024;

#[test]
fn readings_are_numbered_from_one_and_are_there_after_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let journals = Journals::open(directory.path(), &envoy(), MIB).expect("a journal");
    let mut appended = journals.append(reports(3, 0));
    appended.extend(journals.append(reports(2, 900)));
    let numbers: Vec<u64> = appended.iter().map(|reading| reading.seq).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let id = journals.id();
    let last_reports = journals.last_reports();
    drop(journals);

    let journals = Journals::open(directory.path(), &envoy(), MIB).expect("a journal");
    assert_eq!(journals.id(), id);
    assert_eq!(journals.readings(&id, 1..=99, 99), appended);
    assert_eq!(journals.reading(&id, 4).as_ref(), appended.get(3));
    assert_eq!(journals.last_reports(), last_reports);
    assert_eq!(journals.append(reports(1, 1800))[0].seq, 6);
}

#[test]
fn the_file_keeps_to_its_size_and_the_lowest_numbers_leave_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let journals = Journals::open(directory.path(), &envoy(), MIB).expect("a journal");
    let path = directory.path().join("journal-122000000001.redb");
    let silent = journals.append(vec![report(999, 0, 5)]).remove(0);
    let mut least_held = u64::MAX;
    for poll in 0..400 {
        let appended = journals.append(reports(50, poll * 900));
        assert!(
            appended
                .iter()
                .all(|reading| reading.journal == silent.journal)
        );
        let length = std::fs::metadata(&path).expect("the file").len();
        assert!(length <= MIB, "{length} bytes after poll {poll}");
        let span = &journals.spans()[0];
        if span.first() > 1 {
            least_held = least_held.min(span.len());
        }
    }
    let spans = journals.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].last(), 20_001);
    assert!(least_held > 4000, "{least_held}");
    let held = journals.readings(&silent.journal, 1..=u64::MAX, usize::MAX);
    let numbers: HashSet<u64> = held.iter().map(|reading| reading.seq).collect();
    assert_eq!(numbers, (spans[0].first()..=20_001).collect());
    assert_eq!(journals.newest().len(), 51);
    assert!(journals.newest().contains(&silent));
    drop(journals);

    let journals = Journals::open(directory.path(), &envoy(), MIB).expect("a journal");
    assert_eq!(journals.spans(), spans);
    assert_eq!(journals.newest().len(), 51);
    assert!(journals.newest().contains(&silent));
    assert_eq!(journals.reading(&silent.journal, 1), Some(silent.clone()));
    assert_eq!(
        journals.last_reports().get(&silent.serial),
        Some(&silent.reported_at)
    );
}
