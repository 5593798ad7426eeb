//! Messages of the contract.

use std::collections::BTreeMap;

use influxdb_line_protocol::{FieldValue, ParsedLine, parse_lines};
use receiver::dead_letters::DeadLetter;
use scraper::home_assistant::origin::Origin;
use serde_json::Value;
use wire::{
    Announcement, BaseTopic, GatewayState, Health, InverterHealth, InverterState, MAX_SEQ, Reading,
    ReplayRequest, ReportTime, Status, Topic,
};

use crate::{Input, first_line, line, logged};

/// The topic in the first line, the payload in the rest: what is understood is the same after it was written and
/// read again, and its lines of line protocol say the same to another parser. A device at Home Assistant is ours only if
/// its announcement says so.
pub(crate) fn message(data: &[u8]) -> Input {
    let (topic, payload) = first_line(data);
    if Origin::is_ours(payload)
        && let Ok(announced) = serde_json::from_slice::<Value>(payload)
    {
        assert_eq!(announced["origin"]["name"], "envoy-scrape");
    }
    let Ok(topic) = str::from_utf8(topic) else {
        return Input::Refused;
    };
    let Ok(topic) = Topic::parse(&BaseTopic::default(), topic) else {
        return Input::Refused;
    };
    let judged = match &topic {
        Topic::Plain { .. } | Topic::Backlog { .. } => {
            Reading::decode(&topic, payload).map(|it| reading(&it))
        }
        Topic::Journal { .. } => Announcement::decode(payload).map(|it| announcement(&it)),
        Topic::Health { .. } => Health::decode(&topic, payload).map(|it| health(&it)),
        Topic::Gateway { .. } => GatewayState::decode(&topic, payload).map(|it| {
            let again = GatewayState::decode(&topic, it.encode().as_bytes());
            assert_eq!(again.expect("what was written"), it);
        }),
        Topic::EnvoyStatus { .. } | Topic::ReceiverStatus { .. } => {
            Status::decode(payload).map(|it| assert_eq!(it.encode().as_bytes(), payload))
        }
        Topic::Replay { .. } => ReplayRequest::decode(payload).map(|it| {
            let again = ReplayRequest::decode(it.encode().as_bytes());
            assert_eq!(again.expect("what was written"), it);
        }),
        // Its payload is nobody's concern.
        Topic::EnvoyCheck { .. } | Topic::ReceiverCheck { .. } => Ok(()),
    };
    if let Err(error) = &judged {
        // What the receiver says: not the cause, which may repeat what is in the payload.
        let reason = error.to_string();
        logged::is_fit(&reason);
        dead_letter(&topic, payload, reason);
    }
    Input::understood_if(judged.is_ok())
}

/// A reading survives its payload and its line.
pub(crate) fn reading(reading: &Reading) {
    let payload = reading.encode();
    logged::is_fit(&payload);
    for topic in [reading.topic(), reading.backlog_topic()] {
        let again = Reading::decode(&topic, payload.as_bytes());
        assert_eq!(&again.expect("what was written"), reading);
    }
    line::says(reading, &payload);
}

fn announcement(announcement: &Announcement) {
    let again = Announcement::decode(announcement.encode().as_bytes());
    assert_eq!(&again.expect("what was written"), announcement);
    for span in &announcement.journals {
        assert_eq!(span.is_empty(), span.first() > span.last());
    }
}

fn health(health: &Health) {
    let topic = Topic::Health {
        envoy: health.envoy.clone(),
    };
    // What comes near the bound may have been written shorter by others.
    if let Ok(again) = Health::decode(&topic, health.encode().as_bytes()) {
        assert_eq!(&again, health);
    }
    let lines = store::line::health::render(health);
    if health.changed_at.is_some() {
        assert_eq!(lines.len(), health.inverters.len());
    }
    for (line, (serial, inverter)) in lines.iter().zip(&health.inverters) {
        let points: Vec<_> = parse_lines(line).collect();
        let [Ok(point)] = points.as_slice() else {
            panic!("{line:?} is not one point: {points:?}");
        };
        let tags = point.series.tag_set.iter().flatten();
        let tags: Vec<_> = tags
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let meant = [
            ("envoySerial", health.envoy.as_str()),
            ("serial", serial.as_str()),
        ];
        assert_eq!(tags, meant, "{line}");
        let at = health.changed_at.map(ReportTime::unix_seconds);
        assert_eq!(point.timestamp, at, "{line}");
        assert_eq!(fields(point), meant_fields(inverter), "{line}");
    }
}

/// Fields by name, with a sign of their type.
fn fields(point: &ParsedLine<'_>) -> BTreeMap<String, String> {
    let shown = |value: &FieldValue<'_>| match value {
        FieldValue::F64(number) => format!("{number}"),
        FieldValue::String(text) => format!("{:?}", text.as_str()),
        FieldValue::Boolean(is_so) => format!("{is_so}"),
        other => panic!("no inverter's health has {other:?}"),
    };
    let fields = point.field_set.iter();
    fields
        .map(|(key, value)| (key.to_string(), shown(value)))
        .collect()
}

fn meant_fields(inverter: &InverterHealth) -> BTreeMap<String, String> {
    let state = match inverter.state {
        InverterState::Reporting => "reporting",
        InverterState::Asleep => "asleep",
        InverterState::Silent => "silent",
    };
    // A line end would be the end of the line for some servers.
    let text = |text: &String| format!("{:?}", text.replace(char::is_control, " "));
    let number = |number: u32| f64::from(number).to_string();
    // As a server reads it, which counts in floats.
    let missed: f64 = inverter
        .missed_reports
        .to_string()
        .parse()
        .expect("a number");
    let fields = [
        ("state", Some(format!("{state:?}"))),
        ("fresh", Some(inverter.fresh.to_string())),
        ("missedReports", Some(missed.to_string())),
        ("intervalS", inverter.interval_s.map(number)),
        (
            "relativeOutputPct",
            inverter.relative_output_pct.map(number),
        ),
        ("name", inverter.name.as_ref().map(text)),
        ("array", inverter.array.as_ref().map(text)),
    ];
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    known.collect()
}

/// What can't be stored is kept in one line, and has no place in a journal that no reading can have.
fn dead_letter(topic: &Topic, payload: &[u8], reason: String) {
    let text = topic.render(&BaseTopic::default());
    let mut letter = DeadLetter::new(&text, payload, reason);
    if let Topic::Plain { envoy, .. } | Topic::Backlog { envoy, .. } = topic {
        letter = letter.of_envoy(envoy, payload);
    }
    logged::is_fit(&serde_json::to_string(&letter).expect("it can be written"));
    if let Some((_, _, seq)) = letter.place() {
        assert!((1..=MAX_SEQ).contains(seq));
    }
}
