//! `/api/v1/production` and `/production.json`: the totals of a site, of its inverters or of its meters.

use hyper::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Synthetic, thousandths, uncached};
use crate::answer::{Answer, Framing};
use crate::gateway;
use crate::options::{Equipment, Meters};
use crate::site::Metered;

/// How the power of a meter is spread over its three phases.
pub(super) const PHASES: [f64; 3] = [0.5, 0.3, 0.2];
/// Volts of a phase; a meter shows the sum of its phases.
pub(super) const VOLTS: f64 = 232.0;
/// What apparent power has more than real power, as a part of it.
pub(super) const REACTIVE: f64 = 0.2;

/// From here on the totals of a gateway whose meters are not connected are frozen; before, they are zero.
const FROZEN: [u32; 3] = [8, 2, 4264];
/// This one says nothing without meters, though its inverters work.
const ZERO: [u32; 3] = [8, 3, 5422];
/// From here on the total consumption is overwritten with the net one.
const TOTAL_IS_NET: [u32; 3] = [8, 3, 5433];

/// What `/production.json` says of one meter.
struct Counter {
    power_w: f64,
    lifetime_wh: f64,
    today_wh: f64,
}

impl Synthetic {
    pub(super) fn totals(&self, now: Timestamp) -> Answer {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Totals {
            watt_hours_today: i64,
            watt_hours_seven_days: i64,
            watt_hours_lifetime: i64,
            watts_now: i64,
        }
        let production = self.totals_at(now);
        let totals = match (self.equipment.meters, self.metered(now)) {
            (Meters::Disabled, _) => {
                let (frozen, watts_now) = if self.firmware.is_at_least(&FROZEN) {
                    (1_583, 4)
                } else {
                    (0, 0)
                };
                Totals {
                    watt_hours_today: 0,
                    watt_hours_seven_days: frozen,
                    watt_hours_lifetime: frozen,
                    watts_now,
                }
            }
            (Meters::Connected, Some(metered)) => Totals {
                watt_hours_today: whole(metered.today.produced),
                watt_hours_seven_days: production.seven_days_wh,
                watt_hours_lifetime: whole(metered.energy.produced),
                watts_now: whole(metered.power.production),
            },
            (Meters::None, _) if self.firmware.is(&ZERO) => Totals {
                watt_hours_today: 0,
                watt_hours_seven_days: 0,
                watt_hours_lifetime: 0,
                watts_now: 0,
            },
            _ => Totals {
                watt_hours_today: production.today_wh,
                watt_hours_seven_days: production.seven_days_wh,
                watt_hours_lifetime: production.lifetime_wh,
                watts_now: production.now_w,
            },
        };
        super::json(&totals)
    }

    /// With `lines`, the phases of meters are told too.
    pub(super) fn production(&self, now: Timestamp, lines: bool) -> Answer {
        if self.firmware.major() < 4 {
            return uncached(gateway::web_page());
        }
        let sum = self.totals_at(now);
        let mut production = vec![json!({
            "type": "inverters",
            "activeCount": sum.inverters,
            "readingTime": sum.reading_time,
            "wNow": if sum.reading_time == 0 { 0 } else { sum.now_w },
            "whLifetime": self.wrapped(sum.lifetime_wh),
        })];
        let metered = self.metered(now);
        let time = now.as_second();
        let mut body = json!({ "storage": [self.ac_batteries(metered, time)] });
        if self.equipment.meters != Meters::None {
            let eim = |kind, counter: &Counter| {
                let connected = self.equipment.meters == Meters::Connected;
                entry(kind, connected, time, counter, lines)
            };
            let [made, total, net] = match metered {
                Some(metered) if self.equipment.meters == Meters::Connected => {
                    self.counters(&metered)
                }
                _ => noise(),
            };
            production.push(eim("production", &made));
            body["consumption"] = json!([
                eim("total-consumption", &total),
                eim("net-consumption", &net)
            ]);
        }
        body["production"] = production.into();
        uncached(Answer::new(StatusCode::OK, body.to_string()))
            .content_type("application/json")
            .framing(Framing::Chunked)
    }

    /// Production, total consumption, net consumption.
    fn counters(&self, metered: &Metered) -> [Counter; 3] {
        let Metered {
            power,
            energy,
            today,
            ..
        } = metered;
        let net = || Counter {
            power_w: power.net(),
            lifetime_wh: energy.net(),
            // Real ones count no day of it.
            today_wh: 0.0,
        };
        let total = if self.firmware.is_at_least(&TOTAL_IS_NET) {
            net()
        } else {
            Counter {
                power_w: power.consumption(),
                lifetime_wh: energy.consumed,
                today_wh: today.consumed,
            }
        };
        let made = Counter {
            power_w: power.production,
            lifetime_wh: energy.produced,
            today_wh: today.produced,
        };
        [made, total, net()]
    }

    /// The sum of all AC batteries.
    fn ac_batteries(&self, metered: Option<Metered>, time: i64) -> Value {
        let count = self.equipment.ac_batteries;
        let share = self.equipment.share_of_ac_batteries();
        let Some(metered) = metered.filter(|_| count > 0) else {
            return json!({
                "type": "acb", "activeCount": 0, "readingTime": 0, "wNow": 0, "whNow": 0,
                "state": "idle",
            });
        };
        let power_w = whole(metered.power.battery * share);
        json!({
            "type": "acb",
            "activeCount": count,
            "readingTime": time,
            "wNow": power_w,
            "whNow": whole(metered.stored_wh * share),
            "state": match power_w {
                1.. => "discharging",
                0 if metered.stored_wh > 0.99 * metered.capacity_wh => "full",
                0 => "idle",
                _ => "charging",
            },
            "percentFull": percent(&metered),
        })
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
}

impl Equipment {
    /// The part of all that is stored which is in AC batteries, 0 to 1.
    pub(super) fn share_of_ac_batteries(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "40 at most")]
        let (batteries, ac_batteries) = (
            self.batteries as f64 * Self::BATTERY_WH,
            self.ac_batteries as f64 * Self::AC_BATTERY_WH,
        );
        if ac_batteries > 0.0 {
            ac_batteries / (batteries + ac_batteries)
        } else {
            0.0
        }
    }
}

/// How full all batteries are, 0 to 100.
pub(super) fn percent(metered: &Metered) -> i64 {
    whole(100.0 * metered.stored_wh / metered.capacity_wh)
}

/// What meters show that are not connected.
fn noise() -> [Counter; 3] {
    let counter = |power_w, lifetime_wh| Counter {
        power_w,
        lifetime_wh,
        today_wh: lifetime_wh,
    };
    [
        counter(-6_660.214, 1_583.308),
        counter(-6_659.9, 1_902.0),
        counter(0.314, 318.7),
    ]
}

fn entry(kind: &str, connected: bool, time: i64, counter: &Counter, lines: bool) -> Value {
    let part = |part: f64, phases: f64| {
        let power_w = counter.power_w * part;
        let apparent_va = power_w * (1.0 + REACTIVE);
        json!({
            "wNow": thousandths(power_w),
            "whLifetime": thousandths(counter.lifetime_wh * part),
            "varhLeadLifetime": 0.0,
            "varhLagLifetime": thousandths(counter.lifetime_wh * part * REACTIVE),
            "vahLifetime": thousandths(counter.lifetime_wh * part * (1.0 + REACTIVE)),
            "rmsCurrent": thousandths(apparent_va / VOLTS),
            "rmsVoltage": thousandths(VOLTS * phases),
            "reactPwr": thousandths(power_w * REACTIVE),
            "apprntPwr": thousandths(apparent_va),
            "pwrFactor": 0.83,
            "whToday": thousandths(counter.today_wh * part),
            "whLastSevenDays": 0,
            "vahToday": thousandths(counter.today_wh * part * (1.0 + REACTIVE)),
            "varhLeadToday": 0.0,
            "varhLagToday": thousandths(counter.today_wh * part * REACTIVE),
        })
    };
    let mut entry = part(1.0, 3.0);
    entry["type"] = "eim".into();
    entry["activeCount"] = i32::from(connected).into();
    entry["measurementType"] = kind.into();
    entry["readingTime"] = time.into();
    if lines {
        entry["lines"] = PHASES.map(|phase| part(phase, 1.0)).to_vec().into();
    }
    entry
}

/// The nearest whole number.
pub(super) fn whole(value: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "far below what an i64 holds"
    )]
    let whole = value.round() as i64;
    whole
}
