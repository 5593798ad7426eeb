//! `/production.json`: production, consumption and AC batteries in one, from firmware 4 on. Slow: up to
//! five seconds on 8.3. Firmware 3 answers a page for people.

use serde_json::Value;

use super::{Malformed, number, object};

pub(crate) const PATH: &str = "/production.json";

/// What it says. What is not configured is left out: it has only noise.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Production {
    pub(crate) inverters: Option<Counted>,
    pub(crate) made: Option<Counted>,
    pub(crate) total_consumption: Option<Counted>,
    pub(crate) net_consumption: Option<Counted>,
    pub(crate) ac_batteries: Option<AcBatteries>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counted {
    /// Unix seconds.
    pub(crate) reading_time: i64,
    pub(crate) power_w: f64,
    /// Net consumption has a negative one where more was given than taken.
    pub(crate) lifetime_wh: Option<f64>,
    pub(crate) today_wh: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AcBatteries {
    pub(crate) reading_time: i64,
    pub(crate) power_w: Option<f64>,
    /// May be missing.
    pub(crate) charge_pct: Option<f64>,
    pub(crate) state: Option<String>,
}

/// The order of entries differs between firmwares: they are told apart by what they say they are.
pub(crate) fn parse(body: &[u8]) -> Result<Production, Malformed> {
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
        ac_batteries: ac_batteries.and_then(|entry| {
            Some(AcBatteries {
                reading_time: reading_time(entry)?,
                power_w: number::quantity(entry.get("wNow")),
                charge_pct: number::quantity(entry.get("percentFull")),
                state: text(entry, "state")
                    .filter(|state| super::is_serial(state))
                    .map(str::to_owned),
            })
        }),
    })
}

fn is_active(entry: &Value, kind: &str) -> bool {
    let count = number::quantity(entry.get("activeCount"));
    text(entry, "type") == Some(kind) && count.is_some_and(|count| count > 0.0)
}

/// `None` before the first reading after a start, whose time is 0.
fn counted(entry: &Value) -> Option<Counted> {
    Some(Counted {
        reading_time: reading_time(entry)?,
        power_w: number::quantity(entry.get("wNow"))?,
        lifetime_wh: number::quantity(entry.get("whLifetime")),
        today_wh: number::quantity(entry.get("whToday")),
    })
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
