//! Nonsense is refused, with a message that names the value at fault.
#![allow(clippy::unwrap_used)]

use std::error::Error;
use std::fmt::Write;

use wire::{
    Announcement, BaseTopic, GatewayState, Health, InverterHealth, InverterState, JournalSpan,
    MAX_HEALTH, MAX_JOURNALS, MAX_PAYLOAD, MAX_RANGES, MAX_SEQ, PayloadError, Reading,
    ReceiverName, ReplayRequest, Serial, Status, Topic, TopicError,
};

const READING: &str = r#"{"serial":"482012345678","envoy":"122012345678","reported_at":"2026-11-23T09:15:00Z","device_type":1,"power_w":212,"peak_power_w":296,"journal":"k3x9m2pq","seq":1841}"#;

fn parse(text: &str) -> Result<Topic, TopicError> {
    Topic::parse(&BaseTopic::default(), text)
}

fn topic() -> Topic {
    parse("envoy/122012345678/inverters/482012345678").unwrap()
}

/// The message and those of its sources, as a log shows them.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, ": {error}").unwrap();
        source = error.source();
    }
    text
}

#[test]
fn a_name_that_could_break_a_topic_or_a_line() {
    for text in [
        "", " ", "a/b", "a+", "#", "a,b=c", "a b", "a\nb", "a\0", "é", "..", "$SYS",
    ] {
        let error = text.parse::<Serial>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{text:?}")), "{error}");
        assert!(text.parse::<ReceiverName>().is_err());
    }
    assert!("x".repeat(32).parse::<Serial>().is_ok());
    assert!("x".repeat(33).parse::<Serial>().is_err());
}

#[test]
fn an_endless_name_makes_no_endless_message() {
    let error = "é".repeat(100_000).parse::<Serial>().unwrap_err();
    let text = error.to_string();
    assert!(
        text.len() < 300 && text.contains("200000 bytes"),
        "{}",
        text.len()
    );
}

#[test]
fn a_base_that_makes_no_topics() {
    for text in [
        "", "/", "/a", "a/", "a//b", "a/+/b", "a#", "a\0b", "a\nb", "$SYS", "$share/x",
    ] {
        let error = text.parse::<BaseTopic>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{text:?}")), "{error}");
    }
    assert!("x".repeat(257).parse::<BaseTopic>().is_err());
    let nested: BaseTopic = "home/solar".parse().unwrap();
    assert_eq!(
        nested.receiver_status_filter(),
        "home/solar-receiver/+/status"
    );
}

#[test]
fn a_topic_outside_the_tree() {
    for text in [
        "",
        "envoy",
        "envoyx/1/status",
        "other/1/status",
        "envoy-receiver",
        "envoy-receivers/a/status",
    ] {
        assert!(
            matches!(parse(text), Err(TopicError::Outside { .. })),
            "{text}"
        );
    }
}

#[test]
fn a_topic_of_no_known_kind() {
    for text in [
        "envoy/1",
        "envoy/",
        "envoy/1/sites",
        "envoy/1/site/2",
        "envoy/1/meters",
        "envoy/1/inverters",
        "envoy/1/inverters/2/3",
        "envoy/1/backlog",
        "envoy/1/backlog/status",
        "envoy/1/backlog/backlog/site",
        "envoy/1/backlog/inverters/2/3",
        "envoy-receiver/a/replay",
        "envoy-receiver/a/replay/1/2",
        "envoy/1/inverters/2/3/4/5/6",
    ] {
        assert!(matches!(parse(text), Err(TopicError::Unknown(_))), "{text}");
    }
}

#[test]
fn a_topic_with_an_impossible_name() {
    for text in [
        "envoy//status",
        "envoy/a b/status",
        "envoy/1/inverters/",
        "envoy/1/inverters/a=b",
        "envoy-receiver//status",
    ] {
        assert!(
            matches!(parse(text), Err(TopicError::Name { .. })),
            "{text}"
        );
    }
}

#[test]
fn a_reading_with_an_impossible_value() {
    for (good, bad, named) in [
        (
            "482012345678",
            "48201,x=1",
            r#""48201,x=1" is not a serial number"#,
        ),
        ("k3x9m2pq", "", r#""" is not a journal id"#),
        (
            "2026-11-23T09:15:00Z",
            "yesterday",
            r#""yesterday" is not a time"#,
        ),
        ("212", "212.5", "212.5"),
        ("212", "2147483648", "2147483648"),
        ("212", "null", "null"),
        ("212", "\"212\"", "\"212\""),
        (r#""device_type":1"#, r#""device_type":-1"#, "-1"),
        ("1841", "0", "0 is not a seq"),
        ("1841", "9007199254740992", "9007199254740992 is not a seq"),
        (r#","seq":1841"#, "", "seq"),
        (r#""journal":"k3x9m2pq","#, "", "journal"),
        (
            r#""serial":"482012345678","#,
            r#""serial":"482012345678","serial":"1","#,
            "serial",
        ),
        ("1841}", "1841} ]", "trailing"),
    ] {
        let payload = READING.replacen(good, bad, 1);
        assert_ne!(payload, READING);
        let error = Reading::decode(&topic(), payload.as_bytes()).unwrap_err();
        assert!(matches!(error, PayloadError::Malformed { .. }), "{error:?}");
        assert!(
            chain(&error).contains(named),
            "{} lacks {named}",
            chain(&error)
        );
    }
    for payload in ["", "null", "[]", "online", "\u{feff}{}", "{\"serial\":"] {
        assert!(Reading::decode(&topic(), payload.as_bytes()).is_err());
    }
    assert!(Reading::decode(&topic(), b"\xff\xfe").is_err());
}

#[test]
fn a_reading_on_the_topic_of_another() {
    for (text, named) in [
        (
            "envoy/122012345678/inverters/482012345679",
            "the payload says serial 482012345678, its topic 482012345679",
        ),
        (
            "envoy/122012345679/backlog/inverters/482012345678",
            "the payload says envoy 122012345678, its topic 122012345679",
        ),
        ("envoy/122012345678/status", "the topic carries no readings"),
    ] {
        let error = Reading::decode(&parse(text).unwrap(), READING.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), named);
    }
}

#[test]
fn a_payload_without_end() {
    let payload = format!("{}{}", READING, " ".repeat(MAX_PAYLOAD));
    let error = Reading::decode(&topic(), payload.as_bytes()).unwrap_err();
    assert!(matches!(error, PayloadError::TooLarge { .. }), "{error:?}");
}

#[test]
fn the_health_of_two_thousand_inverters_is_read_and_one_without_end_is_not() {
    let one = InverterHealth {
        state: InverterState::Reporting,
        fresh: true,
        interval_s: Some(300),
        missed_reports: 1_000_000,
        relative_output_pct: Some(100),
        name: Some("Carport, upper row, left".to_owned()),
        array: Some("Carport".to_owned()),
    };
    let inverters = (0..2_000).map(|number| {
        let serial = format!("48201{number:07}").parse().unwrap();
        (serial, one.clone())
    });
    let envoy: Serial = "122012345678".parse().unwrap();
    let health = Health {
        envoy: envoy.clone(),
        changed_at: None,
        reporting: 2_000,
        asleep: 0,
        silent: 0,
        total: 2_000,
        never_reported: 0,
        inverters: inverters.collect(),
    };
    let topic = Topic::Health { envoy };
    let payload = health.encode();
    assert_eq!(Health::decode(&topic, payload.as_bytes()).unwrap(), health);
    let endless = format!("{payload}{}", " ".repeat(MAX_HEALTH));
    let error = Health::decode(&topic, endless.as_bytes()).unwrap_err();
    assert!(matches!(error, PayloadError::TooLarge { .. }), "{error:?}");
}

#[test]
fn a_span_that_no_journal_has() {
    let id = || "k3x9m2pq".parse().unwrap();
    for (first, last) in [
        (0, 0),
        (0, 5),
        (3, 1),
        (u64::MAX, 0),
        (1, MAX_SEQ + 1),
        (1, u64::MAX),
    ] {
        let error = JournalSpan::new(id(), first, last).unwrap_err().to_string();
        assert!(error.contains(&format!("{first} to {last}:")), "{error}");
    }
    assert!(JournalSpan::new(id(), MAX_SEQ, MAX_SEQ).is_ok());
    assert!(JournalSpan::new(id(), 1842, 1841).unwrap().is_empty());
}

#[test]
fn an_announcement_that_contradicts_itself_or_has_no_end() {
    let announce = |spans: &[String]| {
        let payload = format!(
            r#"{{"instance":"p7","journals":[{}],"waiting":0}}"#,
            spans.join(",")
        );
        Announcement::decode(payload.as_bytes())
    };
    let span = |id: usize| format!(r#"{{"id":"j{id}","first":1,"last":9,"later":true}}"#);
    let spans: Vec<_> = (0..=MAX_JOURNALS).map(span).collect();
    assert!(announce(&spans[..MAX_JOURNALS]).is_ok());
    assert!(matches!(
        announce(&spans),
        Err(PayloadError::TooManyJournals(17))
    ));
    assert!(matches!(
        announce(&[span(1), span(1)]),
        Err(PayloadError::RepeatedJournal(_))
    ));
    let error = announce(&[span(1).replace('9', "18446744073709551615")]).unwrap_err();
    assert!(chain(&error).contains("1 to 18446744073709551615"));
    assert!(announce(&[span(1).replace('9', "-1")]).is_err());
}

#[test]
fn a_request_for_what_no_journal_has_or_for_too_many_ranges() {
    let decode = |ranges: &str| {
        let payload = format!(r#"{{"journal":"k3x9m2pq","ranges":[{ranges}]}}"#);
        ReplayRequest::decode(payload.as_bytes()).map_err(|error| chain(&error))
    };
    let ranges = |number: usize| vec!["[1,9]"; number].join(",");
    assert!(decode(&ranges(MAX_RANGES)).is_ok());
    assert!(decode(&ranges(MAX_RANGES + 1)).is_err_and(|error| error.contains("1001 ranges")));
    assert!(decode("").is_err_and(|error| error.contains("0 ranges")));
    for (range, said) in [
        ("[0,5]", "0 to 5 is no range"),
        ("[9,3]", "9 to 3 is no range"),
        ("[1,9007199254740992]", "1 to 9007199254740992 is no range"),
        ("[-1,5]", "integer `-1`"),
        ("[1]", "length 1"),
    ] {
        assert!(
            decode(range).is_err_and(|error| error.contains(said)),
            "{range}: {:?}",
            decode(range)
        );
    }
    assert!(decode("[1,9007199254740991]").is_ok(), "wide, but sound");
}

#[test]
fn a_gateway_state_on_the_topic_of_another() {
    let payload = r#"{"envoy":"1","firmware":"D8","address":"a","scraper_version":"0.1.0"}"#;
    let decode = |text: &str| GatewayState::decode(&parse(text).unwrap(), payload.as_bytes());
    assert_eq!(decode("envoy/1/gateway").unwrap().last_poll_at, None);
    assert!(matches!(
        decode("envoy/2/gateway"),
        Err(PayloadError::OtherThanTopic { key: "envoy", .. })
    ));
    assert!(matches!(
        decode("envoy/1/journal"),
        Err(PayloadError::OtherKind(_))
    ));
}

#[test]
fn a_status_that_is_neither() {
    for payload in ["Online", "", "online\n", "{}"] {
        let error = Status::decode(payload.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(&format!("{payload:?}")), "{error}");
    }
}
