//! One report of one inverter.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::name::{JournalId, Serial};
use crate::payload::{MAX_SEQ, PayloadError, from_json, same_serial};
use crate::time::ReportTime;
use crate::topic::Topic;

/// What one inverter reported, and the report's place in the scraper's journal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reading {
    /// The inverter's serial number.
    pub serial: Serial,
    /// The gateway's serial number.
    pub envoy: Serial,
    /// When the inverter reported, by the gateway's clock.
    pub reported_at: ReportTime,
    /// The gateway's number for the kind of device (1: inverter, 11: AC battery);
    /// firmware before 4.10 does not say it.
    pub device_type: Option<u32>,
    /// Average power over the report interval, in watts; some inverters use a little at night,
    /// which is negative.
    pub power_w: i32,
    /// The highest power that the gateway has on record for this inverter, in watts.
    pub peak_power_w: i32,
    /// The journal that the reading was written to.
    pub journal: JournalId,
    /// The reading's number in that journal, 1 to [`MAX_SEQ`].
    #[serde(deserialize_with = "seq")]
    pub seq: u64,
}

impl Reading {
    /// The payload, one line of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self)
            .expect("text and whole numbers under text keys can always be written as JSON")
    }

    /// The reading that was published as `payload` on `topic`.
    ///
    /// Keys that are not known here are ignored; `device_type` may be missing.
    pub fn decode(topic: &Topic, payload: &[u8]) -> Result<Self, PayloadError> {
        let (Topic::Inverter { envoy, inverter } | Topic::Backlog { envoy, inverter }) = topic
        else {
            return Err(PayloadError::OtherKind("readings"));
        };
        let reading: Self = from_json("a reading", payload)?;
        same_serial("envoy", &reading.envoy, envoy)?;
        same_serial("serial", &reading.serial, inverter)?;
        Ok(reading)
    }

    /// The retained topic that shows this reading while it is the newest of its inverter.
    #[must_use]
    pub fn topic(&self) -> Topic {
        Topic::Inverter {
            envoy: self.envoy.clone(),
            inverter: self.serial.clone(),
        }
    }

    /// The topic on which this reading is delivered late.
    #[must_use]
    pub fn backlog_topic(&self) -> Topic {
        Topic::Backlog {
            envoy: self.envoy.clone(),
            inverter: self.serial.clone(),
        }
    }
}

fn seq<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let seq = u64::deserialize(deserializer)?;
    if (1..=MAX_SEQ).contains(&seq) {
        Ok(seq)
    } else {
        Err(de::Error::custom(format_args!(
            "{seq} is not a seq: expected 1 to {MAX_SEQ}"
        )))
    }
}
