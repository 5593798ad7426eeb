use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;
use wire::InverterState;

use super::*;
use crate::condition::Listed;
use crate::names::Names;

/// 2026-06-01T12:00:00Z.
const NOON: i64 = 1_780_315_200;

const ENVOY: &str = "122012345678";

fn envoy() -> Serial {
    ENVOY.parse().expect("a serial")
}

/// A site of ten from ten in the morning on, polled each minute, of which the last one reports until noon. Each has an
/// interval of five minutes.
fn poll_until(condition: &mut Condition, from: i64, to: i64) {
    for now in (from..to).step_by(60) {
        let listed: Vec<Listed> = (0..10)
            .map(|inverter| {
                let last = if inverter == 9 { now.min(NOON) } else { now };
                Listed {
                    serial: format!("48201234567{inverter}").parse().expect("a serial"),
                    at: last - last.rem_euclid(300),
                    power_w: 200,
                    peak_power_w: 300,
                }
            })
            .collect();
        condition.poll(&listed, 0, now, &Names::default());
    }
}

/// What is known at six in the evening.
fn known() -> Condition {
    let mut condition = Condition::default();
    poll_until(&mut condition, NOON - 7200, NOON + 6 * 3600);
    condition
}

fn of_inverter(condition: &Condition, inverter: usize) -> (InverterState, Option<u32>) {
    let health = condition.health(&envoy(), &Names::default());
    let serial = format!("48201234567{inverter}").parse().expect("a serial");
    let inverter = &health.inverters[&serial];
    (inverter.state, inverter.relative_output_pct)
}

fn file(directory: &Path) -> std::path::PathBuf {
    directory.join(format!("learned-{ENVOY}"))
}

async fn recalled(directory: &Path) -> (Memory, Learned) {
    Memory::recall(StateFiles::inside(directory), envoy()).await
}

fn answered() -> Answered {
    Answered {
        firmware: "D8.3.5169".to_owned(),
        endpoints: ["/ivp/meters".to_owned()].into(),
    }
}

async fn kept() -> TempDir {
    let state = tempfile::tempdir().expect("a directory");
    let (mut memory, learned) = recalled(state.path()).await;
    assert_eq!(learned, Learned::default());
    let changes = Remembered {
        offsets: [("site lifetime".to_owned(), 450_000.into())].into(),
        ..Remembered::default()
    };
    memory.keep(&known(), changes, Some(answered())).await;
    state
}

#[tokio::test]
async fn who_was_silent_before_a_restart_at_night_is_silent_after_it() {
    let state = kept().await;
    let (_, learned) = recalled(state.path()).await;
    assert_eq!(learned.changes.offsets["site lifetime"], 450_000.into());
    assert_eq!(learned.answered, Some(answered()));
    let mut condition = learned.condition;
    assert_eq!(state_of_both(&condition), state_of_both(&known()));
    // All sleep, and the list shows what it did at dusk.
    let dusk = NOON + 6 * 3600;
    let listed: Vec<Listed> = (0..10)
        .map(|inverter| Listed {
            serial: format!("48201234567{inverter}").parse().expect("a serial"),
            at: if inverter == 9 { NOON } else { dusk },
            power_w: 2,
            peak_power_w: 300,
        })
        .collect();
    for minute in 0..60 {
        condition.poll(&listed, 0, dusk + 5 * 3600 + minute * 60, &Names::default());
    }
    assert_eq!(of_inverter(&condition, 0).0, InverterState::Asleep);
    assert_eq!(of_inverter(&condition, 9).0, InverterState::Silent);
    let health = condition.health(&envoy(), &Names::default());
    let dead = &health.inverters[&"482012345679".parse().expect("a serial")];
    assert_eq!(dead.missed_reports, 71, "those of the day: {dead:?}");
}

fn state_of_both(condition: &Condition) -> [(InverterState, Option<u32>); 2] {
    let both = [of_inverter(condition, 0), of_inverter(condition, 9)];
    assert_eq!(both[1].0, InverterState::Silent);
    assert_eq!(both[0].1, Some(100));
    both
}

#[tokio::test]
async fn the_file_is_the_owners_alone_and_nothing_else_is_left_there() {
    let state = kept().await;
    let metadata = fs::metadata(file(state.path())).expect("a file");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(state.path()).expect("a directory").count(), 1);
}

#[tokio::test]
async fn what_is_damaged_foreign_or_newer_is_learned_anew_and_written_again() {
    let good = {
        let state = kept().await;
        fs::read_to_string(file(state.path())).expect("text")
    };
    for (what, text) in [
        ("cut", good[..good.len() / 2].to_owned()),
        ("empty", String::new()),
        ("no JSON", "what was learned".to_owned()),
        ("newer", good.replace("\"form\":1", "\"form\":2")),
        ("another Envoy's", good.replace(ENVOY, "122012345679")),
        (
            "no time",
            good.replace("\"polled\":1", "\"polled\":-9223372036854775807,\"x\":1"),
        ),
        ("no interval", good.replace("[300", "[301")),
    ] {
        assert_ne!(text, good, "{what}");
        let state = tempfile::tempdir().expect("a directory");
        fs::write(file(state.path()), text).expect("a file");
        let (mut memory, learned) = recalled(state.path()).await;
        assert_eq!(learned, Learned::default(), "{what}");
        memory.keep(&known(), Remembered::default(), None).await;
        let (_, learned) = recalled(state.path()).await;
        assert_ne!(learned.condition, Condition::default(), "{what}");
    }
    let state = tempfile::tempdir().expect("a directory");
    fs::create_dir(file(state.path())).expect("a directory in its place");
    let (_, learned) = recalled(state.path()).await;
    assert_eq!(learned, Learned::default());
}

#[tokio::test]
async fn without_a_place_for_it_all_goes_on_in_memory() {
    let state = tempfile::tempdir().expect("a directory");
    let in_the_way = state.path().join("file");
    fs::write(&in_the_way, "").expect("a file");
    for files in [StateFiles::nowhere(), StateFiles::inside(in_the_way)] {
        let (mut memory, learned) = Memory::recall(files, envoy()).await;
        assert_eq!(learned, Learned::default());
        memory.keep(&known(), Remembered::default(), None).await;
        assert!(!memory.is_due(), "it is not tried with each poll");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_written_each_quarter_of_an_hour_and_only_when_it_changed() {
    let state = tempfile::tempdir().expect("a directory");
    let (mut memory, _) = recalled(state.path()).await;
    assert!(memory.is_due());
    memory.keep(&known(), Remembered::default(), None).await;
    assert!(!memory.is_due());
    tokio::time::advance(EVERY).await;
    assert!(memory.is_due());
    fs::remove_file(file(state.path())).expect("it was written");
    memory.keep(&known(), Remembered::default(), None).await;
    assert!(!file(state.path()).exists(), "nothing has changed");
    memory
        .keep(&Condition::default(), Remembered::default(), None)
        .await;
    assert!(file(state.path()).exists());
}

#[tokio::test(start_paused = true)]
async fn what_was_found_is_written_a_quarter_of_an_hour_later_and_only_when_it_changed() {
    let state = kept().await;
    let (mut memory, learned) = recalled(state.path()).await;
    assert!(!memory.is_due(), "a program that starts each minute");
    tokio::time::advance(EVERY).await;
    assert!(memory.is_due());
    fs::remove_file(file(state.path())).expect("a file");
    let Learned {
        condition,
        changes,
        answered,
    } = learned;
    memory.keep(&condition, changes, answered).await;
    assert!(!file(state.path()).exists(), "it is what was found");
}

#[test]
fn what_is_known_of_six_hundred_inverters_is_a_small_file() {
    let mut condition = Condition::default();
    for report in 0..20 {
        let now = NOON + report * 300;
        let listed: Vec<Listed> = (0..600)
            .map(|inverter| Listed {
                serial: format!("4820123{inverter:05}").parse().expect("a serial"),
                at: now,
                power_w: 200,
                peak_power_w: 300,
            })
            .collect();
        condition.poll(&listed, 0, now, &Names::default());
    }
    let text = encode(&envoy(), &condition, Remembered::default(), None);
    assert!(text.len() < 160 * 1024, "{} bytes", text.len());
}

#[tokio::test]
async fn a_file_from_before_the_gateways_counts_were_remembered_is_understood() {
    let state = tempfile::tempdir().expect("a directory");
    let older = format!(
        r#"{{"form":1,"envoy":"{ENVOY}","changes":{{"offsets":{{}},"site":{{"counter":"gateway","day":{NOON}}}}}}}"#
    );
    fs::write(file(state.path()), older).expect("a file");
    let (_, learned) = recalled(state.path()).await;
    let gateways = Some(crate::site::Counter::Gateway);
    assert_eq!(learned.changes.site.counter, gateways);
}
