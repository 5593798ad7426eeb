//! Which of an Envoy's answers tell of production, consumption and exchange: the cheapest that is sound on
//! its firmware. Pure.

use std::collections::{BTreeMap, HashMap};

use super::counters::Counters;
use super::{Battery, Detail, Flow, Meter, Net, Poll};
use crate::endpoints::info::Info;
use crate::endpoints::inverters::Inverters;
use crate::endpoints::production::{AcBatteries, Counted, Production};
use crate::endpoints::totals::Totals;
use crate::firmware::Firmware;

/// From here on the total consumption can be overwritten with the net one.
const TOTAL_IS_NET: [u32; 3] = [8, 3, 5433];

/// The inverters' lifetime counter in `/production.json` wraps at 2^32 joules from the first of these to
/// before the second.
const WRAPS: ([u32; 1], [u32; 3]) = ([7], [8, 2, 4264]);

/// What the endpoints answered in one poll.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) details: BTreeMap<String, Detail>,
    pub(crate) totals: Option<Totals>,
    pub(crate) meters: Vec<Meter>,
    pub(crate) production: Option<Production>,
    pub(crate) batteries: Vec<Battery>,
    pub(crate) battery_power: HashMap<String, f64>,
}

/// Makes a poll of them. `counters` remembers what was counted before.
pub(crate) fn choose(
    info: &Info,
    inverters: Inverters,
    answers: Answers,
    counters: &mut Counters,
) -> Poll {
    let by_time = inverters
        .reports
        .iter()
        .map(|r| (&*r.serial, r.reported_at));
    let times: HashMap<_, _> = by_time.collect();
    let mut details = answers.details;
    details.retain(|serial, detail| times.get(serial.as_str()) == Some(&detail.reported_at));

    let json = answers.production.unwrap_or_default();
    let production = metered(&answers.meters, "production").or(json.made.map(flow));
    let net = exchanged(&answers.meters).or(json.net_consumption.map(|net| Net {
        measured_at: net.reading_time,
        power_w: net.power_w,
        // It counts only the difference of the two.
        energy_imported_wh: None,
        energy_exported_wh: None,
    }));
    let total = if is_total(&info.firmware, &json) {
        metered(&answers.meters, "total-consumption")
            .filter(|_| !info.firmware.is_at_least(&TOTAL_IS_NET))
            .or(json.total_consumption.map(flow))
    } else {
        None
    };
    let newest = inverters.reports.iter().map(|r| r.reported_at).max();
    let inverter_total = match answers.totals {
        Some(totals) => newest.and_then(|newest| summed(totals, newest)),
        None => json.inverters.map(|sum| of_inverters(sum, &info.firmware)),
    };

    let mut meters = answers.meters;
    for meter in &mut meters {
        let key = |direction| format!("meter {} {direction}", meter.eid);
        let (delivered, received) = (key("delivered"), key("received"));
        meter.energy_delivered_wh = counters.sound(&delivered, meter.energy_delivered_wh);
        meter.energy_received_wh = counters.sound(&received, meter.energy_received_wh);
    }
    let mut sound = |name: &str, flow: Option<Flow>| {
        flow.map(|flow| Flow {
            energy_lifetime_wh: counters
                .sound(name, flow.energy_lifetime_wh)
                .filter(|wh| *wh > 0.0),
            ..flow
        })
    };
    Poll {
        inverters,
        details,
        inverter_total: sound("inverters", inverter_total.filter(|_| production.is_none())),
        production: sound("production", production),
        consumption: sound("consumption", total),
        net: net.map(|net| Net {
            energy_imported_wh: counters.sound("imported", net.energy_imported_wh),
            energy_exported_wh: counters.sound("exported", net.energy_exported_wh),
            ..net
        }),
        meters,
        batteries: batteries(answers.batteries, &answers.battery_power, json.ac_batteries),
        notes: Vec::new(),
    }
}

/// Whether what is called total consumption is that.
fn is_total(firmware: &Firmware, json: &Production) -> bool {
    match (json.total_consumption, json.net_consumption) {
        // Where power goes into the grid or comes from panels the two differ; equal counters over a whole
        // life are one counter.
        (Some(total), Some(net)) => total.lifetime_wh != net.lifetime_wh,
        _ => !firmware.is_at_least(&TOTAL_IS_NET),
    }
}

fn flow(counted: Counted) -> Flow {
    Flow {
        measured_at: counted.reading_time,
        power_w: counted.power_w,
        // Some firmwares write the whole life for today.
        energy_today_wh: counted
            .today_wh
            .filter(|today| Some(*today) != counted.lifetime_wh && *today >= 0.0),
        energy_lifetime_wh: counted.lifetime_wh,
    }
}

/// The whole meters of one kind. There can be several.
fn whole<'a>(meters: &'a [Meter], kind: &'a str) -> impl Iterator<Item = &'a Meter> {
    meters
        .iter()
        .filter(move |meter| meter.phase.is_none() && meter.kind == kind)
}

fn metered(meters: &[Meter], kind: &str) -> Option<Flow> {
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

/// All zero for minutes after a start, and for good on some firmwares.
fn summed(totals: Totals, newest: i64) -> Option<Flow> {
    (totals.energy_lifetime_wh > 0.0).then_some(Flow {
        measured_at: newest,
        power_w: totals.power_w,
        energy_today_wh: totals.energy_today_wh,
        energy_lifetime_wh: Some(totals.energy_lifetime_wh),
    })
}

fn of_inverters(sum: Counted, firmware: &Firmware) -> Flow {
    let wraps = firmware.is_at_least(&WRAPS.0) && !firmware.is_at_least(&WRAPS.1);
    Flow {
        energy_lifetime_wh: sum.lifetime_wh.filter(|_| !wraps),
        ..flow(sum)
    }
}

fn batteries(
    mut batteries: Vec<Battery>,
    power: &HashMap<String, f64>,
    ac: Option<AcBatteries>,
) -> Vec<Battery> {
    for battery in &mut batteries {
        battery.power_w = power.get(&battery.serial).copied();
    }
    batteries.extend(ac.map(|ac| Battery {
        serial: "acb".to_owned(),
        measured_at: ac.reading_time,
        kind: "acb",
        state_of_charge_pct: ac.charge_pct,
        power_w: ac.power_w,
        energy_capacity_wh: None,
        temperature_c: None,
        state: ac.state,
    }));
    batteries
}

#[cfg(test)]
mod tests;
