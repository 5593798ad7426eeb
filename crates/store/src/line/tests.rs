#![allow(clippy::unwrap_used)]

use influxdb_line_protocol::{FieldValue, ParsedLine, parse_lines};
use proptest::prelude::*;
use wire::{Battery, Detail, Inverter, Measured, Meter, Net, Quantity, Reading, ReportTime, Site};

use super::*;

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

fn reading() -> Reading {
    reading_of(inverter().into())
}

fn reading_of(measured: Measured) -> Reading {
    Reading {
        envoy: "122012345678".parse().unwrap(),
        measured,
        journal: "k3x9m2pq".parse().unwrap(),
        seq: 1841,
    }
}

fn quantity(value: f64) -> Quantity {
    Quantity::new(value).unwrap()
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
        measured: Inverter {
            device_type: None,
            power_w: -3,
            ..inverter()
        }
        .into(),
        ..reading()
    };
    assert_eq!(
        render(&reading),
        "inverterPower,envoySerial=122012345678,serial=482012345678 \
         power=-3i,maxPower=296i 1795425300"
    );
}

#[test]
fn what_a_gateway_says_beyond_power_is_floats_behind_it() {
    let detail = Detail {
        interval_s: Some(quantity(300.0)),
        energy_wh: Some(quantity(17.667)),
        ac_voltage_v: Some(quantity(236.5)),
        temperature_c: Some(quantity(-4.0)),
        ..Detail::default()
    };
    let measured = Inverter {
        detail: Some(detail),
        ..inverter()
    };
    assert_eq!(
        render(&reading_of(measured.into())),
        "inverterPower,envoySerial=122012345678,serial=482012345678,type=1 \
         power=212i,maxPower=296i,intervalS=300,energyWh=17.667,acVoltageV=236.5,temperatureC=-4 \
         1795425300"
    );
}

#[test]
fn a_site_and_what_is_exchanged_with_the_grid_have_their_envoy_as_the_only_tag() {
    let measured_at = "2026-11-23T09:15:00Z".parse().unwrap();
    let site = Site {
        measured_at,
        basis: wire::Basis::Inverters,
        power_w: quantity(2544.0),
        energy_today_wh: None,
        energy_lifetime_wh: Some(quantity(1e12)),
        inverters_reporting: 12,
        inverters_total: 13,
    };
    assert_eq!(
        render(&reading_of(site.into())),
        "site,envoySerial=122012345678 basis=\"inverters\",powerW=2544,\
         energyLifetimeWh=1000000000000,invertersReporting=12,invertersTotal=13 1795425300"
    );
    let net = Net {
        measured_at,
        power_w: quantity(-0.001),
        energy_imported_wh: Some(quantity(7.0)),
        energy_exported_wh: None,
    };
    assert_eq!(
        render(&reading_of(Measured::Net(net))),
        "net,envoySerial=122012345678 powerW=-0.001,energyImportedWh=7 1795425300"
    );
}

#[test]
fn a_meter_is_named_by_its_tags_and_a_battery_by_its_serial() {
    let measured_at = "2026-11-23T09:15:00Z".parse().unwrap();
    let meter = Meter {
        eid: "704643328".parse().unwrap(),
        measured_at,
        kind: "net-consumption".parse().unwrap(),
        phase: Some("l1".parse().unwrap()),
        power_w: quantity(1.5),
        reactive_power_var: Some(quantity(2.0)),
        apparent_power_va: None,
        voltage_v: None,
        current_a: None,
        frequency_hz: None,
        power_factor: Some(quantity(-0.5)),
        energy_delivered_wh: None,
        energy_received_wh: None,
    };
    assert_eq!(
        render(&reading_of(Measured::Meter(meter))),
        "meter,eid=704643328,envoySerial=122012345678,kind=net-consumption,phase=l1 \
         powerW=1.5,reactivePowerVar=2,powerFactor=-0.5 1795425300"
    );
    let battery = Battery {
        serial: "9".parse().unwrap(),
        measured_at,
        kind: "acb".parse().unwrap(),
        state_of_charge_pct: None,
        power_w: None,
        energy_capacity_wh: None,
        temperature_c: None,
        state: None,
    };
    assert_eq!(
        render(&reading_of(Measured::Battery(battery))),
        "battery,envoySerial=122012345678,serial=9 kind=\"acb\" 1795425300"
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
            envoy: envoy.parse().unwrap(),
            measured: Inverter {
                serial: serial.parse().unwrap(),
                reported_at: ReportTime::from_unix_seconds(seconds).unwrap(),
                device_type, power_w, peak_power_w, detail: None,
            }.into(),
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
