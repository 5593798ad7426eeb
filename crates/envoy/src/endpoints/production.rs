//! `/production.json`: production, consumption and AC batteries in one, from firmware 4 on. Slow: up to
//! five seconds on 8.3. Firmware 3 answers a page for people.

use std::time::Duration;

use serde_json::Value;

use super::{Malformed, Updater, Worth, number, object};
use crate::firmware::Firmware;
use crate::measured::readings::{Readings, Today};
use crate::measured::{Battery, Flow, Net};

pub(super) const UPDATER: Updater = Updater {
    path: "/production.json",
    every: Duration::from_mins(5),
    limit: Duration::from_secs(15),
    is_wanted: |asked, _| asked.info.firmware.is_at_least(&[4]),
    update: |body, asked, readings| {
        parse(body)?.add_to(readings, &asked.info.firmware);
        Ok(Worth::Asking)
    },
};

/// What it says. What is not configured is left out: it has only noise.
struct Production {
    inverters: Option<Flow>,
    made: Option<Flow>,
    total_consumption: Option<Flow>,
    /// Its counter is negative where more was given than taken.
    net_consumption: Option<Flow>,
    ac_batteries: Option<Battery>,
}

impl Production {
    fn add_to(self, readings: &mut Readings, firmware: &Firmware) {
        let total = self.total_consumption.filter(|_| self.is_total(firmware));
        readings.consumption = readings.consumption.or(total);
        readings.production = readings.production.or(self.made);
        readings.kept.made_today = self.made.and_then(|made| {
            Some(Today {
                measured_at: made.measured_at,
                energy_wh: made.energy_today_wh?,
            })
        });
        readings.net = readings.net.or(self.net_consumption.map(|net| Net {
            measured_at: net.measured_at,
            power_w: net.power_w,
            // It counts only the difference of the two.
            energy_imported_wh: None,
            energy_exported_wh: None,
        }));
        let wraps = firmware.wraps_lifetime();
        readings
            .inverter_totals
            .extend(self.inverters.map(|sum| Flow {
                energy_lifetime_wh: sum.energy_lifetime_wh.filter(|_| !wraps),
                ..sum
            }));
        readings.batteries.extend(self.ac_batteries);
    }

    /// Whether what is called total consumption is that.
    fn is_total(&self, firmware: &Firmware) -> bool {
        match (self.total_consumption, self.net_consumption) {
            // Where power goes into the grid or comes from panels the two differ; equal counters over a whole
            // life are one counter.
            (Some(total), Some(net)) => total.energy_lifetime_wh != net.energy_lifetime_wh,
            _ => !firmware.takes_net_for_total(),
        }
    }
}

/// The order of entries differs between firmwares: they are told apart by what they say they are.
fn parse(body: &[u8]) -> Result<Production, Malformed> {
    let answer = object(body)?;
    let Some(Value::Array(production)) = answer.get("production") else {
        return Err(Malformed::Shape("production and consumption"));
    };
    let empty = Vec::new();
    let entries = |key| answer.get(key).and_then(Value::as_array).unwrap_or(&empty);
    let meter = |entries: &[Value], kind| {
        let mut active = entries.iter().filter(|entry| is_active(entry, "eim"));
        active
            .find(|entry| text(entry, "measurementType") == Some(kind))
            .and_then(counted)
    };
    let inverters = production
        .iter()
        .find(|entry| is_active(entry, "inverters"));
    let ac_batteries = entries("storage")
        .iter()
        .find(|entry| is_active(entry, "acb"));
    Ok(Production {
        inverters: inverters.and_then(counted),
        made: meter(production, "production"),
        total_consumption: meter(entries("consumption"), "total-consumption"),
        net_consumption: meter(entries("consumption"), "net-consumption"),
        ac_batteries: ac_batteries.and_then(all_ac_batteries),
    })
}

/// Of AC batteries it has only the sum.
fn all_ac_batteries(entry: &Value) -> Option<Battery> {
    Some(Battery {
        serial: "acb".to_owned(),
        measured_at: reading_time(entry)?,
        kind: "acb",
        // May be missing.
        state_of_charge_pct: number::quantity(entry.get("percentFull")),
        power_w: number::quantity(entry.get("wNow")),
        energy_capacity_wh: None,
        temperature_c: None,
        state: text(entry, "state")
            .filter(|state| super::is_serial(state))
            .map(str::to_owned),
    })
}

fn is_active(entry: &Value, kind: &str) -> bool {
    let count = number::quantity(entry.get("activeCount"));
    text(entry, "type") == Some(kind) && count.is_some_and(|count| count > 0.0)
}

/// `None` before the first reading after a start, whose time is 0.
fn counted(entry: &Value) -> Option<Flow> {
    Some(Flow {
        measured_at: reading_time(entry)?,
        power_w: number::quantity(entry.get("wNow"))?,
        energy_today_wh: today(entry),
        energy_lifetime_wh: number::quantity(entry.get("whLifetime")),
    })
}

/// Some firmwares count neither the day nor the week, and say nothing for both; some write the whole life for
/// today.
fn today(entry: &Value) -> Option<f64> {
    let energy = |key| number::quantity(entry.get(key));
    let counts = [energy("whToday"), energy("whLastSevenDays")]
        .into_iter()
        .flatten()
        .any(|energy| energy != 0.0);
    let lifetime = energy("whLifetime");
    let has_counted = lifetime.is_some_and(|energy| energy != 0.0);
    energy("whToday")
        .filter(|_| counts || !has_counted)
        .filter(|today| Some(*today) != lifetime && *today >= 0.0)
}

fn reading_time(entry: &Value) -> Option<i64> {
    entry
        .get("readingTime")
        .and_then(number::whole)
        .filter(|time| super::is_time(*time))
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}
