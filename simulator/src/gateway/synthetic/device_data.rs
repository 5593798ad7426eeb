//! `/ivp/pdm/device_data`: what each inverter says in detail about its newest report. It names 50 devices at
//! most, AC batteries and meters among them; who comes after those is missing, and nothing says so but the count.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Synthetic;
use super::meters::{NET_CONSUMPTION, PRODUCTION, below_ivp};
use super::production::whole;
use crate::answer::Answer;
use crate::options::Meters;
use crate::site::{Detail, Report, hash, text_hash};

/// So many devices are named.
const LIMIT: usize = 50;
/// The numbers of inverters, and those of their channels, begin here; each is 256 above the one before.
const FIRST: u64 = 553_648_384;
const FIRST_AC_BATTERY: u64 = 570_425_600;
const FIRST_CHANNEL: u64 = 1_627_390_225;

impl Synthetic {
    pub(super) fn device_data(&self, now: Timestamp, heard: bool) -> Answer {
        let rows = self.rows(now);
        let details = self.history(|history| history.details(&rows, self.site_time(now)));
        let meters = match self.equipment.meters {
            Meters::None => Vec::new(),
            Meters::Connected | Meters::Disabled => vec![PRODUCTION, NET_CONSUMPTION],
        };
        let inverters = (0..).zip(&details).map(|(number, detail)| {
            let eid = FIRST + 256 * number;
            (eid, inverter(FIRST_CHANNEL + 256 * number, detail, heard))
        });
        let other = |kind: &str, sn: String| {
            json!({
                "devName": kind, "sn": sn, "active": true, "modGone": false, "channels": [],
            })
        };
        let batteries = (0..).zip(self.ac_battery_rows(now));
        let batteries = batteries
            .map(|(number, row)| (FIRST_AC_BATTERY + 256 * number, other("acb", row.inverter)));
        let meters = meters
            .into_iter()
            .map(|eid| (eid, other("eim", format!("{}EIM", self.serial))));
        // By their numbers, meters last: they fall away first.
        let mut devices: Map<String, Value> = inverters
            .chain(batteries)
            .chain(meters)
            .take(LIMIT)
            .map(|(eid, device)| (eid.to_string(), device))
            .collect();
        devices.insert("deviceCount".to_owned(), devices.len().into());
        devices.insert("deviceDataLimit".to_owned(), LIMIT.into());
        below_ivp(&devices.into())
    }
}

fn inverter(channel: u64, detail: &Detail, heard: bool) -> Value {
    let report = detail.report.filter(|_| detail.active && heard);
    let power_w = report.map_or(0, |report| report.power_w);
    json!({
        "devName": "pcu",
        "sn": detail.inverter,
        "active": detail.active,
        "modGone": !detail.active,
        "channels": [{
            "chanEid": channel,
            "created": report.map_or(0, |report| report.at),
            "wattHours": {
                "today": detail.today_j / 3_600,
                "yesterday": detail.yesterday_j / 3_600,
                "week": detail.week_j / 3_600,
            },
            "watts": {
                "now": power_w,
                "nowUsed": (-power_w).max(0),
                "max": detail.peak_power_w,
            },
            "lastReading": report.map_or(json!({}), |report| last_reading(channel, detail, report)),
            "lifetime": report.map_or(json!({}), |report| json!({
                "createdTime": detail.installed,
                // It counts what it was awake: half of each day.
                "duration": (report.at - detail.installed) / 2,
                "joulesProduced": detail.lifetime_j,
            })),
        }],
    })
}

fn last_reading(channel: u64, detail: &Detail, report: Report) -> Value {
    let key = text_hash(&detail.inverter);
    // Something up to `below` that belongs to this report.
    let some = |what: u64, below: u64| {
        (hash(&[key, what, report.at.cast_unsigned()]) % below).cast_signed()
    };
    let power_w = f64::from(report.power_w.max(0));
    let (ac_mv, dc_mv) = (236_000 + some(1, 9_000), 31_500 + some(2, 3_000));
    #[expect(clippy::cast_precision_loss, reason = "some hundred volts")]
    let milliamperes = |watts: f64, millivolts: i64| whole(watts * 1e6 / millivolts as f64);
    json!({
        "eid": channel,
        "interval_type": 0,
        "endDate": report.at,
        "duration": report.duration_s,
        "flags": 0,
        "flags_hex": "0x0000000000000000",
        "joulesProduced": report.joules,
        "acVoltageINmV": ac_mv,
        "acFrequencyINmHz": 49_980 + some(3, 40),
        "dcVoltageINmV": dc_mv,
        // Three per cent are lost in it.
        "dcCurrentINmA": milliamperes(power_w / 0.97, dc_mv),
        "channelTemp": 12 + whole(power_w * 0.11) + some(4, 3),
        "pwrConvErrSecs": 0,
        "pwrConvMaxErrCycles": 0,
        "joulesUsed": i64::from((-report.power_w).max(0)) * report.duration_s,
        "leadingVArs": 0,
        "laggingVArs": 30 + some(5, 12),
        "acCurrentInmA": milliamperes(power_w, ac_mv),
        "l1NAcVoltageInmV": 0,
        "l2NAcVoltageInmV": 0,
        "l3NAcVoltageInmV": 0,
        "rssi": 100 + some(6, 20),
        "issi": 60 + some(7, 12),
    })
}
