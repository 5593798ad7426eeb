//! How the inverters of a gateway do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::Serial;
use crate::payload::{MAX_HEALTH, PayloadError, from_json_of, same_serial};
use crate::time::ReportTime;
use crate::topic::Topic;

/// The content of the retained `health` topic.
///
/// Its only time is that of its last change, so that it changes only when something else has. With 300 inverters it takes some 40 KB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The gateway's serial number.
    pub envoy: Serial,
    /// When something in here last changed, by the gateway's clock; it never goes back, but with that
    /// clock when it is set back by over a day, and two states never have the same one: while that clock is behind it,
    /// it is a second later than it was. `null` while unknown.
    pub changed_at: Option<ReportTime>,
    /// How many inverters report.
    pub reporting: u32,
    /// How many are asleep, as all are at night.
    pub asleep: u32,
    /// How many are silent while others report.
    pub silent: u32,
    /// How many inverters the gateway has ever listed with a report. AC batteries, which it lists too, are none.
    pub total: u32,
    /// How many it lists that have never reported: replaced ones, as a rule.
    pub never_reported: u32,
    /// Each inverter, by its serial number.
    pub inverters: BTreeMap<Serial, InverterHealth>,
}

/// How one inverter does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InverterHealth {
    /// What it does.
    pub state: InverterState,
    /// Whether its plain topic shows what is so now: by day a report that is not older than three intervals,
    /// by the gateway's clock; at night also the last one before it slept. Not while that clock is behind what the topic
    /// shows, nor when it was set back and the inverter has not reported since.
    pub fresh: bool,
    /// How often it reports, in seconds: 300, 900 or 3600, as learned from its reports; `null` while unknown.
    pub interval_s: Option<u32>,
    /// How many of its reports did not come while others' did, since the scraper first watched it. It never falls, but
    /// where the scraper begins anew.
    pub missed_reports: u64,
    /// What it produced in the last days as a share of what the middle one of its siblings did, in percent:
    /// 100 is as they do. Siblings are the other ones of the same array where arrays are named, and all others of one
    /// that is alone in its array. `null` while unknown, and of one that has none.
    pub relative_output_pct: Option<u32>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// The array that it belongs to.
    pub array: Option<String>,
}

/// What an inverter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InverterState {
    /// It reports.
    Reporting,
    /// It is night: none reports.
    Asleep,
    /// Others report, and it does not.
    Silent,
}

impl Health {
    /// The payload, one line of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self)
            .expect("text and whole numbers under text keys can always be written as JSON")
    }

    /// What was published as `payload` on `topic`.
    pub fn decode(topic: &Topic, payload: &[u8]) -> Result<Self, PayloadError> {
        let Topic::Health { envoy } = topic else {
            return Err(PayloadError::OtherKind("health of inverters"));
        };
        let health: Self = from_json_of(MAX_HEALTH, "the health of inverters", payload)?;
        same_serial("envoy", &health.envoy, envoy)?;
        Ok(health)
    }
}
