//! `/ivp/pdm/device_data`: energy, voltages, currents and temperature of each inverter, in late 8.2 and 8.3.
//!
//! It names 50 devices at most, meters and relays among them; those beyond are silently missing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::picking::{Picked, Place, values};
use super::plain::Plain;
use super::{ALWAYS, Malformed, Updater, Worth, is_serial, number, text};
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
    let text = text(body)?;
    let mut details = BTreeMap::new();
    values(&text, |device| details.extend(read(device)))?;
    Ok(details)
}

/// What is wanted of a device.
#[derive(Default)]
struct Device<'de> {
    kind: Plain<'de>,
    serial: Plain<'de>,
    channel: Channel<'de>,
}

#[derive(Default)]
struct Channel<'de> {
    last: LastReading<'de>,
    lifetime: Counter<'de>,
    watt_hours: WattHours<'de>,
}

#[derive(Default)]
struct LastReading<'de> {
    reported_at: Plain<'de>,
    interval_s: Plain<'de>,
    joules: Plain<'de>,
    ac_voltage: Plain<'de>,
    ac_current: Plain<'de>,
    ac_frequency: Plain<'de>,
    dc_voltage: Plain<'de>,
    dc_current: Plain<'de>,
    temperature: Plain<'de>,
}

#[derive(Default)]
struct Counter<'de> {
    joules: Plain<'de>,
}

#[derive(Default)]
struct WattHours<'de> {
    today: Plain<'de>,
}

impl<'de> Picked<'de> for Device<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        Some(match key {
            "devName" => Place::Plain(&mut self.kind),
            "sn" => Place::Plain(&mut self.serial),
            "channels" => Place::First(&mut self.channel),
            _ => return None,
        })
    }
}

impl<'de> Picked<'de> for Channel<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        Some(Place::Object(match key {
            "lastReading" => &mut self.last,
            "lifetime" => &mut self.lifetime,
            "wattHours" => &mut self.watt_hours,
            _ => return None,
        }))
    }
}

impl<'de> Picked<'de> for LastReading<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        Some(Place::Plain(match key {
            "endDate" => &mut self.reported_at,
            "duration" => &mut self.interval_s,
            JOULES => &mut self.joules,
            "acVoltageINmV" => &mut self.ac_voltage,
            "acCurrentInmA" => &mut self.ac_current,
            "acFrequencyINmHz" => &mut self.ac_frequency,
            "dcVoltageINmV" => &mut self.dc_voltage,
            "dcCurrentINmA" => &mut self.dc_current,
            "channelTemp" => &mut self.temperature,
            _ => return None,
        }))
    }
}

impl<'de> Picked<'de> for Counter<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        (key == JOULES).then_some(Place::Plain(&mut self.joules))
    }
}

impl<'de> Picked<'de> for WattHours<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        (key == "today").then_some(Place::Plain(&mut self.today))
    }
}

const JOULES: &str = "joulesProduced";

fn read(device: Device<'_>) -> Option<(String, Detail)> {
    let (Plain::Text(kind), Plain::Text(serial)) = (device.kind, device.serial) else {
        return None;
    };
    // AC batteries have the same parts, but energy in both directions.
    if kind != "pcu" || !is_serial(&serial) {
        return None;
    }
    let Channel {
        last,
        lifetime,
        watt_hours: counted,
    } = device.channel;
    let detail = Detail {
        reported_at: number::whole(&last.reported_at)?,
        interval_s: quantity(&last.interval_s),
        energy_wh: watt_hours(&last.joules),
        energy_lifetime_wh: watt_hours(&lifetime.joules),
        energy_today_wh: quantity(&counted.today),
        ac_voltage_v: thousandths(&last.ac_voltage),
        ac_current_a: thousandths(&last.ac_current),
        ac_frequency_hz: thousandths(&last.ac_frequency),
        dc_voltage_v: thousandths(&last.dc_voltage),
        dc_current_a: thousandths(&last.dc_current),
        temperature_c: quantity(&last.temperature),
    };
    Some((serial.into_owned(), detail))
}

fn quantity(value: &Plain<'_>) -> Option<f64> {
    number::quantity(Some(value))
}

fn thousandths(value: &Plain<'_>) -> Option<f64> {
    quantity(value).map(|value| value / 1000.0)
}

fn watt_hours(joules: &Plain<'_>) -> Option<f64> {
    quantity(joules).map(|joules| joules / 3600.0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
