//! What a poll brings of each recorded gateway, replayed by the simulator, compared with a reading of its
//! files by a script that has nothing of ours: each field of each inverter, meter and battery, and of the site.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use envoy::{Battery, Detail, Flow, Gateway, Meter, Poll, Settings, TokenSource};
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
    let reports = poll.inverters.reports.iter();
    let inverters = reports.map(|one| {
        let values = json!([
            one.reported_at,
            one.device_type,
            one.power_w,
            one.peak_power_w
        ]);
        (one.serial.clone(), values)
    });
    let details = poll.details.iter();
    let meters = poll.meters.iter();
    let batteries = poll.batteries.iter();
    json!({
        "inverters": inverters.collect::<BTreeMap<_, _>>(),
        "details": details.map(|(serial, one)| (serial, detail(one))).collect::<BTreeMap<_, _>>(),
        "site": {
            "production": poll.production.map(flow),
            "consumption": poll.consumption.map(flow),
            "net": poll.net.map(|net| {
                json!([net.measured_at, net.power_w, net.energy_imported_wh, net.energy_exported_wh])
            }),
            "inverters": poll.inverter_total.map(flow),
        },
        "meters": meters.map(|one| (one.eid.to_string(), meter(one))).collect::<BTreeMap<_, _>>(),
        "batteries": batteries.map(|one| (&one.serial, battery(one))).collect::<BTreeMap<_, _>>(),
    })
}

fn flow(flow: Flow) -> Value {
    json!({"at": flow.measured_at, "w": flow.power_w, "today_wh": flow.energy_today_wh,
           "lifetime_wh": flow.energy_lifetime_wh})
}

fn detail(detail: &Detail) -> Value {
    let thousandths = |value: Option<f64>| value.map(|value| value * 1000.0);
    let joules = |energy: Option<f64>| energy.map(|wh| wh * 3600.0);
    json!({
        "interval_s": detail.interval_s,
        "joules": joules(detail.energy_wh),
        "lifetime_joules": joules(detail.energy_lifetime_wh),
        "today_wh": detail.energy_today_wh,
        "ac_mv": thousandths(detail.ac_voltage_v),
        "ac_ma": thousandths(detail.ac_current_a),
        "ac_mhz": thousandths(detail.ac_frequency_hz),
        "dc_mv": thousandths(detail.dc_voltage_v),
        "dc_ma": thousandths(detail.dc_current_a),
        "celsius": detail.temperature_c,
    })
}

fn meter(meter: &Meter) -> Value {
    json!({
        "kind": meter.kind,
        "phase": meter.phase,
        "at": meter.measured_at,
        "w": meter.power_w,
        "var": meter.reactive_power_var,
        "va": meter.apparent_power_va,
        "v": meter.voltage_v,
        "a": meter.current_a,
        "hz": meter.frequency_hz,
        "factor": meter.power_factor,
        "delivered_wh": meter.energy_delivered_wh,
        "received_wh": meter.energy_received_wh,
    })
}

fn battery(battery: &Battery) -> Value {
    json!({
        "kind": battery.kind,
        "at": battery.measured_at,
        "percent": battery.state_of_charge_pct,
        "mw": battery.power_w.map(|watts| watts * 1000.0),
        "capacity_wh": battery.energy_capacity_wh,
        "celsius": battery.temperature_c,
        "state": battery.state,
    })
}

/// Numbers are compared as numbers: 12 is 12.0.
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
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            // What was divided and multiplied again differs in the last digits.
            let least = 1e-12 * b.abs().max(1.0);
            assert!((a - b).abs() <= least, "{place}: {a} is not {b}");
        }
        _ => assert_eq!(measured, expected, "{place}"),
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
