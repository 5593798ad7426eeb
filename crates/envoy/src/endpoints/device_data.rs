//! `/ivp/pdm/device_data`: energy, voltages, currents and temperature of each inverter, in late 8.2 and 8.3.
//!
//! It names 50 devices at most, meters and relays among them; those beyond are silently missing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{ALWAYS, Malformed, Updater, Worth, is_serial, number, object};
use crate::measured::Detail;

pub(super) const UPDATER: Updater = Updater {
    path: "/ivp/pdm/device_data",
    every: ALWAYS,
    limit: Duration::from_secs(15),
    is_wanted: |asked, _| asked.info.firmware.is_at_least(&[8, 2]),
    update: |body, _, readings| {
        readings.details = parse(body)?;
        Ok(Worth::Asking)
    },
};

/// Reads the detail of each inverter that has one, by serial.
///
/// A retired inverter, and after the Envoy's nightly start each one until sunrise, has an empty
/// `lastReading`: that costs only itself.
fn parse(body: &[u8]) -> Result<BTreeMap<String, Detail>, Malformed> {
    let devices = object(body)?;
    Ok(devices.values().filter_map(read).collect())
}

fn read(device: &Value) -> Option<(String, Detail)> {
    // AC batteries have the same parts, but energy in both directions.
    if device.get("devName")?.as_str()? != "pcu" {
        return None;
    }
    let serial = device.get("sn")?.as_str().filter(|sn| is_serial(sn))?;
    let channel = device.get("channels")?.get(0)?;
    let last = channel.get("lastReading")?.as_object()?;
    let reported_at = last.get("endDate").and_then(number::whole)?;
    let thousandths = |key| number::quantity(last.get(key)).map(|value| value / 1000.0);
    let detail = Detail {
        reported_at,
        interval_s: number::quantity(last.get("duration")),
        energy_wh: watt_hours(last),
        energy_lifetime_wh: channel
            .get("lifetime")
            .and_then(Value::as_object)
            .and_then(watt_hours),
        energy_today_wh: number::quantity(channel.pointer("/wattHours/today")),
        ac_voltage_v: thousandths("acVoltageINmV"),
        ac_current_a: thousandths("acCurrentInmA"),
        ac_frequency_hz: thousandths("acFrequencyINmHz"),
        dc_voltage_v: thousandths("dcVoltageINmV"),
        dc_current_a: thousandths("dcCurrentINmA"),
        temperature_c: number::quantity(last.get("channelTemp")),
    };
    Some((serial.to_owned(), detail))
}

fn watt_hours(of: &Map<String, Value>) -> Option<f64> {
    number::quantity(of.get("joulesProduced")).map(|joules| joules / 3600.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_active_inverter_is_left_out() {
        let reading = json!({"endDate": 1_748_576_887, "duration": 903, "joulesProduced": 230_400});
        let device = |kind: &str, sn: &str, reading: &Value| json!({"devName": kind, "sn": sn, "channels": [{"lastReading": reading, "lifetime": {}}]});
        let body = json!({
            "deviceCount": 5, "deviceDataLimit": 50,
            "1": device("pcu", "482012345678", &reading),
            "2": device("pcu", "482012345679", &json!({})),
            "3": device("eim", "482012345680", &reading),
            "4": device("pcu", "a/b", &reading),
            "5": {"devName": "pcu", "sn": "482012345681", "channels": []},
        });
        let details = parse(body.to_string().as_bytes()).expect("an object");
        assert_eq!(details.len(), 1);
        let detail = &details["482012345678"];
        assert_eq!(
            (detail.energy_wh, detail.interval_s),
            (Some(64.0), Some(903.0))
        );
        assert_eq!(
            (detail.energy_lifetime_wh, detail.ac_voltage_v),
            (None, None)
        );
    }

    #[test]
    fn an_error_is_none() {
        assert!(matches!(
            parse(b"{\"error\": \"no\"}"),
            Err(Malformed::ErrorObject)
        ));
        assert!(matches!(parse(b"<html>"), Err(Malformed::Json(_))));
        assert!(matches!(parse(b"[]"), Err(Malformed::Shape(_))));
    }
}
