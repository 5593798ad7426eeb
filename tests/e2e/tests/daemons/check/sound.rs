//! Nothing is wrong.

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::wait;

use super::check;
use crate::{ARRIVAL, WITH_SUN};

const ENVOY: &str = "202400000021";

#[tokio::test]
async fn a_sound_chain_passes_each_step_beside_the_running_daemons() {
    let test = "a sound chain passes each step beside the running daemons";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let envoy = Gateway::start(&[&["--serial", ENVOY], &WITH_SUN[..]].concat()).await;
    let mut scraper = chain.scraper(&envoy, ENVOY).spawn();
    let mut receiver = chain.receiver().spawn();
    wait::until_true("a first reading in the database", ARRIVAL, async || {
        !chain.stored().await.is_empty()
    })
    .await;
    let watcher = chain.subscriber("+/+/status").await;

    for (start, parts) in [
        (chain.scraper(&envoy, ENVOY), ["Envoy", "broker"]),
        (chain.receiver(), ["broker", "InfluxDB"]),
    ] {
        let checked = check(start).await;
        assert_eq!(checked.code, Some(0), "{:?}", checked.steps);
        for part in parts {
            let of_part = checked.steps.iter().filter(|step| step.part == part);
            assert!(of_part.count() >= 5, "{part}: {:?}", checked.steps);
        }
        let skipped: Vec<_> = checked
            .steps
            .iter()
            .filter(|step| step.outcome != "passed")
            .collect();
        let skipped: Vec<_> = skipped.iter().map(|step| step.step.as_str()).collect();
        assert_eq!(skipped, ["TLS"], "all but TLS, which is not used here");
    }

    // A check that took the daemon's client id would have thrown it out, with its last will.
    let statuses = watcher.seen();
    assert!(
        statuses.iter().all(|status| status.text() == "online"),
        "{statuses:?}"
    );
    assert!(scraper.terminate().await.success());
    assert!(receiver.terminate().await.success());
}

#[tokio::test]
async fn for_people_each_step_is_a_line_with_a_mark() {
    let envoy = Gateway::start(&WITH_SUN).await;
    // Without a broker; the steps before it are of interest here.
    let mut program = envoy
        .reader(rig::programs::Binary::Scraper)
        .env("MQTT_URL", "mqtt://127.0.0.1:1")
        .arg("check")
        .spawn();
    assert_eq!(program.ended().await.code(), Some(1));
    let lines = program.stdout();
    let line = |part: &str| lines.iter().find(|line| line.contains(part));
    for (mark, step) in [
        ("✓", "login"),
        ("✓", "inverters"),
        ("✗", "reachable"),
        ("–", "publish"),
    ] {
        let shown = line(&format!("{mark} {step}"));
        assert!(shown.is_some(), "{mark} {step}: {lines:#?}");
    }
}
