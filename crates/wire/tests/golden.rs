//! The exact bytes of every payload and topic, in both directions. A change here breaks
//! subscribers.
#![allow(clippy::unwrap_used)]

use wire::{
    Announcement, BaseTopic, Basis, Battery, Detail, Flow, GatewayState, Health, Inverter,
    InverterHealth, InverterState, JournalSpan, Measured, Meter, Net, Quantity, Reading,
    ReplayRequest, Site, Status, Subject, Topic,
};

const READING: &str = r#"{"serial":"482012345678","envoy":"122012345678","reported_at":"2026-11-23T09:15:00Z","device_type":1,"power_w":212,"peak_power_w":296,"journal":"k3x9m2pq","seq":1841}"#;

fn inverter() -> Inverter {
    Inverter {
        serial: "482012345678".parse().unwrap(),
        reported_at: "2026-11-23T09:15:00Z".parse().unwrap(),
        device_type: Some(1),
        power_w: 212,
        peak_power_w: 296,
        detail: None,
    }
}

fn reading_of(measured: Measured) -> Reading {
    Reading {
        envoy: "122012345678".parse().unwrap(),
        measured,
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1841,
    }
}

fn reading() -> Reading {
    reading_of(inverter().into())
}

fn quantity(value: f64) -> Quantity {
    Quantity::new(value).unwrap()
}

#[test]
fn the_reading_of_the_contract() {
    let reading = reading();
    assert_eq!(reading.encode(), READING);
    for topic in [reading.topic(), reading.backlog_topic()] {
        assert_eq!(
            Reading::decode(&topic, READING.as_bytes()).unwrap(),
            reading
        );
    }
    assert_eq!(reading.at().unix_seconds(), 1_795_425_300);
}

#[test]
fn a_reading_at_night_on_old_firmware() {
    let reading = reading_of(
        Inverter {
            device_type: None,
            power_w: -1,
            ..inverter()
        }
        .into(),
    );
    let payload = READING
        .replace(r#""device_type":1"#, r#""device_type":null"#)
        .replace("212", "-1");
    assert_eq!(reading.encode(), payload);
    assert_eq!(
        Reading::decode(&reading.topic(), payload.as_bytes()).unwrap(),
        reading
    );
}

#[test]
fn an_inverter_with_detail_has_all_of_it_before_its_place_in_the_journal() {
    let detail = Detail {
        interval_s: Some(quantity(300.0)),
        energy_wh: Some(quantity(17.666_666)),
        energy_lifetime_wh: Some(quantity(1_234_567.0)),
        ac_voltage_v: Some(quantity(236.512)),
        ac_frequency_hz: Some(quantity(50.01)),
        temperature_c: Some(quantity(-4.0)),
        ..Detail::default()
    };
    let payload = READING.replace(
        r#""peak_power_w":296,"#,
        r#""peak_power_w":296,"interval_s":300.0,"energy_wh":17.667,"energy_lifetime_wh":1234567.0,"energy_today_wh":null,"ac_voltage_v":236.512,"ac_current_a":null,"ac_frequency_hz":50.01,"dc_voltage_v":null,"dc_current_a":null,"temperature_c":-4.0,"#,
    );
    let with = |detail: Detail| {
        reading_of(
            Inverter {
                detail: Some(detail),
                ..inverter()
            }
            .into(),
        )
    };
    is_payload(&with(detail), &payload);
    let all_unknown = with(Detail::default()).encode();
    is_payload(&with(Detail::default()), &all_unknown);
}

/// Both ways, on both topics.
fn is_payload(reading: &Reading, payload: &str) {
    assert_eq!(reading.encode(), payload);
    for topic in [reading.topic(), reading.backlog_topic()] {
        let decoded = Reading::decode(&topic, payload.as_bytes()).unwrap();
        assert_eq!(decoded, *reading);
    }
}

#[test]
fn a_site_by_the_sum_of_its_inverters_and_by_its_meter() {
    let site = Site {
        measured_at: "2026-11-23T09:15:00Z".parse().unwrap(),
        basis: Basis::Inverters,
        power_w: quantity(2544.0),
        energy_today_wh: None,
        energy_lifetime_wh: None,
        inverters_reporting: 12,
        inverters_total: 13,
    };
    is_payload(
        &reading_of(site.clone().into()),
        r#"{"envoy":"122012345678","measured_at":"2026-11-23T09:15:00Z","basis":"inverters","power_w":2544.0,"energy_today_wh":null,"energy_lifetime_wh":null,"inverters_reporting":12,"inverters_total":13,"journal":"k3x9m2pq","seq":1841}"#,
    );
    let measured = Site {
        basis: Basis::Meter,
        power_w: quantity(-6.6204),
        energy_today_wh: Some(quantity(11_820.5)),
        energy_lifetime_wh: Some(quantity(45_678_901.25)),
        ..site
    };
    is_payload(
        &reading_of(measured.into()),
        r#"{"envoy":"122012345678","measured_at":"2026-11-23T09:15:00Z","basis":"meter","power_w":-6.62,"energy_today_wh":11820.5,"energy_lifetime_wh":45678901.25,"inverters_reporting":12,"inverters_total":13,"journal":"k3x9m2pq","seq":1841}"#,
    );
}

#[test]
fn production_consumption_and_what_is_exchanged_with_the_grid() {
    let measured_at = "2026-11-23T09:15:07Z".parse().unwrap();
    let flow = Flow {
        measured_at,
        power_w: quantity(431.5),
        energy_today_wh: None,
        energy_lifetime_wh: Some(quantity(99_000.0)),
    };
    let payload = r#"{"envoy":"122012345678","measured_at":"2026-11-23T09:15:07Z","power_w":431.5,"energy_today_wh":null,"energy_lifetime_wh":99000.0,"journal":"k3x9m2pq","seq":1841}"#;
    is_payload(&reading_of(Measured::Production(flow.clone())), payload);
    is_payload(&reading_of(Measured::Consumption(flow)), payload);
    let net = Net {
        measured_at,
        power_w: quantity(-2112.5),
        energy_imported_wh: Some(quantity(7.0)),
        energy_exported_wh: Some(quantity(8.0)),
    };
    is_payload(
        &reading_of(Measured::Net(net)),
        r#"{"envoy":"122012345678","measured_at":"2026-11-23T09:15:07Z","power_w":-2112.5,"energy_imported_wh":7.0,"energy_exported_wh":8.0,"journal":"k3x9m2pq","seq":1841}"#,
    );
}

#[test]
fn a_meter_and_a_battery() {
    let measured_at = "2026-11-23T09:15:07Z".parse().unwrap();
    let meter = Meter {
        eid: "704643328".parse().unwrap(),
        measured_at,
        kind: "net-consumption".parse().unwrap(),
        phase: Some("l1".parse().unwrap()),
        power_w: quantity(-1.5),
        reactive_power_var: Some(quantity(2.0)),
        apparent_power_va: Some(quantity(3.0)),
        voltage_v: Some(quantity(230.1)),
        current_a: Some(quantity(0.013)),
        frequency_hz: Some(quantity(50.0)),
        power_factor: Some(quantity(-0.5)),
        energy_delivered_wh: Some(quantity(1.0)),
        energy_received_wh: None,
    };
    is_payload(
        &reading_of(Measured::Meter(meter)),
        r#"{"envoy":"122012345678","eid":"704643328","measured_at":"2026-11-23T09:15:07Z","kind":"net-consumption","phase":"l1","power_w":-1.5,"reactive_power_var":2.0,"apparent_power_va":3.0,"voltage_v":230.1,"current_a":0.013,"frequency_hz":50.0,"power_factor":-0.5,"energy_delivered_wh":1.0,"energy_received_wh":null,"journal":"k3x9m2pq","seq":1841}"#,
    );
    let battery = Battery {
        serial: "482012345678".parse().unwrap(),
        measured_at,
        kind: "encharge".parse().unwrap(),
        state_of_charge_pct: Some(quantity(87.0)),
        power_w: None,
        energy_capacity_wh: Some(quantity(3500.0)),
        temperature_c: Some(quantity(24.0)),
        state: Some("idle".parse().unwrap()),
    };
    is_payload(
        &reading_of(Measured::Battery(battery)),
        r#"{"envoy":"122012345678","serial":"482012345678","measured_at":"2026-11-23T09:15:07Z","kind":"encharge","state_of_charge_pct":87.0,"power_w":null,"energy_capacity_wh":3500.0,"temperature_c":24.0,"state":"idle","journal":"k3x9m2pq","seq":1841}"#,
    );
}

#[test]
fn a_missing_device_type_is_unknown() {
    let payload = READING.replace(r#""device_type":1,"#, "");
    let decoded = Reading::decode(&reading().topic(), payload.as_bytes()).unwrap();
    assert_eq!(decoded.measured.inverter().unwrap().device_type, None);
}

#[test]
fn keys_of_a_later_version_are_ignored() {
    let payload = READING.replace("\"seq\"", r#""colour":null,"phases":[{"v":230.1}],"seq""#);
    assert_eq!(
        Reading::decode(&reading().topic(), payload.as_bytes()).unwrap(),
        reading()
    );
}

#[test]
fn an_announcement() {
    let announcement = Announcement {
        instance: "p7w2".parse().unwrap(),
        journals: vec![
            JournalSpan::new("k3x9m2pq".parse().unwrap(), 1, 1841).unwrap(),
            JournalSpan::new("empty".parse().unwrap(), 1, 0).unwrap(),
        ],
        waiting: 3,
    };
    let payload = r#"{"instance":"p7w2","journals":[{"id":"k3x9m2pq","first":1,"last":1841},{"id":"empty","first":1,"last":0}],"waiting":3}"#;
    assert_eq!(announcement.encode(), payload);
    let decoded = Announcement::decode(payload.as_bytes()).unwrap();
    assert_eq!(decoded, announcement);
    assert_eq!(decoded.journals[0].len(), 1841);
    assert!(decoded.journals[1].is_empty());
}

#[test]
fn a_request_to_send_readings_again() {
    let ranges = vec![1712..=1733, 1840..=1841];
    let request = ReplayRequest::new("k3x9m2pq".parse().unwrap(), ranges).unwrap();
    let payload = r#"{"journal":"k3x9m2pq","ranges":[[1712,1733],[1840,1841]]}"#;
    assert_eq!(request.encode(), payload);
    assert_eq!(ReplayRequest::decode(payload.as_bytes()).unwrap(), request);
}

#[test]
fn the_state_of_a_gateway() {
    let known = GatewayState {
        envoy: "122012345678".parse().unwrap(),
        firmware: Some("D8.2.4345".into()),
        part_number: Some("800-00654-r08".into()),
        address: Some("192.168.1.20".into()),
        clock_skew_s: Some(-3),
        token_expires_at: Some("2027-11-01T00:00:00Z".parse().unwrap()),
        scraper_version: "0.1.0".into(),
        last_poll_at: Some("2026-11-23T09:16:02Z".parse().unwrap()),
        reports_overwritten: 7,
        reachable: true,
        problem: None,
        stale: Vec::new(),
        not_of_today: Vec::new(),
    };
    let unknown = GatewayState {
        reachable: false,
        problem: Some("192.168.1.20 does not answer".into()),
        stale: vec!["net".into()],
        not_of_today: vec!["482012345678".parse().unwrap()],
        firmware: None,
        part_number: None,
        address: None,
        clock_skew_s: None,
        token_expires_at: None,
        last_poll_at: None,
        ..known.clone()
    };
    let topic = Topic::Gateway {
        envoy: known.envoy.clone(),
    };
    for (state, payload) in [
        (
            known,
            r#"{"envoy":"122012345678","firmware":"D8.2.4345","part_number":"800-00654-r08","address":"192.168.1.20","clock_skew_s":-3,"token_expires_at":"2027-11-01T00:00:00Z","scraper_version":"0.1.0","last_poll_at":"2026-11-23T09:16:02Z","reports_overwritten":7,"reachable":true,"problem":null,"stale":[],"not_of_today":[]}"#,
        ),
        (
            unknown,
            r#"{"envoy":"122012345678","firmware":null,"part_number":null,"address":null,"clock_skew_s":null,"token_expires_at":null,"scraper_version":"0.1.0","last_poll_at":null,"reports_overwritten":7,"reachable":false,"problem":"192.168.1.20 does not answer","stale":["net"],"not_of_today":["482012345678"]}"#,
        ),
    ] {
        assert_eq!(state.encode(), payload);
        assert_eq!(
            GatewayState::decode(&topic, payload.as_bytes()).unwrap(),
            state
        );
    }
}

#[test]
fn the_two_statuses() {
    for (status, payload) in [(Status::Online, "online"), (Status::Offline, "offline")] {
        assert_eq!(status.encode(), payload);
        assert_eq!(Status::decode(payload.as_bytes()).unwrap(), status);
    }
}

#[test]
fn every_topic() {
    let envoy = || "122012345678".parse().unwrap();
    let inverter = || "482012345678".parse().unwrap();
    let plain = |subject| Topic::Plain {
        envoy: envoy(),
        subject,
    };
    let topics = [
        (
            Topic::Plain {
                envoy: envoy(),
                subject: Subject::Inverter(inverter()),
            },
            "envoy/122012345678/inverters/482012345678",
        ),
        (
            Topic::Backlog {
                envoy: envoy(),
                subject: Subject::Inverter(inverter()),
            },
            "envoy/122012345678/backlog/inverters/482012345678",
        ),
        (plain(Subject::Site), "envoy/122012345678/site"),
        (plain(Subject::Production), "envoy/122012345678/production"),
        (
            plain(Subject::Consumption),
            "envoy/122012345678/consumption",
        ),
        (plain(Subject::Net), "envoy/122012345678/net"),
        (
            plain(Subject::Meter("704643328".parse().unwrap())),
            "envoy/122012345678/meters/704643328",
        ),
        (
            plain(Subject::Battery(inverter())),
            "envoy/122012345678/batteries/482012345678",
        ),
        (
            Topic::Backlog {
                envoy: envoy(),
                subject: Subject::Net,
            },
            "envoy/122012345678/backlog/net",
        ),
        (
            Topic::Journal { envoy: envoy() },
            "envoy/122012345678/journal",
        ),
        (
            Topic::Gateway { envoy: envoy() },
            "envoy/122012345678/gateway",
        ),
        (
            Topic::EnvoyStatus { envoy: envoy() },
            "envoy/122012345678/status",
        ),
        (
            Topic::EnvoyCheck { envoy: envoy() },
            "envoy/122012345678/check",
        ),
        (
            Topic::ReceiverStatus {
                name: "receiver".parse().unwrap(),
            },
            "envoy-receiver/receiver/status",
        ),
        (
            Topic::ReceiverCheck {
                name: "receiver".parse().unwrap(),
            },
            "envoy-receiver/receiver/check",
        ),
        (
            Topic::Replay {
                receiver: "receiver".parse().unwrap(),
                envoy: envoy(),
            },
            "envoy-receiver/receiver/replay/122012345678",
        ),
    ];
    let base = BaseTopic::default();
    for (topic, text) in topics {
        assert_eq!(topic.render(&base), text);
        assert_eq!(Topic::parse(&base, text).unwrap(), topic);
    }
}

#[test]
fn every_filter() {
    let base = BaseTopic::default();
    assert_eq!(base.everything_filter(), wire::EVERYTHING);
    assert_eq!(base.inverters_filter(), "envoy/+/inverters/+");
    assert_eq!(
        base.plain_filters(),
        [
            "envoy/+/inverters/+",
            "envoy/+/site",
            "envoy/+/production",
            "envoy/+/consumption",
            "envoy/+/net",
            "envoy/+/meters/+",
            "envoy/+/batteries/+",
        ]
    );
    assert_eq!(base.backlog_filters()[0], "envoy/+/backlog/inverters/+");
    assert_eq!(base.backlog_filters()[1], "envoy/+/backlog/site");
    let of = base.plain_filters_of(&"122012345678".parse().unwrap());
    assert_eq!(of[6], "envoy/122012345678/batteries/+");
    assert_eq!(base.journals_filter(), "envoy/+/journal");
    assert_eq!(base.gateways_filter(), "envoy/+/gateway");
    assert_eq!(base.envoy_status_filter(), "envoy/+/status");
    assert_eq!(
        base.replays_of_filter(&"122012345678".parse().unwrap()),
        "envoy-receiver/+/replay/122012345678"
    );
    assert_eq!(base.receiver_status_filter(), "envoy-receiver/+/status");
}

#[test]
fn the_health_of_inverters() {
    let silent = InverterHealth {
        state: InverterState::Silent,
        fresh: false,
        interval_s: Some(300),
        missed_reports: 12,
        relative_output_pct: Some(41),
        name: Some("Garage left".into()),
        array: Some("Garage".into()),
    };
    let unknown = InverterHealth {
        state: InverterState::Asleep,
        fresh: true,
        interval_s: None,
        missed_reports: 0,
        relative_output_pct: None,
        name: None,
        array: None,
    };
    let health = Health {
        envoy: "122012345678".parse().unwrap(),
        changed_at: Some("2026-11-23T09:15:07Z".parse().unwrap()),
        reporting: 0,
        asleep: 1,
        silent: 1,
        total: 2,
        never_reported: 3,
        inverters: [
            ("482012345679".parse().unwrap(), unknown),
            ("482012345678".parse().unwrap(), silent),
        ]
        .into(),
    };
    let payload = r#"{"envoy":"122012345678","changed_at":"2026-11-23T09:15:07Z","reporting":0,"asleep":1,"silent":1,"total":2,"never_reported":3,"inverters":{"482012345678":{"state":"silent","fresh":false,"interval_s":300,"missed_reports":12,"relative_output_pct":41,"name":"Garage left","array":"Garage"},"482012345679":{"state":"asleep","fresh":true,"interval_s":null,"missed_reports":0,"relative_output_pct":null,"name":null,"array":null}}}"#;
    assert_eq!(health.encode(), payload);
    let topic = Topic::Health {
        envoy: health.envoy.clone(),
    };
    assert_eq!(
        topic.render(&BaseTopic::default()),
        "envoy/122012345678/health"
    );
    assert_eq!(Health::decode(&topic, payload.as_bytes()).unwrap(), health);
    let other = Topic::Health {
        envoy: "1".parse().unwrap(),
    };
    assert!(Health::decode(&other, payload.as_bytes()).is_err());
    let of_before = payload.replace(r#""changed_at":"2026-11-23T09:15:07Z","#, "");
    let undated = Health {
        changed_at: None,
        ..health
    };
    assert_eq!(
        Health::decode(&topic, of_before.as_bytes()).unwrap(),
        undated
    );
}
