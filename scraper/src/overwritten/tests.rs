use super::*;
use wire::Inverter as Report;

fn report(minute: i64, power_w: i32) -> Report {
    report_of("a", minute, power_w)
}

fn report_of(inverter: &str, minute: i64, power_w: i32) -> Report {
    Report {
        serial: inverter.parse().expect("a serial"),
        reported_at: ReportTime::from_unix_seconds(1_700_000_000 + 60 * minute)
            .expect("a report time"),
        device_type: Some(1),
        power_w,
        peak_power_w: 300,
        detail: None,
    }
}

/// What is counted of an inverter that reports these powers at these minutes.
fn counted(reports: &[(i64, i32)]) -> u64 {
    let (mut overwritten, start) = (Overwritten::default(), Instant::now());
    for (minute, power_w) in reports {
        // Nobody has looked since the report before.
        let now = start + Duration::from_mins(minute.unsigned_abs());
        overwritten.note([report(*minute, *power_w)].iter(), now);
    }
    overwritten.count()
}

#[test]
fn a_report_that_was_never_made_was_not_overwritten() {
    let (mut overwritten, start) = (Overwritten::default(), Instant::now());
    for minute in 0..120 {
        // The inverter gave no answer at 60.
        let reports = minute % 5 == 0 && minute != 60;
        let new = reports.then(|| report(minute, 200));
        let now = start + Duration::from_mins(minute.unsigned_abs());
        overwritten.note(new.iter(), now);
    }
    assert_eq!(overwritten.count(), 0);
}

#[test]
fn no_more_was_overwritten_than_fits_between_two_looks() {
    let (mut overwritten, start) = (Overwritten::default(), Instant::now());
    for (minute, looked) in [(0, 0), (5, 5), (10, 10), (15, 15), (40, 26)] {
        let now = start + Duration::from_mins(looked);
        overwritten.note([report(minute, 200)].iter(), now);
    }
    assert_eq!(overwritten.count(), 2, "of four that are missing");
}

#[test]
fn regular_reports_and_one_that_is_a_little_late_count_nothing() {
    let late = [
        (0, 200),
        (15, 200),
        (30, 200),
        (45, 200),
        (67, 200),
        (82, 200),
    ];
    assert_eq!(counted(&late), 0);
}

#[test]
fn each_report_that_fits_into_a_jump_counts() {
    let hour = [(0, 200), (15, 200), (30, 200), (45, 200), (105, 200)];
    assert_eq!(counted(&hour), 3);
    let two = [(0, 200), (5, 200), (10, 200), (15, 200), (25, 200)];
    assert_eq!(counted(&two), 1);
}

#[test]
fn a_night_and_the_pauses_at_dusk_and_dawn_count_nothing() {
    let night = [(0, 200), (15, 200), (30, 200), (45, 200), (45 + 720, 200)];
    assert_eq!(counted(&night), 0);
    let dusk = [(0, 200), (15, 200), (30, 200), (45, 14), (105, 200)];
    assert_eq!(counted(&dusk), 0);
    let dawn = [(0, 200), (15, 200), (30, 200), (45, 200), (105, 14)];
    assert_eq!(counted(&dawn), 0);
}

#[test]
fn a_clock_that_is_set_back_counts_nothing() {
    let back = [
        (60, 200),
        (75, 200),
        (90, 200),
        (105, 200),
        (45, 200),
        (60, 200),
    ];
    assert_eq!(counted(&back), 0);
}

#[test]
fn of_an_inverter_that_has_just_come_nothing_is_usual_yet() {
    assert_eq!(counted(&[(0, 200), (15, 200), (75, 200)]), 0);
}

/// What is counted of the first report after a restart, of an inverter that reported these powers at
/// these minutes before it.
fn counted_after_a_restart(before: &[(i64, i32)], then: (i64, i32)) -> u64 {
    let directory = tempfile::tempdir().expect("a directory");
    let envoy = "122".parse().expect("a serial");
    let open = || Journals::open(directory.path(), &envoy, 1024 * 1024).expect("a journal");
    let journals = open();
    for (minute, power_w) in before {
        // Another one, which reports now and then, changes nothing.
        let mut poll = vec![report(*minute, *power_w)];
        poll.extend((minute % 2 == 0).then(|| report_of("b", *minute, *power_w)));
        journals.append(poll);
    }
    drop(journals);
    let mut overwritten = Overwritten::after(&open());
    assert_eq!(overwritten.count(), 0, "it was counted when it was read");
    let (minute, power_w) = then;
    overwritten.note([report(minute, power_w)].iter(), Instant::now());
    overwritten.count()
}

#[test]
fn what_the_envoy_overwrote_while_no_scraper_ran_counts() {
    let before = [(0, 200), (15, 200), (75, 200), (90, 200), (105, 200)];
    assert_eq!(counted_after_a_restart(&before, (165, 200)), 3);
    assert_eq!(counted_after_a_restart(&before, (120, 200)), 0);
    assert_eq!(counted_after_a_restart(&before, (165, 14)), 0, "dusk");
    assert_eq!(
        counted_after_a_restart(&before, (105 + 720, 200)),
        0,
        "a night"
    );
}

#[test]
fn after_a_restart_without_a_journal_nothing_is_usual_yet() {
    assert_eq!(counted_after_a_restart(&[], (15, 200)), 0);
    assert_eq!(counted_after_a_restart(&[(0, 200)], (60, 200)), 0);
}

#[test]
fn of_a_long_journal_the_end_says_what_is_usual() {
    let mut before: Vec<(i64, i32)> = (0..100).map(|number| (60 * number, 200)).collect();
    before.extend((1..20).map(|number| (60 * 99 + 15 * number, 200)));
    let (last, _) = before[before.len() - 1];
    assert_eq!(counted_after_a_restart(&before, (last + 60, 200)), 3);
}
