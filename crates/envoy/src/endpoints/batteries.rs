//! `/ivp/ensemble/inventory`: which batteries there are and how full. From firmware 5 on.

use std::time::Duration;

use serde_json::Value;

use super::{ALWAYS, Malformed, Updater, Worth, is_serial, is_time, list, number};
use crate::measured::Battery;

pub(super) const UPDATER: Updater = Updater {
    path: "/ivp/ensemble/inventory",
    every: ALWAYS,
    limit: Duration::from_secs(10),
    is_wanted: |asked, _| asked.info.firmware.is_at_least(&[5]),
    update: |body, _, readings| {
        let batteries = parse(body)?;
        if batteries.is_empty() {
            return Ok(Worth::Nothing);
        }
        readings.batteries.extend(batteries);
        Ok(Worth::Asking)
    },
};

/// The batteries, without their power.
fn parse(body: &[u8]) -> Result<Vec<Battery>, Malformed> {
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

pub(super) fn serial(device: &Value) -> Option<&str> {
    device
        .get("serial_num")?
        .as_str()
        .filter(|serial| is_serial(serial))
}
