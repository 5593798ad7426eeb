//! The answers of a synthetic site, in the shape of its firmware.
//!
//! It is a gateway without meters. One function for each endpoint; a new endpoint is one more arm
//! in [`Synthetic::answer`].

use std::sync::{Arc, Mutex, PoisonError};

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, EXPIRES, HeaderValue, PRAGMA};
use jiff::Timestamp;
use serde::Serialize;

use super::inverters::{self, Entry};
use crate::answer::{Answer, Framing};
use crate::firmware::Firmware;
use crate::hold::Hold;
use crate::resource::Resource;
use crate::serial::Serial;
use crate::site::{History, NotReplaced, Production};

/// `devType` of a microinverter.
const MICROINVERTER: u32 = 1;

/// A gateway that exists only here. Its clones have the same past.
#[derive(Clone, Debug)]
pub(crate) struct Synthetic {
    pub(crate) firmware: Firmware,
    pub(crate) serial: Serial,
    history: Arc<Mutex<History>>,
    hold: Option<Arc<Hold>>,
}

impl Synthetic {
    pub(crate) fn new(
        firmware: Firmware,
        serial: Serial,
        history: History,
        hold: Option<Arc<Hold>>,
    ) -> Self {
        Self {
            firmware,
            serial,
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

    /// How far its clock was set back, in seconds.
    pub(super) fn set_back_s(&self) -> i64 {
        self.hold.as_ref().map_or(0, |hold| hold.set_back_s())
    }

    /// The answer at `now` by the gateway's clock; none for what it does not have.
    pub(super) fn answer(&self, resource: &Resource, now: Timestamp) -> Option<Answer> {
        match resource.name() {
            "info" | "info.xml" => Some(self.info(now)),
            "api_v1_production" => Some(self.totals(now)),
            "production.json" | "production" => Some(self.production(now)),
            inverters::NAME => Some(self.inverters(now)),
            "ivp_meters" | "ivp_meters_readings" if self.firmware.has_device_types() => {
                Some(none())
            }
            "ivp_ensemble_inventory" if self.firmware.uses_tokens() => Some(none()),
            _ => None,
        }
    }

    fn inverters(&self, now: Timestamp) -> Answer {
        let mut rows = self.history(|history| history.rows(self.site_time(now)));
        if let Some(hold) = &self.hold {
            rows = hold.rows(rows);
        }
        let dev_type = self.firmware.has_device_types().then_some(MICROINVERTER);
        let entries: Vec<Entry> = rows
            .into_iter()
            .map(|row| Entry {
                serial_number: row.inverter,
                last_report_date: row.reported_at,
                dev_type,
                last_report_watts: row.power_w,
                max_report_watts: row.peak_power_w,
            })
            .collect();
        let mut answer = json(&entries);
        answer.shows = inverters::shown(&entries, &self.serial);
        answer
    }

    fn totals(&self, now: Timestamp) -> Answer {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Totals {
            watt_hours_today: i64,
            watt_hours_seven_days: i64,
            watt_hours_lifetime: i64,
            watts_now: i64,
        }
        let production = self.totals_at(now);
        json(&Totals {
            watt_hours_today: production.today_wh,
            watt_hours_seven_days: production.seven_days_wh,
            watt_hours_lifetime: production.lifetime_wh,
            watts_now: production.now_w,
        })
    }

    fn production(&self, now: Timestamp) -> Answer {
        if self.firmware.major() < 4 {
            return uncached(super::web_page());
        }
        let production = self.totals_at(now);
        let body = serde_json::json!({
            "production": [{
                "type": "inverters",
                "activeCount": production.inverters,
                "readingTime": production.reading_time,
                "wNow": if production.reading_time == 0 { 0 } else { production.now_w },
                "whLifetime": self.wrapped(production.lifetime_wh),
            }],
            "storage": [{
                "type": "acb", "activeCount": 0, "readingTime": 0, "wNow": 0, "whNow": 0,
                "state": "idle",
            }],
        });
        uncached(Answer::new(StatusCode::OK, body.to_string()))
            .content_type("application/json")
            .framing(Framing::Chunked)
    }

    /// From 7.0 to 8.2.127 this counter wraps at 2^32 joules.
    fn wrapped(&self, lifetime_wh: i64) -> i64 {
        const WRAPS_AT_WH: i64 = (1 << 32) / 3600;
        let wraps = self.firmware.uses_tokens() && !self.firmware.is_at_least(&[8, 2, 128]);
        if wraps {
            lifetime_wh % WRAPS_AT_WH
        } else {
            lifetime_wh
        }
    }

    fn info(&self, now: Timestamp) -> Answer {
        let (serial, firmware, time) = (&self.serial, &self.firmware, now.as_second());
        let version = firmware.of_package();
        let meter = if firmware.major() >= 5 {
            "    <imeter>false</imeter>\n"
        } else {
            ""
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

fn uncached(answer: Answer) -> Answer {
    answer
        .header(PRAGMA, HeaderValue::from_static("no-cache"))
        .header(EXPIRES, HeaderValue::from_static("1"))
        .header(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}
