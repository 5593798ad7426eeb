//! Tests of the journal as a whole, each on a file of its own.

use std::collections::HashSet;
use wire::Inverter as Report;

use super::*;

mod damage;
mod faults;
mod ids;
mod model;
mod places;
mod removed;
mod reopening;
mod simulated;
mod upgrades;

/// A serial number.
fn serial(text: &str) -> Serial {
    text.parse().expect("a serial")
}

fn envoy() -> Serial {
    serial("122000000001")
}

/// The power that a reading of an inverter says.
fn power(reading: &Reading) -> i32 {
    reading.measured.inverter().expect("an inverter's").power_w
}

/// A report of the inverter `number`, at `seconds` after some time in 2023.
fn report(number: u32, seconds: i64, power_w: i32) -> Report {
    Report {
        serial: serial(&format!("1210{number:08}")),
        reported_at: ReportTime::from_unix_seconds(1_700_000_000 + seconds).expect("a time"),
        device_type: Some(1),
        power_w,
        peak_power_w: 300,
        detail: None,
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
        journals.last_reports().get(&silent.subject()),
        Some(&silent.at())
    );
}

#[test]
fn a_second_opening_of_a_journal_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let journals = Journals::open(directory.path(), &envoy(), MIB).expect("a journal");
    let error = Journals::open(directory.path(), &envoy(), MIB).expect_err("it is open");
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("journal-122000000001.redb"));
    assert_eq!(journals.append(reports(1, 0))[0].seq, 1);
}

#[test]
fn a_journal_whose_size_was_set_lower_is_cut_to_it_and_keeps_the_newest() {
    let directory = tempfile::tempdir().expect("a directory");
    let open = |size| Journals::open(directory.path(), &envoy(), size).expect("a journal");
    let journals = open(4 * MIB);
    for poll in 0..60 {
        journals.append(reports(300, poll * 900));
    }
    let newest: HashSet<Reading> = journals.newest().into_iter().collect();
    drop(journals);
    let journals = open(MIB);
    let path = directory.path().join("journal-122000000001.redb");
    let length = std::fs::metadata(&path).expect("the file").len();
    assert!(length <= MIB, "{length}");
    assert_eq!(
        journals.newest().into_iter().collect::<HashSet<_>>(),
        newest
    );
    let span = &journals.spans()[0];
    assert!(span.len() > 2000, "{}", span.len());
    assert_eq!(journals.append(reports(1, 99_999))[0].seq, 18_001);
    let length = std::fs::metadata(&path).expect("the file").len();
    assert!(length <= MIB, "{length}");
}

#[test]
fn readers_do_not_wait_for_the_sync_of_an_append() {
    let disk = simulated::Simulated::default();
    let medium = Arc::new(disk.clone());
    let journals = Journals::open_on(medium, &envoy(), MIB, Instant::now()).expect("a journal");
    let first = journals.append(reports(3, 0));
    disk.hold_syncs();
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| journals.append(reports(3, 900)));
        disk.wait_for_sync();
        // Were any of these to wait, this test would not end.
        assert_eq!(journals.id(), first[0].journal);
        assert_eq!(journals.spans()[0].last(), 3);
        assert_eq!(journals.readings(&journals.id(), 1..=9, 9), first);
        assert_eq!(journals.newest().len(), 3);
        assert_eq!(journals.last_reports().len(), 3);
        journals.note_delivered(&journals.id(), 3);
        assert_eq!(journals.delivered_below(&journals.id()), 3);
        disk.release_syncs();
        assert_eq!(appending.join().expect("an append").len(), 3);
    });
    assert_eq!(journals.spans()[0].last(), 6);
}

#[test]
fn what_was_delivered_is_remembered_with_the_next_append() {
    let directory = tempfile::tempdir().expect("a directory");
    let open = || Journals::open(directory.path(), &envoy(), MIB).expect("a journal");
    let journals = open();
    journals.append(reports(3, 0));
    let id = journals.id();
    assert_eq!(journals.delivered_below(&id), 1);
    journals.note_delivered(&id, 3);
    journals.append(reports(3, 900));
    journals.note_delivered(&id, 6);
    drop(journals);
    let journals = open();
    assert_eq!(journals.delivered_below(&id), 3);
    let renewed = journals.renew(&id).expect("the journal");
    assert_eq!(journals.delivered_below(&renewed), 3);
    assert_eq!(journals.delivered_below(&id), 1);
}

#[test]
fn a_journal_in_memory_lets_the_lowest_numbers_go_but_keeps_the_newest() {
    let journals = Journals::in_memory(&envoy(), 4);
    let silent = journals.append(vec![report(9, 0, 1)]).remove(0);
    journals.append(reports(3, 900));
    journals.append(reports(3, 1800));
    let spans = journals.spans();
    assert_eq!((spans[0].first(), spans[0].last()), (4, 7));
    assert_eq!(journals.newest().len(), 4);
    assert!(journals.newest().contains(&silent));
    let id = journals.renew(&silent.journal).expect("the journal");
    assert_eq!(journals.id(), id);
    assert_eq!(journals.reading(&id, 7).map(|reading| reading.seq), Some(7));
}

#[test]
fn numbers_go_on_after_all_records_have_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let open = || Journals::open(directory.path(), &envoy(), MIB).expect("a journal");
    let journals = open();
    let id = journals.append(reports(3, 0))[0].journal.clone();
    {
        let writer = journals.writer();
        let disk = writer.disk.as_ref().expect("a journal on disk");
        let prune = |database: &redb::Database| pages::prune(database, &disk.index, u64::MAX);
        assert_eq!(disk.handle.with(prune).expect("an empty table"), None);
    }
    drop(journals);
    let journals = open();
    let span = &journals.spans()[0];
    assert_eq!((span.first(), span.last(), span.id()), (4, 3, &id));
    assert_eq!(journals.newest().len(), 3);
    assert_eq!(journals.append(reports(1, 900))[0].seq, 4);
}
