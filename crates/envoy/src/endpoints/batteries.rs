//! `/ivp/ensemble/inventory`: which batteries there are and how full, and `/ivp/ensemble/power`: what they
//! do now. From firmware 5 on.

use std::collections::HashMap;

use serde_json::Value;

use super::{Malformed, is_serial, is_time, list, number, object};
use crate::measured::Battery;

pub(crate) const PATH: &str = "/ivp/ensemble/inventory";
pub(crate) const POWER: &str = "/ivp/ensemble/power";

/// The batteries, without their power.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<Battery>, Malformed> {
    let groups = list(body)?;
    let batteries = groups
        .iter()
        .filter(|group| group.get("type").and_then(Value::as_str) == Some("ENCHARGE"))
        .filter_map(|group| group.get("devices")?.as_array())
        .flatten();
    Ok(batteries.filter_map(battery).collect())
}

fn battery(device: &Value) -> Option<Battery> {
    let value = |key: &str| number::quantity(device.get(key));
    Some(Battery {
        serial: serial(device)?.to_owned(),
        measured_at: device
            .get("last_rpt_date")
            .and_then(number::whole)
            .filter(|time| is_time(*time))?,
        kind: "encharge",
        state_of_charge_pct: value("percentFull"),
        power_w: None,
        energy_capacity_wh: value("encharge_capacity"),
        temperature_c: value("temperature"),
        state: None,
    })
}

/// The power of each in watts, + discharging, by serial.
pub(crate) fn power(body: &[u8]) -> Result<HashMap<String, f64>, Malformed> {
    let answer = object(body)?;
    // The colon belongs to its name.
    let Some(Value::Array(devices)) = answer.get("devices:").or(answer.get("devices")) else {
        return Err(Malformed::Shape("the power of batteries"));
    };
    let power = |device: &Value| {
        let milliwatts = number::quantity(device.get("real_power_mw"))?;
        Some((serial(device)?.to_owned(), milliwatts / 1000.0))
    };
    Ok(devices.iter().filter_map(power).collect())
}

fn serial(device: &Value) -> Option<&str> {
    device
        .get("serial_num")?
        .as_str()
        .filter(|serial| is_serial(serial))
}
