//! `/ivp/ensemble/power`: what batteries do now. Says nothing of how full they are, nor when that was.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::batteries::serial;
use super::{ALWAYS, Malformed, Updater, Worth, number, object};

pub(super) const UPDATER: Updater = Updater {
    path: "/ivp/ensemble/power",
    every: ALWAYS,
    limit: Duration::from_secs(10),
    is_wanted: |_, readings| !readings.batteries.is_empty(),
    update: |body, _, readings| {
        let power = parse(body)?;
        for battery in &mut readings.batteries {
            battery.power_w = power.get(&battery.serial).copied();
        }
        Ok(Worth::Asking)
    },
};

/// The power of each in watts, + discharging, by serial.
fn parse(body: &[u8]) -> Result<HashMap<String, f64>, Malformed> {
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
