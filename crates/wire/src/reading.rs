//! A reading: what was measured, with its place in the scraper's journal.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::measured::{Detail, Inverter, InverterPayload, Measured};
use crate::name::{JournalId, Serial};
use crate::payload::{MAX_SEQ, PayloadError, from_json, same_serial};
use crate::subject::Subject;
use crate::time::ReportTime;
use crate::topic::Topic;

/// What was measured, and its place in the scraper's journal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reading {
    /// The gateway's serial number.
    pub envoy: Serial,
    /// What was measured, of which kind, and when.
    pub measured: Measured,
    /// The journal that the reading was written to.
    pub journal: JournalId,
    /// The reading's number in that journal, 1 to [`MAX_SEQ`].
    pub seq: u64,
}

impl Reading {
    /// The payload, one line of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        match &self.measured {
            Measured::Inverter(inverter) => json(&InverterText {
                serial: &inverter.serial,
                envoy: &self.envoy,
                reported_at: inverter.reported_at,
                device_type: inverter.device_type,
                power_w: inverter.power_w,
                peak_power_w: inverter.peak_power_w,
                detail: inverter.detail.as_ref(),
                journal: &self.journal,
                seq: self.seq,
            }),
            Measured::Site(site) => self.payload(site),
            Measured::Production(flow) | Measured::Consumption(flow) => self.payload(flow),
            Measured::Net(net) => self.payload(net),
            Measured::Meter(meter) => self.payload(meter),
            Measured::Battery(battery) => self.payload(battery),
        }
    }

    fn payload(&self, measured: &impl Serialize) -> String {
        json(&Payload {
            envoy: &self.envoy,
            measured,
            journal: &self.journal,
            seq: self.seq,
        })
    }

    /// The reading that was published as `payload` on `topic`, a plain or a backlog one.
    ///
    /// Keys that are not known here are ignored; those that may be `null` may be missing.
    pub fn decode(topic: &Topic, payload: &[u8]) -> Result<Self, PayloadError> {
        const EXPECTED: &str = "a reading";
        let (Topic::Plain { envoy, subject } | Topic::Backlog { envoy, subject }) = topic else {
            return Err(PayloadError::OtherKind("readings"));
        };
        // The payload of an inverter, of which there are many, is read once for both; that of others twice.
        let mut place = None;
        let measured = match subject {
            Subject::Inverter(serial) => {
                let payload: InverterPayload = from_json(EXPECTED, payload)?;
                let malformed = |source| PayloadError::Malformed {
                    expected: EXPECTED,
                    source,
                };
                place = Some(payload.place().map_err(malformed)?);
                let inverter = Inverter::from(payload);
                same_serial("serial", &inverter.serial, serial)?;
                Measured::Inverter(inverter)
            }
            Subject::Site => Measured::Site(from_json(EXPECTED, payload)?),
            Subject::Production => Measured::Production(from_json(EXPECTED, payload)?),
            Subject::Consumption => Measured::Consumption(from_json(EXPECTED, payload)?),
            Subject::Net => Measured::Net(from_json(EXPECTED, payload)?),
            Subject::Meter(eid) => {
                let meter: crate::Meter = from_json(EXPECTED, payload)?;
                same_serial("eid", &meter.eid, eid)?;
                Measured::Meter(meter)
            }
            Subject::Battery(serial) => {
                let battery: crate::Battery = from_json(EXPECTED, payload)?;
                same_serial("serial", &battery.serial, serial)?;
                Measured::Battery(battery)
            }
        };
        let place = match place {
            Some(place) => place,
            None => from_json::<Place>(EXPECTED, payload)?,
        };
        same_serial("envoy", &place.envoy, envoy)?;
        Ok(Self {
            envoy: place.envoy,
            measured,
            journal: place.journal,
            seq: place.seq,
        })
    }

    /// What it is of.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.measured.subject()
    }

    /// When it was, by the gateway's clock.
    #[must_use]
    pub fn at(&self) -> ReportTime {
        self.measured.at()
    }

    /// The retained topic that shows this reading while it is the newest of its subject.
    #[must_use]
    pub fn topic(&self) -> Topic {
        Topic::Plain {
            envoy: self.envoy.clone(),
            subject: self.subject(),
        }
    }

    /// The topic on which this reading is delivered late.
    #[must_use]
    pub fn backlog_topic(&self) -> Topic {
        Topic::Backlog {
            envoy: self.envoy.clone(),
            subject: self.subject(),
        }
    }
}

fn json(payload: &impl Serialize) -> String {
    serde_json::to_string(payload)
        .expect("text and finite numbers under text keys can always be written as JSON")
}

/// An inverter's payload is older than the others, and has its serial first.
#[derive(Serialize)]
struct InverterText<'a> {
    serial: &'a Serial,
    envoy: &'a Serial,
    reported_at: ReportTime,
    device_type: Option<u32>,
    power_w: i32,
    peak_power_w: i32,
    #[serde(flatten)]
    detail: Option<&'a Detail>,
    journal: &'a JournalId,
    seq: u64,
}

#[derive(Serialize)]
struct Payload<'a, M: Serialize> {
    envoy: &'a Serial,
    #[serde(flatten)]
    measured: &'a M,
    journal: &'a JournalId,
    seq: u64,
}

/// What the payloads of all kinds have.
#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) envoy: Serial,
    pub(crate) journal: JournalId,
    #[serde(deserialize_with = "seq")]
    pub(crate) seq: u64,
}

pub(crate) fn seq<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let seq = u64::deserialize(deserializer)?;
    if (1..=MAX_SEQ).contains(&seq) {
        Ok(seq)
    } else {
        Err(de::Error::custom(format_args!(
            "{seq} is not a seq: expected 1 to {MAX_SEQ}"
        )))
    }
}
