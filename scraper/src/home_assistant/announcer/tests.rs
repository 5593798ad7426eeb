use serde_json::Value;

use super::*;

fn serial(text: &str) -> Serial {
    text.parse().expect("a serial")
}

fn state(firmware: &str) -> GatewayState {
    GatewayState {
        envoy: serial("122012345678"),
        firmware: firmware.to_owned(),
        part_number: Some("800-00654-r08".to_owned()),
        address: "https://192.168.1.20".to_owned(),
        clock_skew_s: Some(0),
        token_expires_at: None,
        scraper_version: "0.1.0".to_owned(),
        last_poll_at: None,
        reports_overwritten: 0,
        reachable: true,
        problem: None,
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
    announcer.gateway(&state(""));
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

#[test]
fn a_detail_that_is_missing_for_a_while_takes_no_entity_away() {
    let mut announcer = with_an_inverter();
    let inverter = serial("482012345678");
    announcer.inverter(
        &inverter,
        InverterFacts {
            detail: true,
            ..InverterFacts::default()
        },
    );
    topics(&mut announcer);
    announcer.inverter(&inverter, InverterFacts::default());
    announcer.connected();
    let (_, payload) = std::iter::from_fn(|| announcer.next_message())
        .last()
        .expect("the inverter");
    assert!(payload.contains("energy_lifetime"), "{payload}");
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
    announcer.battery(&serial("122112345678"), "encharge");
    announcer.measures(Measures {
        consumption: true,
        net: true,
        site: gateway::Site::Energy,
    });
    let mut ids = BTreeSet::new();
    let mut devices = 0;
    while let Some((_, payload)) = announcer.next_message() {
        // Home Assistant keeps what it is told; a broker on a small machine retains it.
        assert!(payload.len() < 8192, "{} bytes", payload.len());
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
