//! How the inverters do, as line protocol: measurement `inverterHealth`, tags `envoySerial` and `serial`.
//!
//! A point is what of one inverter changed, at the time of that change. Words are strings, `fresh` is a
//! boolean and all numbers are floats; what is unknown is left out. Name and array are fields: as tags they
//! would begin a new series with each new name.

use std::fmt::Write;

use serde_json::json;
use wire::{Health, InverterHealth, InverterState, Serial};

use super::{camel_case, tag};

/// The measurement of inverters' health.
pub const INVERTER_HEALTH: &str = "inverterHealth";

/// The lines of these inverters' health, one for each; none where it is not dated.
#[must_use]
pub fn render(health: &Health) -> Vec<String> {
    let Some(changed_at) = health.changed_at else {
        return Vec::new();
    };
    let of = |(serial, one): (&Serial, &InverterHealth)| {
        let mut line = INVERTER_HEALTH.to_owned();
        tag(&mut line, "envoySerial", health.envoy.as_str());
        tag(&mut line, "serial", serial.as_str());
        append_fields(&mut line, one);
        write!(line, " {}", changed_at.unix_seconds()).expect("writing to a String does not fail");
        line
    };
    health.inverters.iter().map(of).collect()
}

fn append_fields(line: &mut String, health: &InverterHealth) {
    let InverterHealth {
        state,
        fresh,
        interval_s,
        missed_reports,
        relative_output_pct,
        name,
        array,
    } = health;
    write!(
        line,
        " state=\"{}\",fresh={fresh},{}={missed_reports}",
        word(*state),
        camel_case("missed_reports")
    )
    .expect("writing to a String does not fail");
    for (key, value) in [
        ("interval_s", interval_s),
        ("relative_output_pct", relative_output_pct),
    ] {
        if let Some(value) = value {
            write!(line, ",{}={value}", camel_case(key))
                .expect("writing to a String does not fail");
        }
    }
    for (key, value) in [("name", name), ("array", array)] {
        if let Some(value) = value {
            write!(line, ",{key}=\"{}\"", quoted(value))
                .expect("writing to a String does not fail");
        }
    }
}

/// What a state is called in payloads.
pub(crate) fn word(state: InverterState) -> String {
    json!(state).as_str().unwrap_or_default().to_owned()
}

/// As it stands between the quotation marks of a string field. A line end would be the end of the line for
/// some servers, so that control characters become spaces.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use influxdb_line_protocol::{FieldValue, parse_lines};

    use super::*;

    fn known() -> InverterHealth {
        InverterHealth {
            state: InverterState::Silent,
            fresh: false,
            interval_s: Some(300),
            missed_reports: 12,
            relative_output_pct: Some(41),
            name: Some("Garage left".to_owned()),
            array: Some("Garage".to_owned()),
        }
    }

    fn health(one: InverterHealth) -> Health {
        Health {
            envoy: "122012345678".parse().unwrap(),
            changed_at: Some("2026-11-23T09:15:07Z".parse().unwrap()),
            reporting: 0,
            asleep: 0,
            silent: 1,
            total: 1,
            never_reported: 0,
            inverters: [("482012345678".parse().unwrap(), one)].into(),
        }
    }

    #[test]
    fn the_line_of_the_contracts_health() {
        assert_eq!(
            render(&health(known())),
            [
                "inverterHealth,envoySerial=122012345678,serial=482012345678 state=\"silent\",fresh=false,\
              missedReports=12,intervalS=300,relativeOutputPct=41,name=\"Garage left\",array=\"Garage\" \
              1795425307"
            ]
        );
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let unknown = InverterHealth {
            state: InverterState::Reporting,
            fresh: true,
            interval_s: None,
            missed_reports: 0,
            relative_output_pct: None,
            name: None,
            array: None,
        };
        assert_eq!(
            render(&health(unknown)),
            [
                "inverterHealth,envoySerial=122012345678,serial=482012345678 state=\"reporting\",fresh=true,\
              missedReports=0 1795425307"
            ]
        );
    }

    #[test]
    fn health_without_a_time_has_no_line() {
        let undated = Health {
            changed_at: None,
            ..health(known())
        };
        assert_eq!(render(&undated), [""; 0]);
    }

    #[test]
    fn whatever_a_name_is_it_stays_one_field_of_one_line() {
        let name = "the \"big\" one\\\nstate=1i 7, süd,";
        let line = &render(&health(InverterHealth {
            name: Some(name.to_owned()),
            ..known()
        }))[0];
        let parsed: Vec<_> = parse_lines(line).map(Result::unwrap).collect();
        assert_eq!(parsed.len(), 1);
        let field = parsed[0].field_value("name").unwrap();
        let FieldValue::String(read) = field else {
            panic!("{field:?}");
        };
        assert_eq!(read.as_str(), name.replace('\n', " "));
    }
}
