//! What a poll brings of each recorded gateway, replayed by the simulator, compared with a reading of its
//! files by a few lines of Python.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use envoy::{Gateway, Poll, Settings, TokenSource};
use serde_json::{Value, json};
use simulator::{Options, Simulator, Source};

/// Fewer gateways than these are not what the test was written for.
const GATEWAYS: usize = 9;

fn recordings() -> Option<PathBuf> {
    if let Some(path) = env::var_os("RECORDINGS") {
        return Some(path.into());
    }
    let required = env::var("REQUIRE_SERVERS").as_deref() == Ok("1");
    assert!(
        !required,
        "RECORDINGS is not set, and REQUIRE_SERVERS=1 forbids to skip"
    );
    // Not `eprintln!`, which the test runner would keep to itself for a test that passes.
    writeln!(std::io::stderr(), "skipped: RECORDINGS is not set").expect("standard error is open");
    None
}

async fn poll(recording: &Path) -> Poll {
    let options = Options {
        source: Source::Recording(recording.to_owned()),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let mut settings = Settings::new(simulator.url().parse().unwrap());
    settings.token = Some(TokenSource::given(simulator.token().clone()));
    let poll = Gateway::new(settings).poll().await.unwrap();
    simulator.stop().await;
    poll
}

fn expected(recording: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/polled.py");
    let output = Command::new("python3").arg(script).arg(recording).output();
    let output = output.expect("python3 is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", recording.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same values as the script has, by the same names.
fn measured(poll: &Poll) -> Value {
    let inverters: BTreeMap<_, _> = poll
        .inverters
        .reports
        .iter()
        .map(|report| (&report.serial, report.power_w))
        .collect();
    let mut power = BTreeMap::new();
    power.extend(poll.production.map(|flow| ("production", flow.power_w)));
    power.extend(poll.consumption.map(|flow| ("consumption", flow.power_w)));
    power.extend(poll.net.map(|net| ("net", net.power_w)));
    let mut lifetime = BTreeMap::new();
    let wh = |flow: Option<envoy::Flow>| flow.and_then(|flow| flow.energy_lifetime_wh);
    lifetime.extend(wh(poll.production).map(|wh| ("production", wh)));
    lifetime.extend(wh(poll.inverter_total).map(|wh| ("inverters", wh)));
    let joules: BTreeMap<_, _> = poll
        .details
        .iter()
        .map(|(serial, detail)| (serial, detail.energy_wh.unwrap() * 3600.0))
        .collect();
    let batteries: BTreeMap<_, _> = poll
        .batteries
        .iter()
        .map(|one| (&one.serial, [one.state_of_charge_pct, one.power_w]))
        .collect();
    let meters: BTreeMap<_, _> = poll
        .meters
        .iter()
        .filter(|meter| meter.phase.is_none())
        .map(|meter| (meter.eid.to_string(), meter.power_w))
        .collect();
    json!({"inverters": inverters, "power_w": power, "lifetime_wh": lifetime, "joules": joules,
           "batteries": batteries, "meters": meters})
}

/// Numbers are compared as numbers, to a millionth: 12 is 12.0.
fn assert_equal(measured: &Value, expected: &Value, place: &str) {
    match (measured, expected) {
        (Value::Object(a), Value::Object(b)) => {
            let (keys, others): (Vec<_>, Vec<_>) = (a.keys().collect(), b.keys().collect());
            assert_eq!(keys, others, "{place}");
            for (key, value) in a {
                assert_equal(value, &b[key], &format!("{place}/{key}"));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            for (a, b) in a.iter().zip(b) {
                assert_equal(a, b, place);
            }
        }
        _ => {
            let (a, b) = (measured.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((a - b).abs() < 1e-6, "{place}: {a} is not {b}");
        }
    }
}

#[tokio::test]
async fn every_recorded_gateway_is_measured_as_its_files_say() {
    let Some(recordings) = recordings() else {
        return;
    };
    let mut compared = 0;
    for entry in fs::read_dir(recordings).unwrap() {
        let recording = entry.unwrap().path();
        let list = fs::read(recording.join("api_v1_production_inverters")).unwrap_or_default();
        // One of them recorded a wrong password.
        if !matches!(serde_json::from_slice(&list), Ok(Value::Array(_))) {
            continue;
        }
        let poll = poll(&recording).await;
        let name = recording.file_name().unwrap().to_string_lossy();
        assert_equal(&measured(&poll), &expected(&recording), &name);
        compared += 1;
    }
    assert!(compared >= GATEWAYS, "only {compared} are compared");
}
