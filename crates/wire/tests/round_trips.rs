//! What holds for all values, tried on many.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wire::{
    Announcement, BaseTopic, JournalId, JournalSpan, MAX_JOURNALS, MAX_RANGES, MAX_SEQ, Reading,
    ReplayRequest, ReportTime, Serial, Topic,
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

fn topic() -> impl Strategy<Value = Topic> {
    (0..9, serial(), serial()).prop_map(|(kind, envoy, inverter)| match kind {
        0 => Topic::Inverter { envoy, inverter },
        1 => Topic::Backlog { envoy, inverter },
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

prop_compose! {
    fn reading()(
        serial in serial(), envoy in serial(), reported_at in report_time(),
        device_type in any::<Option<u32>>(), power_w in any::<i32>(), peak_power_w in any::<i32>(),
        journal in NAME, seq in 1..=MAX_SEQ,
    ) -> Reading {
        Reading {
            serial, envoy, reported_at, device_type, power_w, peak_power_w,
            journal: journal.parse().unwrap(), seq,
        }
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
            Topic::Inverter { envoy, .. }
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
