//! The exact payloads of devices, in files beside these tests, and that what their templates read is there.
//!
//! A change of such a file changes what everybody's Home Assistant shows. After one that is wanted,
//! `WRITE_GOLDEN=1 cargo test -p scraper --lib golden` writes them anew.

use std::fs;
use std::path::Path;

use wire::{
    Basis, Battery, Detail, Flow, InverterHealth, InverterState, Meter, Net, Quantity, Reading,
    ReportTime,
};

use super::*;

const ENVOY: &str = "122012345678";

fn now() -> ReportTime {
    "2026-11-23T09:15:00Z".parse().expect("a time")
}

fn quantity(value: f64) -> Quantity {
    Quantity::new(value).expect("a quantity")
}

fn inverter(number: &str, detail: Option<Detail>) -> Measured {
    Measured::Inverter(wire::Inverter {
        serial: serial(number),
        reported_at: now(),
        device_type: Some(1),
        power_w: 212,
        peak_power_w: 296,
        detail,
    })
}

const PLAIN: &str = "482012345678";
const DETAILED: &str = "482012345679";

/// One of all that is measured.
fn all_measured() -> Vec<Measured> {
    let flow = Flow {
        measured_at: now(),
        power_w: quantity(431.5),
        energy_today_wh: None,
        energy_lifetime_wh: None,
    };
    let storage = Meter {
        eid: serial("704643840"),
        measured_at: now(),
        kind: "storage".parse().expect("a word"),
        phase: None,
        power_w: quantity(-500.0),
        reactive_power_var: None,
        apparent_power_va: None,
        voltage_v: None,
        current_a: None,
        frequency_hz: None,
        power_factor: None,
        energy_delivered_wh: Some(quantity(7000.0)),
        energy_received_wh: Some(quantity(8000.0)),
    };
    let phase = Meter {
        eid: serial("704643841"),
        phase: Some("L1".parse().expect("a word")),
        ..storage.clone()
    };
    vec![
        inverter(PLAIN, None),
        inverter(DETAILED, Some(Detail::default())),
        Measured::Site(wire::Site {
            measured_at: now(),
            basis: Basis::Meter,
            power_w: quantity(2544.0),
            energy_today_wh: None,
            energy_lifetime_wh: Some(quantity(45_678_901.25)),
            inverters_reporting: 12,
            inverters_total: 13,
        }),
        Measured::Production(flow.clone()),
        Measured::Consumption(flow),
        Measured::Net(Net {
            measured_at: now(),
            power_w: quantity(-2112.5),
            energy_imported_wh: None,
            energy_exported_wh: None,
        }),
        Measured::Meter(storage),
        Measured::Meter(phase),
        Measured::Battery(Battery {
            serial: serial("122112345678"),
            measured_at: now(),
            kind: "encharge".parse().expect("a word"),
            state_of_charge_pct: Some(quantity(63.0)),
            power_w: Some(quantity(-420.0)),
            energy_capacity_wh: Some(quantity(3500.0)),
            temperature_c: Some(quantity(21.0)),
            state: Some("charging".parse().expect("a word")),
        }),
    ]
}

fn health() -> Health {
    let one = |name: Option<&str>| InverterHealth {
        state: InverterState::Reporting,
        fresh: true,
        interval_s: Some(300),
        missed_reports: 0,
        relative_output_pct: None,
        name: name.map(str::to_owned),
        array: None,
    };
    Health {
        envoy: serial(ENVOY),
        changed_at: None,
        reporting: 2,
        asleep: 0,
        silent: 0,
        total: 2,
        never_reported: 0,
        inverters: [
            (serial(PLAIN), one(None)),
            (serial(DETAILED), one(Some("Garage left"))),
        ]
        .into(),
    }
}

/// The payloads of all devices, by their topics.
fn announced() -> BTreeMap<String, Value> {
    let mut announcer = announcer();
    announcer.gateway(&GatewayState {
        token_expires_at: Some("2027-11-23T09:15:00Z".parse().expect("a time")),
        ..state("D8.2.4345")
    });
    for measured in all_measured() {
        announcer.reading(&measured);
    }
    announcer.health(&health());
    std::iter::from_fn(|| announcer.next_message())
        .map(|(topic, payload)| (topic, serde_json::from_str(&payload).expect("JSON")))
        .collect()
}

/// What is published for the devices to read, by its topic.
fn published() -> BTreeMap<String, Value> {
    let reading = |measured| {
        let reading = Reading {
            envoy: serial(ENVOY),
            measured,
            journal: "k3x9m2pq".parse().expect("a journal"),
            seq: 1841,
        };
        let topic = reading.topic().render(&wire::BaseTopic::default());
        (topic, reading.encode())
    };
    let more = [
        (
            format!("envoy/{ENVOY}/gateway"),
            state("D8.2.4345").encode(),
        ),
        (format!("envoy/{ENVOY}/health"), health().encode()),
    ];
    let readings = all_measured().into_iter().map(reading);
    readings
        .chain(more)
        .map(|(topic, payload)| (topic, serde_json::from_str(&payload).expect("JSON")))
        .collect()
}

#[test]
fn the_payloads_of_the_gateway_of_inverters_and_of_a_battery() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/home_assistant/announcer/golden");
    let files = [
        ("gateway", "gateway.json"),
        (PLAIN, "inverter.json"),
        (DETAILED, "inverter-with-detail.json"),
        ("battery_122112345678", "battery.json"),
    ];
    let announced = announced();
    assert_eq!(announced.len(), files.len(), "{announced:?}");
    for (object, file) in files {
        let mut payload =
            announced[&format!("homeassistant/device/{ENVOY}/{object}/config")].clone();
        payload["origin"]["sw_version"] = "VERSION".into();
        let path = folder.join(file);
        if std::env::var_os("WRITE_GOLDEN").is_some() {
            let text = serde_json::to_string_pretty(&payload).expect("JSON");
            fs::write(&path, text + "\n").expect("a file");
        }
        let golden = fs::read(&path).expect("the golden file");
        let golden: Value = serde_json::from_slice(&golden).expect("JSON");
        assert_eq!(payload, golden, "{file} is to be looked at");
    }
}

/// The keys that a template reads of its payload, each by its way from the outside in.
fn ways(template: &str) -> Vec<Vec<&str>> {
    let mut ways = Vec::new();
    for read in template.split("value_json").skip(1) {
        // Anything else is logged with each message in which the key is missing.
        assert!(read.starts_with(".get('"), "{template}");
        let way = read.split(".get('").skip(1);
        ways.push(
            way.map(|key| key.split('\'').next().expect("a part"))
                .collect(),
        );
    }
    ways
}

/// Whether each template on a topic reads what is published there.
fn check_reads(what: &str, topic: &Value, template: &Value) {
    let published = published();
    let topic = topic.as_str().expect("a topic");
    let Some(template) = template.as_str() else {
        assert_eq!(topic, format!("envoy/{ENVOY}/status"), "{what}");
        return;
    };
    let payload = published
        .get(topic)
        .unwrap_or_else(|| panic!("{what}: nothing is published on {topic}"));
    let ways = ways(template);
    assert!(!ways.is_empty(), "{what}: {template}");
    for way in ways {
        let mut part = payload;
        for key in way {
            part = part
                .get(key)
                .unwrap_or_else(|| panic!("{what}: {topic} has no {key}, as in {template}"));
        }
    }
}

#[test]
fn each_template_reads_a_key_that_is_published_on_its_topic() {
    for (device, payload) in announced() {
        let of_all = payload["availability"].as_array().expect("a list");
        let components = payload["components"].as_object().expect("components");
        for (key, component) in components {
            let what = format!("{key} of {device}");
            check_reads(
                &what,
                &component["state_topic"],
                &component["value_template"],
            );
            if let Some(topic) = component.get("json_attributes_topic") {
                check_reads(&what, topic, &component["json_attributes_template"]);
            }
            let own = component.get("availability").and_then(Value::as_array);
            for available in own.unwrap_or(of_all) {
                check_reads(&what, &available["topic"], &available["value_template"]);
            }
        }
    }
}
