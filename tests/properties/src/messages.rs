//! Messages of the contract.

use influxdb_line_protocol::{FieldValue, parse_lines};
use wire::{Announcement, BaseTopic, GatewayState, Health, Reading, ReplayRequest, Status, Topic};

use crate::{Input, first_line, line, logged};

/// The topic in the first line, the payload in the rest: what is understood is the same after it was written and
/// read again, and its lines of line protocol say the same to another parser.
pub(crate) fn message(data: &[u8]) -> Input {
    let (topic, payload) = first_line(data);
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
        logged::is_fit(&error.to_string());
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
        let tag = |key| {
            point
                .tag_value(key)
                .map(influxdb_line_protocol::EscapedStr::as_str)
        };
        assert_eq!(tag("envoySerial"), Some(health.envoy.as_str()));
        assert_eq!(tag("serial"), Some(serial.as_str()));
        for (key, text) in [("name", &inverter.name), ("array", &inverter.array)] {
            let written = point.field_value(key).map(|value| match value {
                FieldValue::String(text) => text.to_string(),
                other => panic!("{key} is {other:?}"),
            });
            let meant = text
                .as_ref()
                .map(|text| text.replace(char::is_control, " "));
            assert_eq!(written, meant, "{line}");
        }
    }
}
