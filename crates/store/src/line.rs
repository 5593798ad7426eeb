//! Readings as line protocol, one point a line.
//!
//! Measurement `inverterPower`, as the original has it: tags `envoySerial`, `serial` and `type` (the
//! device type as text, left out when unknown); fields `power` and `maxPower` as integers, and what
//! some gateways say beyond that. The other measurements are named by their kind (`site`, `net`,
//! `meter`): tag `envoySerial`, of a meter also `eid`, `kind` and `phase`, of a battery `serial`.
//! Their fields are those of the payload in camel case (`power_w` is `powerW`): words are strings,
//! and all numbers floats. What is unknown is left out. Tags are sorted by key as the server wants
//! them, and the time is in seconds.

pub mod health;

use std::fmt::Write;

use wire::{Inverter, Measured, Reading, Serial, Value};

/// The measurement of inverters' readings.
pub const INVERTER_POWER: &str = "inverterPower";

/// A serial, a word and a number can always be written as a tag.
const WRITABLE: &str =
    "a name has 1 to 32 of A-Z a-z 0-9 _ -, and a number digits, all of which may be in a tag";

/// The line of `reading`, without a line end.
#[must_use]
pub fn render(reading: &Reading) -> String {
    let mut line = String::with_capacity(128);
    append(&mut line, reading);
    line
}

/// The measurement that the line of `reading` is of.
#[must_use]
pub fn measurement(reading: &Reading) -> &'static str {
    name(&reading.measured)
}

fn name(measured: &Measured) -> &'static str {
    match measured {
        Measured::Inverter(_) => INVERTER_POWER,
        _ => measured.kind().as_str(),
    }
}

/// Appends the line of `reading`, without a line end.
pub fn append(buffer: &mut String, reading: &Reading) {
    append_measured(buffer, &reading.envoy, &reading.measured);
}

/// Appends the line of what was measured at this Envoy, without a line end: the place in a journal is not
/// part of it.
pub(crate) fn append_measured(buffer: &mut String, envoy: &Serial, measured: &Measured) {
    buffer.push_str(name(measured));
    let envoy = envoy.as_str();
    match measured {
        Measured::Inverter(inverter) => {
            tag(buffer, "envoySerial", envoy);
            tag(buffer, "serial", inverter.serial.as_str());
            if let Some(device_type) = inverter.device_type {
                tag(buffer, "type", &device_type.to_string());
            }
        }
        Measured::Meter(meter) => {
            tag(buffer, "eid", meter.eid.as_str());
            tag(buffer, "envoySerial", envoy);
            tag(buffer, "kind", meter.kind.as_str());
            if let Some(phase) = &meter.phase {
                tag(buffer, "phase", phase.as_str());
            }
        }
        Measured::Battery(battery) => {
            tag(buffer, "envoySerial", envoy);
            tag(buffer, "serial", battery.serial.as_str());
        }
        Measured::Site(_)
        | Measured::Production(_)
        | Measured::Consumption(_)
        | Measured::Net(_) => {
            tag(buffer, "envoySerial", envoy);
        }
    }
    append_fields(buffer, measured);
    write!(buffer, " {}", measured.at().unix_seconds()).expect("writing to a String does not fail");
}

/// Every kind has a field that is always known, without which a line would be none.
fn append_fields(buffer: &mut String, measured: &Measured) {
    let mut separator = ' ';
    if let Measured::Inverter(Inverter {
        power_w,
        peak_power_w,
        ..
    }) = measured
    {
        write!(buffer, " power={power_w}i,maxPower={peak_power_w}i")
            .expect("writing to a String does not fail");
        separator = ',';
    }
    for (name, value) in measured.fields() {
        if is_elsewhere(measured, name) {
            continue;
        }
        match value {
            Value::Unknown => continue,
            Value::Word(word) => write!(buffer, "{separator}{}=\"{word}\"", camel_case(name)),
            Value::Whole(whole) => write!(buffer, "{separator}{}={whole}", camel_case(name)),
            Value::Quantity(quantity) => {
                write!(buffer, "{separator}{}={quantity}", camel_case(name))
            }
        }
        .expect("writing to a String does not fail");
        separator = ',';
    }
}

/// Whether a field is among the tags, or has the original's name.
fn is_elsewhere(measured: &Measured, name: &str) -> bool {
    match measured {
        Measured::Inverter(_) => ["device_type", "power_w", "peak_power_w"].contains(&name),
        Measured::Meter(_) => ["kind", "phase"].contains(&name),
        _ => false,
    }
}

/// `energy_today_wh` as `energyTodayWh`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1.min(word.len()));
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(rest);
    }
    camel
}

fn tag(buffer: &mut String, key: &'static str, value: &str) {
    append_tag(buffer, key, value).expect(WRITABLE);
}

/// A text that line protocol has no way to write as the value of a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} can't be the value of a tag: it is empty, or has a control character or backslash")]
struct Unwritable(String);

/// Appends `,key=value` to a line that has its measurement and perhaps tags already.
///
/// Comma, equals sign and space are escaped. A line end or an empty value has no escape, and a
/// backslash none that all servers agree on (at the end of a value it would swallow what
/// follows): these are refused, and nothing is appended.
fn append_tag(buffer: &mut String, key: &'static str, value: &str) -> Result<(), Unwritable> {
    if value.is_empty() || value.contains(|c: char| c.is_control() || c == '\\') {
        return Err(Unwritable(value.to_owned()));
    }
    buffer.push(',');
    buffer.push_str(key);
    buffer.push('=');
    for character in value.chars() {
        if matches!(character, ',' | '=' | ' ') {
            buffer.push('\\');
        }
        buffer.push(character);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
