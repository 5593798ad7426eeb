//! The answers of a synthetic site, in the shape of its firmware.
//!
//! One function for each endpoint, those of a kind in a file; a new endpoint is one more arm in
//! [`Synthetic::answer`]. What there is beside inverters, its options say.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, EXPIRES, HeaderValue, PRAGMA};
use jiff::Timestamp;
use serde::Serialize;

use super::inverters::{self, Entry};
use crate::answer::{Answer, Framing};
use crate::firmware::Firmware;
use crate::hold::Hold;
use crate::options::{Equipment, Meters};
use crate::resource::Resource;
use crate::serial::Serial;
use crate::site::{History, Metered, NotChanged, NotReplaced, Panels, Production, Row};

mod device_data;
mod meters;
mod production;
mod storage;

pub(crate) use storage::battery_serial;

/// `devType` of a microinverter, and of an AC battery.
const MICROINVERTER: u32 = 1;
const AC_BATTERY: u32 = 11;

/// A gateway that exists only here. Its clones have the same past.
#[derive(Clone, Debug)]
pub(crate) struct Synthetic {
    pub(crate) firmware: Firmware,
    pub(crate) serial: Serial,
    equipment: Equipment,
    history: Arc<Mutex<History>>,
    hold: Option<Arc<Hold>>,
}

impl Synthetic {
    pub(crate) fn new(
        firmware: Firmware,
        serial: Serial,
        equipment: Equipment,
        history: History,
        hold: Option<Arc<Hold>>,
    ) -> Self {
        Self {
            firmware,
            serial,
            equipment,
            history: Arc::new(Mutex::new(history)),
            hold,
        }
    }

    /// The same one on another firmware.
    pub(super) fn updated(&self, firmware: Firmware) -> Self {
        self.history(|history| history.set_spread(firmware.uses_tokens()));
        Self {
            firmware,
            ..self.clone()
        }
    }

    /// Puts a new inverter in the place of this one at `now`, and says which.
    pub(super) fn replace(&self, inverter: &str, now: Timestamp) -> Result<String, NotReplaced> {
        self.history(|history| history.replace(inverter, self.site_time(now)))
    }

    /// Makes an inverter dead, shaded or well at `now`.
    pub(super) fn change(
        &self,
        inverter: &str,
        is: Panels,
        now: Timestamp,
    ) -> Result<(), NotChanged> {
        self.history(|history| history.change(inverter, is, self.site_time(now)))
    }

    /// The counters of lifetimes show this at `now`, and count on.
    pub(super) fn count_from(&self, wh: u32, now: Timestamp) {
        self.history(|history| history.count_from(wh, self.site_time(now)));
    }

    /// How far its clock was set back, in seconds.
    pub(super) fn set_back_s(&self) -> i64 {
        self.hold.as_ref().map_or(0, |hold| hold.set_back_s())
    }

    /// The answer at `now` by the gateway's clock; none for what it does not have. `heard` is whether it has heard its
    /// inverters since it started.
    pub(super) fn answer(
        &self,
        resource: &Resource,
        now: Timestamp,
        heard: bool,
    ) -> Option<Answer> {
        match resource.name() {
            "info" | "info.xml" => Some(self.info(now)),
            "api_v1_production" => Some(self.totals(now)),
            "production.json" | "production" => {
                let lines = resource.name_with_query();
                let lines = lines.is_some_and(|name| name.ends_with("_details_1"));
                Some(self.production(now, lines))
            }
            inverters::NAME => Some(self.inverters(now)),
            "ivp_pdm_device_data" if self.firmware.has_device_data() => {
                Some(self.device_data(now, heard))
            }
            "ivp_meters" if self.firmware.has_device_types() => Some(self.meters()),
            "ivp_meters_readings" if self.firmware.has_device_types() => {
                Some(self.meter_readings(now))
            }
            "ivp_ensemble_inventory" if self.has_storage() => Some(self.batteries(now)),
            "ivp_ensemble_power" if self.has_storage() => Some(self.battery_power(now)),
            "ivp_ensemble_secctrl" if self.has_storage() => Some(self.storage_summary(now)),
            _ => None,
        }
    }

    /// The newest report of each inverter, or that which is held on show.
    fn rows(&self, now: Timestamp) -> Vec<Row> {
        self.held(self.history(|history| history.rows(self.site_time(now))))
    }

    fn held(&self, rows: Vec<Row>) -> Vec<Row> {
        match &self.hold {
            Some(hold) => hold.rows(rows),
            None => rows,
        }
    }

    fn inverters(&self, now: Timestamp) -> Answer {
        let has_types = self.firmware.has_device_types();
        let entry = |row: Row, dev_type| Entry {
            serial_number: row.inverter,
            last_report_date: row.reported_at,
            dev_type: has_types.then_some(dev_type),
            last_report_watts: row.power_w,
            max_report_watts: row.peak_power_w,
        };
        let inverters = self.rows(now).into_iter();
        let mut entries: Vec<Entry> = inverters.map(|row| entry(row, MICROINVERTER)).collect();
        if has_types {
            let batteries = self.ac_battery_rows(now).into_iter();
            entries.extend(batteries.map(|row| entry(row, AC_BATTERY)));
        }
        let mut answer = json(&entries);
        answer.shows = inverters::shown(&entries, &self.serial);
        answer
    }

    fn info(&self, now: Timestamp) -> Answer {
        let (serial, firmware, time) = (&self.serial, &self.firmware, now.as_second());
        let version = firmware.of_package();
        let meter = match self.equipment.meters {
            _ if firmware.major() < 5 => "",
            Meters::None => "    <imeter>false</imeter>\n",
            Meters::Connected | Meters::Disabled => "    <imeter>true</imeter>\n",
        };
        let tokens = if firmware.uses_tokens() {
            "  <web-tokens>true</web-tokens>\n"
        } else {
            ""
        };
        let part_number = match firmware.major() {
            ..4 => "800-00069-r05",
            4..7 => "800-00551-r02",
            _ => "800-00656-r06",
        };
        let body = format!(
            "<?xml version='1.0' encoding='UTF-8'?>\n<envoy_info>\n  <time>{time}</time>\n  <device>\n\
             \x20   <sn>{serial}</sn>\n    <pn>{part_number}</pn>\n    <software>{firmware}</software>\n\
             \x20   <euaid>4c8675</euaid>\n    <seqnum>0</seqnum>\n    <apiver>1</apiver>\n{meter}\
             \x20 </device>\n{tokens}  <package name='app'>\n    <pn>500-00002-r01</pn>\n\
             \x20   <version>{version}</version>\n    <build>000000</build>\n  </package>\n\
             </envoy_info>\n"
        );
        let framing = if firmware.major() < 4 {
            Framing::EndOfConnection
        } else {
            Framing::Length
        };
        let answer = uncached(Answer::new(StatusCode::OK, body)).framing(framing);
        // Late firmware does not say what this is.
        if firmware.is_at_least(&[8, 3]) {
            answer
        } else {
            answer.content_type("text/xml")
        }
    }

    fn totals_at(&self, now: Timestamp) -> Production {
        self.history(|history| history.production(self.site_time(now)))
    }

    /// What meters and batteries show; none where there are none.
    fn metered(&self, now: Timestamp) -> Option<Metered> {
        self.history(|history| history.metered(self.site_time(now)))
    }

    /// The sun goes on, whatever the gateway's clock says. In Unix seconds.
    fn site_time(&self, now: Timestamp) -> i64 {
        now.as_second() + self.set_back_s()
    }

    fn history<T>(&self, read: impl FnOnce(&mut History) -> T) -> T {
        read(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Indented by two spaces with a final newline, as `/api/v1` is written.
fn json(value: &impl Serialize) -> Answer {
    let mut body =
        serde_json::to_string_pretty(value).expect("strings and numbers always serialise");
    body.push('\n');
    Answer::new(StatusCode::OK, body).content_type("application/json")
}

/// What there is none of: neither meters nor batteries. Nothing below `/ivp` says what type it is.
fn none() -> Answer {
    Answer::new(StatusCode::OK, "[]")
}

/// As meters write: three decimals.
fn thousandths(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn uncached(answer: Answer) -> Answer {
    answer
        .header(PRAGMA, HeaderValue::from_static("no-cache"))
        .header(EXPIRES, HeaderValue::from_static("1"))
        .header(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}
