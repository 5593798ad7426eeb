//! A short run, and the proof that a run would see a promise that is not kept.
//!
//! They run side by side, each on servers of its own.

use std::io::{self, Write};
use std::time::Duration;

use rig::programs::{Binary, Start};
use torture::fault::Fault;
use torture::schedule::{Planned, Round};
use torture::{Outcome, Sabotage, Schedule, Switch, run};

/// What fails in these rounds is harmless unless a part of the promise is missing: each of them has
/// something at stake for one of the parts that can be taken out.
fn telling() -> Schedule {
    // Written down by a receiver that dies before the store has taken it, on a broker that forgets it.
    let marks = Round {
        faults: vec![
            Planned::new(Fault::StoreUnavailable).between(0, 4_500),
            Planned::new(Fault::ReceiverKilled).between(1_500, 3_500),
            Planned::new(Fault::BrokerWiped).between(2_000, 3_000),
        ],
        dusk: None,
    };
    // Read by a scraper that dies before the broker has it.
    let journal = Round {
        faults: vec![
            Planned::new(Fault::BrokerKilled).between(0, 4_000),
            Planned::new(Fault::ScraperKilled).between(2_500, 3_500),
        ],
        dusk: None,
    };
    // Nothing comes after what the broker forgets.
    let night = Round {
        faults: vec![Planned::new(Fault::BrokerWiped).between(1_000, 2_500)],
        dusk: Some(Duration::ZERO),
    };
    Schedule {
        rounds: vec![marks, journal, night],
        patience: Duration::from_secs(15),
    }
}

async fn tortured(name: &str, schedule: &Schedule, switch: &Switch) -> Option<Outcome> {
    let outcome = run(name, schedule, switch, &mut io::stderr()).await?;
    // Shown with the test when it fails.
    writeln!(io::stderr(), "{name}:\n{outcome}").expect("standard error is open");
    Some(outcome)
}

async fn without(part: Sabotage) -> Option<Outcome> {
    let name = format!("torture without {}", part.name());
    let switch = tokio::task::spawn_blocking(move || Switch::sabotaged(part));
    let switch = switch.await.expect("the programs can be built");
    tortured(&name, &telling(), &switch).await
}

#[tokio::test]
async fn in_a_short_run_nothing_is_lost_or_altered_and_nothing_steps_back() {
    let name = "in a short run nothing is lost or altered and nothing steps back";
    let schedule = Schedule::dealt(20_261_126, 10);
    if let Some(outcome) = tortured(name, &schedule, &Switch::none()).await {
        assert_eq!(outcome.failures(), [""; 0]);
        assert!(outcome.readings > 200, "{} readings", outcome.readings);
        assert!(outcome.injections.iter().any(|each| each.at_stake > 0));
    }
}

#[tokio::test]
async fn what_shows_a_missing_part_shows_nothing_with_all_of_them() {
    let name = "what shows a missing part shows nothing with all of them";
    if let Some(outcome) = tortured(name, &telling(), &Switch::none()).await {
        assert_eq!(outcome.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn marks_that_are_saved_before_the_store_has_accepted_cost_readings() {
    if let Some(outcome) = without(Sabotage::MarkEarly).await {
        assert!(outcome.lost > 0, "{outcome}");
    }
}

#[tokio::test]
async fn a_journal_that_does_not_last_costs_readings() {
    if let Some(outcome) = without(Sabotage::SkipJournal).await {
        assert!(outcome.lost > 0, "{outcome}");
    }
}

#[tokio::test]
async fn a_receiver_that_never_asks_loses_readings() {
    if let Some(outcome) = without(Sabotage::NoAudit).await {
        assert!(outcome.lost > 0, "{outcome}");
    }
}

#[tokio::test]
async fn without_putting_back_what_a_broker_forgot_plain_topics_stay_stale() {
    if let Some(outcome) = without(Sabotage::NoRepublish).await {
        assert!(outcome.stale > 0, "{outcome}");
    }
}

#[test]
fn the_shipped_programs_refuse_the_switches() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let settings = directory.path().join("settings.toml");
    for sabotage in Sabotage::ALL {
        let line = format!("[testing]\nsabotage = \"{}\"\n", sabotage.name());
        std::fs::write(&settings, line).expect("a temporary directory can be written");
        for binary in [Binary::Scraper, Binary::Receiver] {
            let start = Start::new(binary).arg("--config").arg(&settings);
            let output = start.to_end();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(64), "{said}");
            assert!(said.contains("testing.sabotage"), "{said}");
        }
    }
}
