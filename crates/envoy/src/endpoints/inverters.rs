//! `/api/v1/production/inverters`: the newest report of each microinverter, in every firmware
//! from 3.9 on.

use std::borrow::Cow;

use super::picking::{Picked, Place, entries};
use super::plain::Plain;
use super::{EARLIEST, Endpoint, Malformed, is_serial, number, text};

pub(crate) const INVERTERS: Endpoint<Inverters> = Endpoint {
    path: "/api/v1/production/inverters",
    parse,
};

/// What the Envoy knows of its inverters.
///
/// An empty or shorter list does not mean that inverters were removed: firmwares answer so for a
/// while after a restart, some of them every few hours at night.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inverters {
    /// The newest report of each, at most one for a serial, in the Envoy's order (which is not
    /// stable).
    pub reports: Vec<InverterReport>,
    /// How many are listed that have never reported: dead or replaced ones.
    pub never_reported: usize,
    /// Entries that could not be read. They cost nothing but themselves.
    pub refused: Vec<Refused>,
}

/// One report of one inverter.
///
/// At night it stays as it was at dusk, also with a few watts, and also with negative ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InverterReport {
    /// The inverter's serial number, `[A-Za-z0-9_-]{1,32}`.
    pub serial: String,
    /// The end of the interval that is reported (5, 15 or 60 minutes, on no grid), in Unix
    /// seconds; not before 2008.
    pub reported_at: i64,
    /// 1 is a microinverter, 11 an AC battery; unknown on the oldest firmware.
    pub device_type: Option<u32>,
    /// The average power over the interval in watts; batteries, and inverters at night, have
    /// negative ones.
    pub power_w: i32,
    /// The highest such value this device ever reported, in watts.
    pub peak_power_w: i32,
}

impl InverterReport {
    /// Whether it is an AC battery, which the Envoy lists among the inverters.
    #[must_use]
    pub fn is_ac_battery(&self) -> bool {
        self.device_type == Some(AC_BATTERY)
    }
}

/// An entry of the list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the list, from 0; of one that is ahead of the clock, among those that could be read.
    pub position: usize,
    /// Its serial, where that much could be read.
    pub serial: Option<String>,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Not an object with keys and values.
    #[error("the entry is not an object")]
    NotAnObject,
    /// No serial, or one that could break out of a topic or a line of line protocol.
    #[error("serialNumber is missing or not made of up to 32 letters, digits, - and _")]
    Serial,
    /// A number that is missing, no number, or out of range.
    #[error("{0} is missing or not a number in range")]
    Number(&'static str),
    /// A report time before there were Envoys.
    #[error("lastReportDate {0} is before 2008: the device's clock is not set")]
    Time(i64),
    /// A report time that the Envoy's own clock is more than a day short of.
    #[error("lastReportDate {0} is more than a day ahead of the Envoy's own clock")]
    Ahead(i64),
}

/// The Envoy's number for AC batteries.
const AC_BATTERY: u32 = 11;

/// How far a report may be ahead of the clock of the Envoy that lists it, in seconds.
const MOST_AHEAD_S: i64 = 24 * 60 * 60;

impl Inverters {
    /// The time of the newest report, in Unix seconds.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.reports.iter().map(|report| report.reported_at).max()
    }

    /// Refuses what the Envoy itself could not know yet at `now`, its own clock in Unix seconds.
    pub(crate) fn refuse_later_than(&mut self, now: i64) {
        let latest = now.saturating_add(MOST_AHEAD_S);
        let ahead = |report: &InverterReport| report.reported_at > latest;
        for (position, report) in self.reports.iter().enumerate().filter(|(_, r)| ahead(r)) {
            self.refused.push(Refused {
                position,
                serial: Some(report.serial.clone()),
                reason: Reason::Ahead(report.reported_at),
            });
        }
        self.reports.retain(|report| !ahead(report));
    }
}

/// Reads the list.
///
/// Tolerant of what firmwares do: a missing `devType`, numbers as floats or in quotation marks,
/// unknown keys. Where a serial is listed twice, the newest report counts.
pub fn parse(body: &[u8]) -> Result<Inverters, Malformed> {
    let text = text(body)?;
    let (mut inverters, mut position) = (Inverters::default(), 0);
    entries(&text, |entry: Option<Entry<'_>>| {
        match entry.as_ref().ok_or(Reason::NotAnObject).and_then(read) {
            Ok(None) => inverters.never_reported += 1,
            Ok(Some(report)) => inverters.reports.push(report),
            Err(reason) => inverters.refused.push(Refused {
                position,
                serial: entry.and_then(|entry| serial(&entry).ok()),
                reason,
            }),
        }
        position += 1;
    })?;
    keep_newest(&mut inverters.reports);
    Ok(inverters)
}

/// Of several reports of one serial leaves the newest, in the place of the first.
fn keep_newest(reports: &mut Vec<InverterReport>) {
    let mut places: Vec<usize> = (0..reports.len()).collect();
    // Those of the same serial stay in their order. To sort them is cheaper than a table of serials.
    places.sort_by(|&one, &other| reports[one].serial.cmp(&reports[other].serial));
    let mut is_older = vec![false; reports.len()];
    for pair in 1..places.len() {
        let (first, next) = (places[pair - 1], places[pair]);
        if reports[first].serial == reports[next].serial {
            if reports[next].reported_at > reports[first].reported_at {
                reports.swap(first, next);
            }
            is_older[next] = true;
            places[pair] = first;
        }
    }
    let mut is_older = is_older.into_iter();
    reports.retain(|_| is_older.next() == Some(false));
}

/// What is wanted of an entry.
#[derive(Default)]
struct Entry<'de> {
    serial: Plain<'de>,
    reported_at: Plain<'de>,
    device_type: Plain<'de>,
    power_w: Plain<'de>,
    peak_power_w: Plain<'de>,
}

impl<'de> Picked<'de> for Entry<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        Some(Place::Plain(match key {
            "serialNumber" => &mut self.serial,
            REPORTED_AT => &mut self.reported_at,
            "devType" => &mut self.device_type,
            POWER => &mut self.power_w,
            PEAK_POWER => &mut self.peak_power_w,
            _ => return None,
        }))
    }
}

const REPORTED_AT: &str = "lastReportDate";
const POWER: &str = "lastReportWatts";
const PEAK_POWER: &str = "maxReportWatts";

/// The report of one entry, `None` from a device that has never reported.
fn read(entry: &Entry<'_>) -> Result<Option<InverterReport>, Reason> {
    let serial = serial(entry)?;
    let reported_at = number::whole(&entry.reported_at).ok_or(Reason::Number(REPORTED_AT))?;
    if reported_at == 0 {
        return Ok(None);
    }
    if reported_at < EARLIEST {
        return Err(Reason::Time(reported_at));
    }
    Ok(Some(InverterReport {
        serial,
        reported_at,
        // What kind of device it is matters less than what it reports.
        device_type: number::whole(&entry.device_type),
        power_w: number::nearest(&entry.power_w).ok_or(Reason::Number(POWER))?,
        peak_power_w: number::nearest(&entry.peak_power_w).ok_or(Reason::Number(PEAK_POWER))?,
    }))
}

fn serial(entry: &Entry<'_>) -> Result<String, Reason> {
    let serial = match &entry.serial {
        Plain::Text(text) => Cow::Borrowed(&**text),
        Plain::Unsigned(number) => Cow::Owned(number.to_string()),
        _ => return Err(Reason::Serial),
    };
    if is_serial(&serial) {
        Ok(serial.into_owned())
    } else {
        Err(Reason::Serial)
    }
}

#[cfg(test)]
mod tests;
