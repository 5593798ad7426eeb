#![allow(clippy::unwrap_used)]

use influxdb_line_protocol::{FieldValue, ParsedLine, parse_lines};
use proptest::prelude::*;
use wire::{Reading, ReportTime};

use super::*;

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
fn the_line_of_the_contracts_reading() {
    assert_eq!(
        render(&reading()),
        "inverterPower,envoySerial=122012345678,serial=482012345678,type=1 \
         power=212i,maxPower=296i 1795425300"
    );
}

#[test]
fn an_unknown_type_has_no_tag() {
    let reading = Reading {
        device_type: None,
        power_w: -3,
        ..reading()
    };
    assert_eq!(
        render(&reading),
        "inverterPower,envoySerial=122012345678,serial=482012345678 \
         power=-3i,maxPower=296i 1795425300"
    );
}

#[test]
fn an_inverter_that_two_envoys_list_is_two_series() {
    let other = Reading {
        envoy: "122099999999".parse().unwrap(),
        ..reading()
    };
    let (first, second) = (render(&reading()), render(&other));
    let series = |line: &str| line.split(' ').next().map(str::to_owned);
    assert_ne!(series(&first), series(&second));
}

/// The one point in `text`, by another author's parser.
fn parse(text: &str) -> ParsedLine<'_> {
    let mut points: Vec<_> = parse_lines(text).collect::<Result<_, _>>().unwrap();
    assert_eq!(points.len(), 1, "{text:?}");
    points.remove(0)
}

fn tags(point: &ParsedLine<'_>) -> Vec<(String, String)> {
    let tags = point.series.tag_set.iter().flatten();
    tags.map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

proptest! {
    #[test]
    fn any_reading_parses_back_to_the_same_point(
        serial in "[A-Za-z0-9_-]{1,32}", envoy in "[A-Za-z0-9_-]{1,32}",
        seconds in ReportTime::MIN.unix_seconds()..=ReportTime::MAX.unix_seconds(),
        device_type in any::<Option<u32>>(), power_w in any::<i32>(), peak_power_w in any::<i32>(),
    ) {
        let reading = Reading {
            serial: serial.parse().unwrap(),
            envoy: envoy.parse().unwrap(),
            reported_at: ReportTime::from_unix_seconds(seconds).unwrap(),
            device_type, power_w, peak_power_w,
            ..reading()
        };
        let line = render(&reading);
        let point = parse(&line);
        prop_assert_eq!(point.series.measurement.to_string(), INVERTER_POWER);
        let mut expected = vec![
            ("envoySerial".to_owned(), envoy),
            ("serial".to_owned(), serial),
        ];
        expected.extend(device_type.map(|number| ("type".to_owned(), number.to_string())));
        prop_assert!(expected.is_sorted());
        prop_assert_eq!(tags(&point), expected);
        prop_assert_eq!(point.field_set.len(), 2);
        prop_assert_eq!(point.field_value("power"), Some(&FieldValue::I64(power_w.into())));
        prop_assert_eq!(point.field_value("maxPower"), Some(&FieldValue::I64(peak_power_w.into())));
        prop_assert_eq!(point.timestamp, Some(seconds));
    }

    #[test]
    fn no_text_breaks_out_of_its_tag(value in "[a-z ,=\"\\\\\n\r\t\0#é]{0,12}") {
        let mut line = "m".to_owned();
        match append_tag(&mut line, "tag", &value) {
            Ok(()) => {
                line += " f=1i 1";
                let point = parse(&line);
                prop_assert_eq!(tags(&point), vec![("tag".to_owned(), value)]);
                prop_assert_eq!(point.field_set.len(), 1);
                prop_assert_eq!(point.timestamp, Some(1));
            }
            Err(Unwritable(refused)) => {
                prop_assert_eq!(&refused, &value);
                prop_assert_eq!(line, "m");
                prop_assert!(value.is_empty() || value.contains(['\\', '\n', '\r', '\t', '\0']));
            }
        }
    }
}
