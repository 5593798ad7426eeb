//! What holds for all values, tried on many.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wire::{
    Announcement, BaseTopic, Basis, Battery, Detail, Flow, Inverter, JournalId, JournalSpan,
    MAX_JOURNALS, MAX_RANGES, MAX_SEQ, Measured, Meter, Net, Quantity, Reading, ReplayRequest,
    ReportTime, Serial, Site, Subject, Topic,
};

const NAME: &str = "[A-Za-z0-9_-]{1,32}";

fn serial() -> impl Strategy<Value = Serial> {
    NAME.prop_map(|text| text.parse().unwrap())
}

fn base() -> impl Strategy<Value = BaseTopic> {
    prop_oneof![
        Just(BaseTopic::default()),
        "[^$+#/\\p{C}][^+#/\\p{C}]{0,9}(/[^+#/\\p{C}]{1,9}){0,3}"
            .prop_map(|text| text.parse().unwrap()),
    ]
}

fn subject() -> impl Strategy<Value = Subject> {
    (0..7, serial()).prop_map(|(kind, serial)| match kind {
        0 => Subject::Inverter(serial),
        1 => Subject::Site,
        2 => Subject::Production,
        3 => Subject::Consumption,
        4 => Subject::Net,
        5 => Subject::Meter(serial),
        _ => Subject::Battery(serial),
    })
}

fn topic() -> impl Strategy<Value = Topic> {
    let parts = (0..9, serial(), serial(), subject());
    parts.prop_map(|(kind, envoy, inverter, subject)| match kind {
        0 => Topic::Plain { envoy, subject },
        1 => Topic::Backlog { envoy, subject },
        2 => Topic::Journal { envoy },
        3 => Topic::Gateway { envoy },
        4 => Topic::EnvoyStatus { envoy },
        5 => Topic::EnvoyCheck { envoy },
        6 => Topic::ReceiverStatus {
            name: envoy.as_str().parse().unwrap(),
        },
        7 => Topic::Replay {
            receiver: inverter.as_str().parse().unwrap(),
            envoy,
        },
        _ => Topic::ReceiverCheck {
            name: envoy.as_str().parse().unwrap(),
        },
    })
}

fn report_time() -> impl Strategy<Value = ReportTime> {
    (ReportTime::MIN.unix_seconds()..=ReportTime::MAX.unix_seconds())
        .prop_map(|seconds| ReportTime::from_unix_seconds(seconds).unwrap())
}

fn quantity() -> impl Strategy<Value = Quantity> {
    prop_oneof![
        (-1e12..=1e12f64).prop_map(|value| Quantity::new(value).unwrap()),
        (-1000.0..1000.0f64).prop_map(|value| Quantity::new(value).unwrap()),
        prop_oneof![
            Just(Quantity::MIN),
            Just(Quantity::ZERO),
            Just(Quantity::MAX)
        ],
    ]
}

fn quantities() -> impl Strategy<Value = Vec<Option<Quantity>>> {
    prop::collection::vec(prop::option::of(quantity()), 10)
}

prop_compose! {
    fn measured()(
        subject in subject(), at in report_time(), device_type in any::<Option<u32>>(),
        power_w in any::<i32>(), peak_power_w in any::<i32>(), has_detail in any::<bool>(),
        power in quantity(), v in quantities(), word in NAME, counts in any::<[u32; 2]>(),
    ) -> Measured {
        let word = || word.parse().unwrap();
        let flow = Flow {
            measured_at: at, power_w: power, energy_today_wh: v[0], energy_lifetime_wh: v[1],
        };
        match subject {
            Subject::Inverter(serial) => Measured::Inverter(Inverter {
                serial, reported_at: at, device_type, power_w, peak_power_w,
                detail: has_detail.then_some(Detail {
                    interval_s: v[0], energy_wh: v[1], energy_lifetime_wh: v[2],
                    energy_today_wh: v[3], ac_voltage_v: v[4], ac_current_a: v[5],
                    ac_frequency_hz: v[6], dc_voltage_v: v[7], dc_current_a: v[8],
                    temperature_c: v[9],
                }),
            }),
            Subject::Site => Measured::Site(Site {
                measured_at: at,
                basis: if has_detail { Basis::Meter } else { Basis::Inverters },
                power_w: power, energy_today_wh: v[0], energy_lifetime_wh: v[1],
                inverters_reporting: counts[0], inverters_total: counts[1],
            }),
            Subject::Production => Measured::Production(flow),
            Subject::Consumption => Measured::Consumption(flow),
            Subject::Net => Measured::Net(Net {
                measured_at: at, power_w: power, energy_imported_wh: v[0], energy_exported_wh: v[1],
            }),
            Subject::Meter(eid) => Measured::Meter(Meter {
                eid, measured_at: at, kind: word(), phase: has_detail.then(word), power_w: power,
                reactive_power_var: v[0], apparent_power_va: v[1], voltage_v: v[2],
                current_a: v[3], frequency_hz: v[4], power_factor: v[5],
                energy_delivered_wh: v[6], energy_received_wh: v[7],
            }),
            Subject::Battery(serial) => Measured::Battery(Battery {
                serial, measured_at: at, kind: word(), state_of_charge_pct: v[0], power_w: v[1],
                energy_capacity_wh: v[2], temperature_c: v[3], state: has_detail.then(word),
            }),
        }
    }
}

prop_compose! {
    fn reading()(
        envoy in serial(), measured in measured(), journal in NAME, seq in 1..=MAX_SEQ,
    ) -> Reading {
        Reading { envoy, measured, journal: journal.parse().unwrap(), seq }
    }
}

prop_compose! {
    fn announcement()(
        instance in NAME,
        journals in prop::collection::btree_map(NAME, (1..=MAX_SEQ, 0..MAX_SEQ), 0..=MAX_JOURNALS),
        waiting in any::<u64>(),
    ) -> Announcement {
        let span = |(id, (first, length)): (String, (u64, u64))| {
            let id: JournalId = id.parse().unwrap();
            JournalSpan::new(id, first, (first - 1 + length).min(MAX_SEQ)).unwrap()
        };
        Announcement {
            instance: instance.parse().unwrap(),
            journals: journals.into_iter().map(span).collect(),
            waiting,
        }
    }
}

prop_compose! {
    fn request()(
        journal in NAME,
        ranges in prop::collection::vec((1..=MAX_SEQ, 0..MAX_SEQ), 1..=MAX_RANGES),
    ) -> ReplayRequest {
        let range = |(first, more): (u64, u64)| first..=(first + more).min(MAX_SEQ);
        let ranges = ranges.into_iter().map(range).collect();
        ReplayRequest::new(journal.parse().unwrap(), ranges).unwrap()
    }
}

proptest! {
    #[test]
    fn any_reading_survives(reading in reading()) {
        let payload = reading.encode();
        prop_assert!(!payload.contains('\n'));
        prop_assert_eq!(&Reading::decode(&reading.topic(), payload.as_bytes()).unwrap(), &reading);
        prop_assert_eq!(Reading::decode(&reading.backlog_topic(), payload.as_bytes()).unwrap(), reading);
    }

    #[test]
    fn the_fields_by_name_are_the_keys_of_the_payload(reading in reading()) {
        let payload: serde_json::Value = serde_json::from_str(&reading.encode()).unwrap();
        for (name, value) in reading.measured.fields() {
            let shown = match value {
                wire::Value::Word(word) => serde_json::json!(word),
                wire::Value::Whole(whole) => serde_json::json!(whole),
                wire::Value::Quantity(quantity) => serde_json::json!(quantity.get()),
                wire::Value::Unknown => serde_json::Value::Null,
            };
            prop_assert_eq!(&payload[name], &shown, "{}", name);
        }
    }

    #[test]
    fn any_subject_survives(subject in subject()) {
        prop_assert_eq!(Subject::from_path(&subject.to_string()), Some(subject));
    }

    #[test]
    fn any_announcement_survives(announcement in announcement()) {
        let payload = announcement.encode();
        prop_assert_eq!(Announcement::decode(payload.as_bytes()).unwrap(), announcement);
    }

    #[test]
    fn any_request_survives(request in request()) {
        let payload = request.encode();
        prop_assert_eq!(ReplayRequest::decode(payload.as_bytes()).unwrap(), request);
    }

    #[test]
    fn any_topic_survives(base in base(), topic in topic()) {
        prop_assert_eq!(Topic::parse(&base, &topic.render(&base)).unwrap(), topic);
    }

    #[test]
    fn no_topic_leads_outside_its_tree(base in base(), topic in topic()) {
        let text = topic.render(&base);
        let (tree, owner) = match &topic {
            Topic::Plain { envoy, .. }
            | Topic::Backlog { envoy, .. }
            | Topic::Journal { envoy }
            | Topic::Gateway { envoy }
            | Topic::Health { envoy }
            | Topic::EnvoyStatus { envoy }
            | Topic::EnvoyCheck { envoy } => (base.to_string(), envoy.as_str()),
            Topic::ReceiverStatus { name }
            | Topic::ReceiverCheck { name }
            | Topic::Replay { receiver: name, .. } => {
                (format!("{base}-receiver"), name.as_str())
            }
        };
        let below = text.strip_prefix(&format!("{tree}/{owner}/"));
        prop_assert!(below.is_some_and(|rest| !rest.is_empty()), "{}", text);
        prop_assert!(!text.contains(['+', '#', '\0', '\n']));
        prop_assert!(text.split('/').all(|level| !level.is_empty()));
        prop_assert!(text.len() < 65_535);
    }

    #[test]
    fn what_parses_renders_to_the_same_text(base in base(), rest in "/[A-Za-z0-9_+#/ -]{0,40}") {
        let text = format!("{base}{rest}");
        if let Ok(topic) = Topic::parse(&base, &text) {
            prop_assert_eq!(topic.render(&base), text);
        }
    }

    #[test]
    fn any_time_survives(time in report_time()) {
        let text = time.to_string();
        prop_assert!(text.ends_with('Z') && text.len() == 20, "{}", text);
        prop_assert_eq!(text.parse::<ReportTime>().unwrap(), time);
    }

    #[test]
    fn nonsense_never_panics(
        topic in topic(), text in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)
    ) {
        let _ = Topic::parse(&BaseTopic::default(), &text);
        let _ = text.parse::<BaseTopic>();
        let _ = text.parse::<ReportTime>();
        let _ = text.parse::<Serial>();
        for payload in [text.as_bytes(), &bytes] {
            let _ = Reading::decode(&topic, payload);
            let _ = Announcement::decode(payload);
            let _ = ReplayRequest::decode(payload);
            let _ = wire::GatewayState::decode(&topic, payload);
            let _ = wire::Status::decode(payload);
        }
    }
}
