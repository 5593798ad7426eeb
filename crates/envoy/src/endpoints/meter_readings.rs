//! `/ivp/meters/readings`: what the meters show. Joined with their list by their number: this one has more of
//! them, and in another order.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::meters::Enabled;
use super::{ALWAYS, Updater, Worth, is_time, list, number};
use crate::measured::{Flow, Meter, Net};

pub(super) const UPDATER: Updater = Updater {
    path: "/ivp/meters/readings",
    every: ALWAYS,
    limit: Duration::from_secs(10),
    is_wanted: |_, readings| !readings.kept.meters.is_empty(),
    update: |body, asked, readings| {
        let meters = join(&readings.kept.meters, &list(body)?);
        readings.production = readings.production.or(delivered(&meters, "production"));
        readings.net = readings.net.or(exchanged(&meters));
        if !asked.info.firmware.takes_net_for_total() {
            let used = delivered(&meters, "total-consumption");
            readings.consumption = readings.consumption.or(used);
        }
        readings.meters.extend(meters);
        Ok(Worth::Asking)
    },
};

/// How phases are named, in the order of a meter's channels.
const PHASES: [&str; 3] = ["ph-a", "ph-b", "ph-c"];

/// What the enabled meters show, each followed by its phases where it has several.
fn join(enabled: &[Enabled], readings: &[Value]) -> Vec<Meter> {
    let numbered = |reading| Some((eid(reading)?, reading));
    // Of two with one number the first counts.
    let by_number: HashMap<u64, &Value> = readings.iter().rev().filter_map(numbered).collect();
    let of = |meter: &Enabled| {
        let reading = by_number.get(&meter.eid).copied();
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

/// The whole meters of one kind. There can be several.
fn whole<'a>(meters: &'a [Meter], kind: &'a str) -> impl Iterator<Item = &'a Meter> {
    meters
        .iter()
        .filter(move |meter| meter.phase.is_none() && meter.kind == kind)
}

/// What all of one kind have delivered. A meter counts no days.
fn delivered(meters: &[Meter], kind: &str) -> Option<Flow> {
    Some(Flow {
        measured_at: whole(meters, kind).map(|meter| meter.measured_at).max()?,
        power_w: sum(whole(meters, kind).map(|meter| meter.power_w))?,
        energy_today_wh: None,
        energy_lifetime_wh: sum(whole(meters, kind).map(|meter| meter.energy_delivered_wh)),
    })
}

fn exchanged(meters: &[Meter]) -> Option<Net> {
    let net = || whole(meters, "net-consumption");
    Some(Net {
        measured_at: net().map(|meter| meter.measured_at).max()?,
        power_w: sum(net().map(|meter| meter.power_w))?,
        energy_imported_wh: sum(net().map(|meter| meter.energy_delivered_wh)),
        energy_exported_wh: sum(net().map(|meter| meter.energy_received_wh)),
    })
}

/// `None` where one of them is not known.
fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::meters;
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
        let enabled = meters::parse(meters.to_string().as_bytes()).expect("a list");
        let readings = list(readings.to_string().as_bytes()).expect("a list");
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
