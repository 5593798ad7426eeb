//! The line of a reading, as somebody else's parser reads it.

use std::collections::BTreeMap;

use influxdb_line_protocol::{FieldValue, parse_lines};
use serde_json::{Map, Value};
use wire::{Kind, Reading};

/// The line is one point, and has what the payload has: no tag and no field more or less.
pub(crate) fn says(reading: &Reading, payload: &str) {
    let line = store::line::render(reading);
    let points: Vec<_> = parse_lines(&line).collect();
    let [Ok(point)] = points.as_slice() else {
        panic!("{line:?} is not one point: {points:?}");
    };
    let measurement = match reading.measured.kind() {
        Kind::Inverter => "inverterPower",
        kind => kind.as_str(),
    };
    assert_eq!(point.series.measurement.as_str(), measurement);
    assert_eq!(point.timestamp, Some(reading.at().unix_seconds()));
    let tags = point.series.tag_set.iter().flatten();
    let tags: BTreeMap<_, _> = tags
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    let fields = point.field_set.iter();
    let fields: BTreeMap<_, _> = fields
        .map(|(key, value)| (key.to_string(), read(value)))
        .collect();
    let payload: Map<String, Value> =
        serde_json::from_str(payload).expect("a payload is an object");
    let (meant_tags, meant_fields) = meant(reading.measured.kind(), payload);
    assert_eq!(tags, meant_tags, "{line}");
    assert_eq!(fields, meant_fields, "{line}");
}

/// A value, with a sign of its type: InfluxDB refuses a field that changes it.
fn read(value: &FieldValue<'_>) -> String {
    match value {
        FieldValue::I64(whole) => format!("{whole}i"),
        FieldValue::F64(number) => format!("{number}"),
        FieldValue::String(text) => format!("{:?}", text.as_str()),
        other => panic!("no reading has {other:?}"),
    }
}

/// The tags and the fields that a payload calls for.
fn meant(
    kind: Kind,
    payload: Map<String, Value>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut tags, mut fields) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in payload {
        let text = match &value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match (key.as_str(), kind) {
            ("journal" | "seq" | "reported_at" | "measured_at", _) => {}
            ("envoy", _) => drop(tags.insert("envoySerial".to_owned(), text)),
            ("serial" | "eid", _) | ("kind" | "phase", Kind::Meter) => {
                tags.insert(key, text);
            }
            ("device_type", _) => drop(tags.insert("type".to_owned(), text)),
            ("power_w", Kind::Inverter) => drop(fields.insert("power".to_owned(), text + "i")),
            ("peak_power_w", _) => drop(fields.insert("maxPower".to_owned(), text + "i")),
            _ => {
                let number = value.as_f64().map(|number| format!("{number}"));
                fields.insert(camel_case(&key), number.unwrap_or(format!("{text:?}")));
            }
        }
    }
    (tags, fields)
}

/// `energy_today_wh` as `energyTodayWh`.
fn camel_case(key: &str) -> String {
    let mut is_first = false;
    let mut name = String::new();
    for character in key.chars() {
        match character {
            '_' => is_first = true,
            other if std::mem::take(&mut is_first) => name.push(other.to_ascii_uppercase()),
            other => name.push(other),
        }
    }
    name
}
