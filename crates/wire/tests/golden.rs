//! The exact bytes of every payload and topic, in both directions. A change here breaks
//! subscribers.
#![allow(clippy::unwrap_used)]

use wire::{
    Announcement, BaseTopic, GatewayState, Health, InverterHealth, InverterState, JournalSpan,
    Reading, ReplayRequest, Status, Topic,
};

const READING: &str = r#"{"serial":"482012345678","envoy":"122012345678","reported_at":"2026-11-23T09:15:00Z","device_type":1,"power_w":212,"peak_power_w":296,"journal":"k3x9m2pq","seq":1841}"#;

fn reading() -> Reading {
    Reading {
        serial: "482012345678".parse().unwrap(),
        envoy: "122012345678".parse().unwrap(),
        reported_at: "2026-11-23T09:15:00Z".parse().unwrap(),
        device_type: Some(1),
        power_w: 212,
        peak_power_w: 296,
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1841,
    }
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
    assert_eq!(reading.reported_at.unix_seconds(), 1_795_425_300);
}

#[test]
fn a_reading_at_night_on_old_firmware() {
    let reading = Reading {
        device_type: None,
        power_w: -1,
        ..reading()
    };
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
fn a_missing_device_type_is_unknown() {
    let payload = READING.replace(r#""device_type":1,"#, "");
    let decoded = Reading::decode(&reading().topic(), payload.as_bytes()).unwrap();
    assert_eq!(decoded.device_type, None);
}

#[test]
fn keys_of_a_later_version_are_ignored() {
    let payload = READING.replace(
        "\"seq\"",
        r#""energy_wh":null,"phases":[{"v":230.1}],"seq""#,
    );
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
        firmware: "D8.2.4345".into(),
        part_number: Some("800-00654-r08".into()),
        address: "192.168.1.20".into(),
        clock_skew_s: Some(-3),
        token_expires_at: Some("2027-11-01T00:00:00Z".parse().unwrap()),
        scraper_version: "0.1.0".into(),
        last_poll_at: Some("2026-11-23T09:16:02Z".parse().unwrap()),
        reports_overwritten: 7,
        reachable: true,
        problem: None,
    };
    let unknown = GatewayState {
        reachable: false,
        problem: Some("192.168.1.20 does not answer".into()),
        part_number: None,
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
            r#"{"envoy":"122012345678","firmware":"D8.2.4345","part_number":"800-00654-r08","address":"192.168.1.20","clock_skew_s":-3,"token_expires_at":"2027-11-01T00:00:00Z","scraper_version":"0.1.0","last_poll_at":"2026-11-23T09:16:02Z","reports_overwritten":7,"reachable":true,"problem":null}"#,
        ),
        (
            unknown,
            r#"{"envoy":"122012345678","firmware":"D8.2.4345","part_number":null,"address":"192.168.1.20","clock_skew_s":null,"token_expires_at":null,"scraper_version":"0.1.0","last_poll_at":null,"reports_overwritten":7,"reachable":false,"problem":"192.168.1.20 does not answer"}"#,
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
    let topics = [
        (
            Topic::Inverter {
                envoy: envoy(),
                inverter: inverter(),
            },
            "envoy/122012345678/inverters/482012345678",
        ),
        (
            Topic::Backlog {
                envoy: envoy(),
                inverter: inverter(),
            },
            "envoy/122012345678/backlog/inverters/482012345678",
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
    assert_eq!(base.backlog_filter(), "envoy/+/backlog/inverters/+");
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
    let payload = r#"{"envoy":"122012345678","reporting":0,"asleep":1,"silent":1,"total":2,"never_reported":3,"inverters":{"482012345678":{"state":"silent","fresh":false,"interval_s":300,"missed_reports":12,"relative_output_pct":41,"name":"Garage left","array":"Garage"},"482012345679":{"state":"asleep","fresh":true,"interval_s":null,"missed_reports":0,"relative_output_pct":null,"name":null,"array":null}}}"#;
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
}
