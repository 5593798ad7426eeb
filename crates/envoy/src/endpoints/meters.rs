//! `/ivp/meters`: which meters there are. One that is disabled shows noise.

use std::time::Duration;

use serde_json::Value;

use super::{Malformed, Updater, Worth, is_serial, list, number};

pub(super) const UPDATER: Updater = Updater {
    path: "/ivp/meters",
    every: Duration::from_mins(10),
    limit: Duration::from_secs(10),
    // The oldest refuse it to everybody.
    is_wanted: |asked, _| asked.info.firmware.is_at_least(&[4]),
    update: |body, _, readings| {
        readings.kept.meters = parse(body)?;
        Ok(Worth::Asking)
    },
};

/// A meter that is enabled and measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Enabled {
    pub(crate) eid: u64,
    pub(crate) kind: String,
    pub(crate) phases: usize,
}

pub(super) fn parse(body: &[u8]) -> Result<Vec<Enabled>, Malformed> {
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
