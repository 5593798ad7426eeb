//! Readings as line protocol, one point a line.
//!
//! Measurement `inverterPower`; tags `envoySerial`, `serial` and `type` (the device type as text,
//! left out when unknown), sorted by key as the server wants them; fields `power` and `maxPower`
//! as integers; the report time in seconds.

use std::fmt::Write;

use wire::Reading;

/// The measurement of inverters' readings.
pub const INVERTER_POWER: &str = "inverterPower";

/// The line of `reading`, without a line end.
#[must_use]
pub fn render(reading: &Reading) -> String {
    let mut line = String::with_capacity(128);
    append(&mut line, reading);
    line
}

/// Appends the line of `reading`, without a line end.
pub fn append(buffer: &mut String, reading: &Reading) {
    buffer.push_str(INVERTER_POWER);
    for (key, serial) in [("envoySerial", &reading.envoy), ("serial", &reading.serial)] {
        append_tag(buffer, key, serial.as_str())
            .expect("a serial has 1 to 32 of A-Z a-z 0-9 _ -, all of which may be in a tag");
    }
    if let Some(device_type) = reading.device_type {
        append_tag(buffer, "type", &device_type.to_string())
            .expect("a number has digits only, all of which may be in a tag");
    }
    write!(
        buffer,
        " power={}i,maxPower={}i {}",
        reading.power_w,
        reading.peak_power_w,
        reading.reported_at.unix_seconds()
    )
    .expect("writing to a String does not fail");
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
