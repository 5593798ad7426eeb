//! `/ivp/meters`: which meters there are, and `/ivp/meters/readings`: what they show. Joined by their
//! number: the second lists more of them, and in another order. A meter that is disabled shows noise.

use serde_json::Value;

use super::{Malformed, is_serial, is_time, list, number};
use crate::measured::Meter;

pub(crate) const PATH: &str = "/ivp/meters";
pub(crate) const READINGS: &str = "/ivp/meters/readings";

/// How phases are named, in the order of a meter's channels.
const PHASES: [&str; 3] = ["ph-a", "ph-b", "ph-c"];

/// A meter that is enabled and measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Enabled {
    pub(crate) eid: u64,
    pub(crate) kind: String,
    pub(crate) phases: usize,
}

pub(crate) fn parse(body: &[u8]) -> Result<Vec<Enabled>, Malformed> {
    Ok(list(body)?.iter().filter_map(enabled).collect())
}

fn enabled(meter: &Value) -> Option<Enabled> {
    let text = |key: &str| meter.get(key).and_then(Value::as_str);
    if text("state") != Some("enabled") || text("meteringStatus") == Some("not-metering") {
        return None;
    }
    Some(Enabled {
        eid: meter.get("eid").and_then(number::whole)?,
        kind: text("measurementType")
            .filter(|kind| is_serial(kind))?
            .to_owned(),
        phases: meter.get("phaseCount").and_then(number::whole).unwrap_or(1),
    })
}

/// The readings as they are, to be joined by [`join`].
pub(crate) fn readings(body: &[u8]) -> Result<Vec<Value>, Malformed> {
    list(body)
}

/// What the enabled meters show, each followed by its phases where it has several.
pub(crate) fn join(enabled: &[Enabled], readings: &[Value]) -> Vec<Meter> {
    let of = |meter: &Enabled| {
        let reading = readings
            .iter()
            .find(|reading| eid(reading) == Some(meter.eid));
        let phases = reading
            .filter(|_| meter.phases > 1)
            .and_then(|reading| reading.get("channels")?.as_array())
            .into_iter()
            .flatten()
            .zip(PHASES)
            .take(meter.phases)
            .map(|(channel, phase)| (channel, Some(phase)));
        let all = reading
            .map(|reading| (reading, None))
            .into_iter()
            .chain(phases);
        all.filter_map(|(reading, phase)| shown(reading, &meter.kind, phase))
            .collect::<Vec<_>>()
    };
    enabled.iter().flat_map(of).collect()
}

fn eid(reading: &Value) -> Option<u64> {
    reading.get("eid").and_then(number::whole)
}

/// `None` for one that was never read, whose time is 0.
fn shown(reading: &Value, kind: &str, phase: Option<&'static str>) -> Option<Meter> {
    let value = |key: &str| number::quantity(reading.get(key));
    Some(Meter {
        eid: eid(reading)?,
        measured_at: reading
            .get("timestamp")
            .and_then(number::whole)
            .filter(|time| is_time(*time))?,
        kind: kind.to_owned(),
        phase,
        power_w: value("activePower"),
        reactive_power_var: value("reactivePower"),
        apparent_power_va: value("apparentPower"),
        voltage_v: value("voltage"),
        current_a: value("current"),
        frequency_hz: value("freq"),
        power_factor: value("pwrFactor"),
        energy_delivered_wh: value("actEnergyDlvd"),
        energy_received_wh: value("actEnergyRcvd"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readings_are_joined_by_number_and_disabled_meters_are_left_out() {
        let meter = |eid: u64, state: &str, kind: &str, phases: u64| {
            json!({"eid": eid, "state": state, "measurementType": kind, "phaseCount": phases,
                   "meteringStatus": "normal"})
        };
        let meters = json!([
            meter(1, "enabled", "production", 1),
            meter(2, "disabled", "storage", 1),
            meter(3, "enabled", "net-consumption", 2),
            meter(4, "enabled", "load", 1),
        ]);
        let reading = |eid: u64, at: i64, watts: f64| {
            json!({"eid": eid, "timestamp": at, "activePower": watts, "channels": [
                {"eid": 10 * eid, "timestamp": at, "activePower": watts / 2.0},
                {"eid": 10 * eid + 1, "timestamp": at, "activePower": watts / 2.0},
                {"eid": 10 * eid + 2, "timestamp": at, "activePower": 0.0}]})
        };
        let readings = json!([
            reading(9, 1_785_593_341, 5.0),
            reading(3, 1_785_593_341, -8.0),
            reading(2, 1_785_593_341, -6660.0),
            reading(1, 1_785_593_341, 700.0),
            reading(4, 0, 7.0),
        ]);
        let enabled = parse(meters.to_string().as_bytes()).expect("a list");
        let readings = super::readings(readings.to_string().as_bytes()).expect("a list");
        let shown: Vec<_> = join(&enabled, &readings)
            .into_iter()
            .map(|meter| (meter.eid, meter.phase, meter.power_w))
            .collect();
        assert_eq!(
            shown,
            [
                (1, None, Some(700.0)),
                (3, None, Some(-8.0)),
                (30, Some("ph-a"), Some(-4.0)),
                (31, Some("ph-b"), Some(-4.0)),
            ]
        );
    }
}
