use serde_json::Value;

use wire::Measured;

use super::*;

fn serial(text: &str) -> Serial {
    text.parse().expect("a serial")
}

fn state(firmware: &str) -> GatewayState {
    GatewayState {
        envoy: serial("122012345678"),
        firmware: Some(firmware.to_owned()),
        part_number: Some("800-00654-r08".to_owned()),
        address: Some("https://192.168.1.20".to_owned()),
        clock_skew_s: Some(0),
        token_expires_at: None,
        scraper_version: "0.1.0".to_owned(),
        last_poll_at: None,
        reports_overwritten: 0,
        reachable: true,
        problem: None,
        stale: Vec::new(),
        not_of_today: Vec::new(),
    }
}

fn announcer() -> Announcer {
    let base = |text: &str| text.parse().expect("a base");
    Announcer::new(Topics::new(
        base("envoy"),
        serial("122012345678"),
        base(super::super::PREFIX),
    ))
}

fn battery(number: &str) -> wire::Battery {
    wire::Battery {
        serial: serial(number),
        measured_at: wire::ReportTime::from_unix_seconds(1_780_315_200).expect("a time"),
        kind: "encharge".parse().expect("a word"),
        state_of_charge_pct: None,
        power_w: None,
        energy_capacity_wh: None,
        temperature_c: None,
        state: None,
    }
}

/// So many minutes after some time.
fn at(minute: i64) -> wire::ReportTime {
    wire::ReportTime::from_unix_seconds(1_780_315_200 + 60 * minute).expect("a time")
}

fn topics(announcer: &mut Announcer) -> Vec<String> {
    std::iter::from_fn(|| announcer.next_message())
        .map(|(topic, _)| topic)
        .collect()
}

const GATEWAY: &str = "homeassistant/device/122012345678/gateway/config";
const INVERTER: &str = "homeassistant/device/122012345678/482012345678/config";

fn with_an_inverter() -> Announcer {
    let mut announcer = announcer();
    announcer.inverter(&serial("482012345678"), InverterFacts::default());
    announcer.gateway(&state("D8.2.4345"));
    announcer
}

#[test]
fn the_gateway_is_announced_before_what_is_reached_through_it() {
    assert_eq!(topics(&mut with_an_inverter()), [GATEWAY, INVERTER]);
}

#[test]
fn nothing_is_announced_of_a_gateway_that_has_not_answered() {
    let mut announcer = announcer();
    announcer.inverter(&serial("482012345678"), InverterFacts::default());
    announcer.gateway(&GatewayState {
        firmware: None,
        ..state("")
    });
    assert_eq!(topics(&mut announcer), [""; 0]);
}

#[test]
fn what_was_announced_is_announced_again_only_when_it_changed() {
    let mut announcer = with_an_inverter();
    topics(&mut announcer);
    announcer.gateway(&GatewayState {
        clock_skew_s: Some(7),
        ..state("D8.2.4345")
    });
    announcer.inverter(&serial("482012345678"), InverterFacts::default());
    assert_eq!(topics(&mut announcer), [""; 0]);
    announcer.gateway(&state("D8.3.5433"));
    assert_eq!(topics(&mut announcer), [GATEWAY]);
    announcer.inverter(
        &serial("482012345678"),
        InverterFacts {
            name: Some("Garage left".to_owned()),
            ..InverterFacts::default()
        },
    );
    assert_eq!(topics(&mut announcer), [INVERTER]);
}

fn read_at_night(measured: impl Into<Measured>) -> Reading {
    Reading {
        envoy: serial("122012345678"),
        journal: "8f1c2d3e4a5b6c7d".parse().expect("a journal"),
        seq: 1,
        measured: measured.into(),
    }
}

#[test]
fn after_a_start_nothing_is_announced_with_less_than_before() {
    let at = wire::ReportTime::from_unix_seconds(1_780_315_200).expect("a time");
    let site = wire::Site {
        measured_at: at,
        basis: wire::Basis::Inverters,
        power_w: wire::Quantity::ZERO,
        energy_today_wh: None,
        energy_lifetime_wh: None,
        inverters_reporting: 0,
        inverters_total: 1,
    };
    let inverter = wire::Inverter {
        serial: serial("482012345678"),
        reported_at: at,
        device_type: Some(1),
        power_w: 0,
        peak_power_w: 260,
        detail: Some(wire::Detail::default()),
    };
    let newest = [
        read_at_night(Measured::Site(site)),
        read_at_night(Measured::Inverter(inverter)),
    ];
    let (names, _) = Names::parse("[inverters]\n482012345678 = \"Garage left\"\n");
    let mut announcer = announcer();
    announcer.recall(&newest, true, &names);
    announcer.gateway(&state("D5.0.62"));
    let (_, gateway) = announcer.next_message().expect("the gateway");
    assert!(gateway.contains("site_energy_lifetime"), "{gateway}");
    let (_, inverter) = announcer.next_message().expect("the inverter");
    assert!(inverter.contains("Garage left"), "{inverter}");
    assert!(inverter.contains("energy_lifetime"), "{inverter}");
}

#[test]
fn an_inverter_that_the_broker_alone_still_knows_is_announced_with_its_name() {
    let (names, _) = Names::parse("[inverters]\n482012345678 = \"Garage left\"\n");
    let mut announcer = announcer();
    announcer.recall(&[], false, &names);
    announcer.gateway(&state("D5.0.62"));
    announcer.reading(&Measured::Inverter(wire::Inverter {
        serial: serial("482012345678"),
        reported_at: at(0),
        device_type: Some(1),
        power_w: 0,
        peak_power_w: 260,
        detail: None,
    }));
    let messages: Vec<_> = std::iter::from_fn(|| announcer.next_message()).collect();
    let (topic, inverter) = messages.last().expect("the inverter");
    assert_eq!(topic, INVERTER);
    assert!(inverter.contains("Garage left"), "{inverter}");
}

#[test]
fn everything_is_announced_after_a_connect_and_a_pause_after_home_assistants_start() {
    let mut announcer = with_an_inverter();
    topics(&mut announcer);
    announcer.connected();
    assert_eq!(topics(&mut announcer), [GATEWAY, INVERTER]);
    let now = Instant::now();
    let pause = Duration::from_secs(2);
    assert!(!announcer.heard("homeassistant/status", b"offline", pause, now));
    assert!(!announcer.heard("envoy/122012345678/status", b"online", pause, now));
    assert_eq!(announcer.due(), None);
    assert!(announcer.heard("homeassistant/status", b"online", pause, now));
    announcer.at(now + Duration::from_secs(1));
    assert_eq!(topics(&mut announcer), [""; 0]);
    assert_eq!(announcer.due(), Some(now + pause));
    announcer.at(now + pause);
    assert_eq!(topics(&mut announcer), [GATEWAY, INVERTER]);
    assert_eq!(announcer.due(), None);
}

/// What Home Assistant requires of each payload, and would refuse it for.
fn check(payload: &Value) {
    let root = payload.as_object().expect("an object");
    let known = [
        "availability",
        "availability_mode",
        "components",
        "device",
        "origin",
        "qos",
    ];
    for key in root.keys() {
        assert!(
            known.contains(&key.as_str()),
            "{key} refuses the whole payload"
        );
    }
    let device = payload["device"]["identifiers"][0].as_str().expect("an id");
    let components = payload["components"].as_object().expect("components");
    assert!(!components.is_empty());
    for (key, component) in components {
        assert_eq!(component["unique_id"], format!("{device}_{key}"));
        assert!(
            ["sensor", "binary_sensor"].contains(&component["platform"].as_str().expect("text"))
        );
        let name = component["name"].as_str().expect("a name");
        let of = payload["device"]["name"].as_str().expect("a name");
        assert!(
            !name.starts_with(of),
            "{name} would show its device's name twice"
        );
    }
}

#[test]
fn each_payload_is_what_home_assistant_takes() {
    let mut announcer = with_an_inverter();
    announcer.inverter(
        &serial("482012345678"),
        InverterFacts {
            detail: true,
            ..InverterFacts::default()
        },
    );
    announcer.reading(&Measured::Battery(battery("122112345678")));
    announcer.measures(Measures {
        consumption: true,
        net: true,
        storage: Some(serial("704643840")),
        site: gateway::Site::Energy,
        token: true,
    });
    let mut ids = BTreeSet::new();
    let mut devices = 0;
    while let Some((_, payload)) = announcer.next_message() {
        // Home Assistant keeps what it is told; a broker on a small machine retains it.
        assert!(payload.len() < 12 * 1024, "{} bytes", payload.len());
        let payload = serde_json::from_str(&payload).expect("JSON");
        check(&payload);
        for component in payload["components"]
            .as_object()
            .expect("components")
            .values()
        {
            assert!(
                ids.insert(component["unique_id"].to_string()),
                "{component} twice"
            );
        }
        devices += 1;
    }
    assert_eq!(devices, 3);
}

#[test]
fn one_that_was_forgotten_is_announced_only_when_it_is_back() {
    let mut announcer = with_an_inverter();
    announcer.reading(&Measured::Battery(battery("492012345678")));
    announcer.forget(&Subject::Inverter(serial("482012345678")));
    announcer.forget(&Subject::Battery(serial("492012345678")));
    announcer.connected();
    assert_eq!(topics(&mut announcer), [GATEWAY]);
    announcer.inverter(&serial("482012345678"), InverterFacts::default());
    assert_eq!(topics(&mut announcer), [INVERTER]);
}

mod entities;
mod golden;
mod storage;
