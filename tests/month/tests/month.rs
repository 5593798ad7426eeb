//! A month, once through. One test, alone in its process, whose log and memory it looks at.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;

use month::home::Home;
use month::load::Load;
use month::log::Log;
use month::secrets::Watch;
use month::time::{Conductor, Time, runtime};
use month::timetable::{DAYS, MONTH};
use month::truth::Truth;

const MINUTES: u64 = 24 * 60;

/// Lines at INFO and above that a day may have, whatever happens in it.
const LINES_A_DAY: usize = 24;

/// How often a day may have the same line, apart from its numbers.
const ALIKE_A_DAY: usize = 10;

/// Logins that the Envoy may have to refuse in an hour.
const REFUSALS_AN_HOUR: usize = 40;

/// Logins that the cloud may see in a day.
const CLOUD_LOGINS_A_DAY: usize = 12;

/// When the process has all that it needs.
const SETTLED: u64 = 10;

/// What the process may take more at the end than when it was settled: a hundred bytes a poll would be more.
/// The simulator remembers what it has shown, some 10 KB a day.
const GROWTH: u64 = 2 * 1024 * 1024;

#[test]
fn a_month_goes_by_without_a_hand_on_it() {
    runtime().block_on(month());
}

async fn month() {
    // As each of our programs does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let time = Time::beginning("2026-06-01T00:00:00Z".parse().expect("a time"));
    let log = Log::start(time.clone());
    let conductor = Conductor::new(time.clone(), log.clone());
    let home = Home::start(&time).await;
    let mut truth = Truth::of(&home.ledger());
    let (mut load, mut watch) = (Load::default(), Watch::begin());
    let (mut settled, mut moves) = (0, 0);

    for day in 1..=DAYS {
        for minute in 0..MINUTES {
            let due = MONTH
                .iter()
                .filter(|entry| entry.day == day && entry.hour * 60 == minute);
            for entry in due {
                home.meet(entry.event, truth.inverter());
            }
            let second = ((day - 1) * MINUTES + minute + 1) * 60;
            conductor.until(second).await;
            assert!(home.runs(), "the scraper has ended on day {day}");
            let requests = home.simulator.take_requests();
            let published = home.broker.take_published();
            let mut lines = log.take_lines();
            lines.extend(published.iter().map(in_a_line));
            assert_eq!(watch.look(lines, &requests), [""; 0], "on day {day}");
            load.take(requests, &log.take_polls());
            truth.published(published);
        }
        assert_eq!(truth.compare(), [""; 0], "on day {day}");
        let said = log.take_said();
        check_log(day, &said);
        let follows = |line: &&String| line.contains("the Envoy has another address");
        moves += said.iter().filter(follows).count();
        if day == SETTLED {
            settled = memory();
        }
    }
    let grown = memory().saturating_sub(settled);

    assert_eq!(moves, 1, "it was followed");
    assert!(truth.agreed() > 600 * 30, "{}", truth.agreed());
    assert_eq!(load.wrong(), [""; 0]);
    assert_eq!(load.disorder(), [""; 0]);
    assert!(load.steady() > 0.9, "{:#?}", load.polls());
    let refused = load.most_refused();
    assert!((1..=REFUSALS_AN_HOUR).contains(&refused), "{refused}");
    check_cloud(&home);
    assert!(
        grown < GROWTH,
        "{grown} bytes more than after {SETTLED} days"
    );
    let gateway = truth.gateway().expect("it was published");
    assert_eq!(gateway.firmware.as_deref(), Some("D8.3.5433"));
    assert!(
        gateway.reports_overwritten > 0,
        "some outages took longer than a report"
    );
    // At the least what the scraper, reqwest and rustls say of each poll.
    assert!(watch.lines() > 10 * MINUTES * DAYS, "{}", watch.lines());
    assert_leaks_are_seen(&log, &mut watch);

    home.stop();
    conductor.until((DAYS * MINUTES + 1) * 60).await;
    drop(conductor);
    assert_eq!(home.ended().await, Ok(()));
}

fn in_a_line((topic, payload): &(String, Vec<u8>)) -> String {
    format!("{topic} {}", String::from_utf8_lossy(payload))
}

/// A day's log is short, and says the same only so often.
fn check_log(day: u64, said: &[String]) {
    let all = said.join("\n");
    assert!(
        said.len() <= LINES_A_DAY,
        "{} lines on day {day}:\n{all}",
        said.len()
    );
    let mut alike = BTreeMap::<String, usize>::new();
    for line in said {
        let line = line.chars().filter(|c| !c.is_ascii_digit()).collect();
        *alike.entry(line).or_default() += 1;
    }
    let most = alike.values().max().copied().unwrap_or_default();
    assert!(
        most <= ALIKE_A_DAY,
        "{most} times the same on day {day}:\n{all}"
    );
    let renewals = said
        .iter()
        .filter(|line| line.contains("could not be renewed"));
    assert!(
        renewals.count() <= 2,
        "one reason is said once on day {day}:\n{all}"
    );
    let starts = said
        .iter()
        .filter(|line| line.contains("publishing this Envoy's"));
    assert_eq!(starts.count(), usize::from(day == 1), "starts on day {day}");
}

/// Nobody logs in to the cloud so often that it would lock the account.
fn check_cloud(home: &Home) {
    let requests = home.simulator.cloud_requests().expect("there is a cloud");
    let logins = requests
        .iter()
        .filter(|request| request.path.contains("login"));
    let logins: Vec<_> = logins.map(|request| request.at.as_second()).collect();
    let most = logins.iter().map(|from| {
        let day = *from..*from + 86_400;
        logins.iter().filter(|at| day.contains(at)).count()
    });
    let most = most.max().expect("tokens were fetched");
    assert!(most <= CLOUD_LOGINS_A_DAY, "{most} logins in a day");
}

/// What is logged is looked at, at the lowest level.
fn assert_leaks_are_seen(log: &Log, watch: &mut Watch) {
    tracing::trace!(password = month::home::BROKER_PASSWORD, "on purpose");
    assert_ne!(watch.look(log.take_lines(), &[]), [""; 0]);
}

/// What this process has in memory and nowhere else, in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    1024 * kilobytes.expect("in kB").parse::<u64>().expect("a number")
}
