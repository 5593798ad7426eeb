//! `/ivp/meters` and `/ivp/meters/readings`: the current transformers. A gateway without them lists none.

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::production::{PHASES, REACTIVE, VOLTS};
use super::{Synthetic, thousandths};
use crate::answer::Answer;
use crate::options::Meters;

/// The meters' numbers.
pub(super) const PRODUCTION: u64 = 704_643_328;
pub(super) const NET_CONSUMPTION: u64 = 704_643_584;
const STORAGE: u64 = 704_643_840;
/// One that 8.3 shows among the readings, all zero, and does not list.
const UNLISTED: u64 = 1_023_410_688;

/// What a meter shows.
#[derive(Clone, Copy)]
struct Shown {
    power_w: f64,
    /// Towards the switchboard, and away from it.
    delivered_wh: f64,
    received_wh: f64,
}

impl Synthetic {
    pub(super) fn meters(&self) -> Answer {
        let state = match self.equipment.meters {
            Meters::None => return super::none(),
            Meters::Connected => "enabled",
            Meters::Disabled => "disabled",
        };
        let metering = if state == "enabled" {
            "normal"
        } else {
            "not-metering"
        };
        let meter = |eid: u64, kind: &str| {
            json!({
                "eid": eid,
                "state": state,
                "measurementType": kind,
                "phaseMode": "three",
                "phaseCount": PHASES.len(),
                "meteringStatus": metering,
                "statusFlags": [],
            })
        };
        let mut meters = vec![
            meter(PRODUCTION, "production"),
            meter(NET_CONSUMPTION, "net-consumption"),
        ];
        if self.meters_storage() {
            meters.push(meter(STORAGE, "storage"));
        }
        below_ivp(&meters.into())
    }

    /// Where there are batteries, a connected gateway has a transformer for them, too.
    fn meters_storage(&self) -> bool {
        self.equipment.meters == Meters::Connected && self.equipment.batteries > 0
    }

    pub(super) fn meter_readings(&self, now: Timestamp) -> Answer {
        let time = now.as_second();
        let (production, net) = match (self.equipment.meters, self.metered(now)) {
            (Meters::None, _) => return super::none(),
            (Meters::Connected, Some(metered)) => (
                Shown {
                    power_w: metered.power.production,
                    delivered_wh: metered.energy.produced,
                    received_wh: metered.energy.drawn,
                },
                Shown {
                    power_w: metered.power.net(),
                    delivered_wh: metered.energy.imported,
                    received_wh: metered.energy.exported,
                },
            ),
            // What is not connected hears noise.
            _ => (
                Shown {
                    power_w: -6_660.214,
                    delivered_wh: 1_583.308,
                    received_wh: 20_417.6,
                },
                Shown {
                    power_w: 0.314,
                    delivered_wh: 318.7,
                    received_wh: -19.677,
                },
            ),
        };
        let mut readings = vec![
            meter(PRODUCTION, time, production),
            meter(NET_CONSUMPTION, time, net),
        ];
        if let Some(metered) = self.metered(now).filter(|_| self.meters_storage()) {
            let storage = Shown {
                power_w: metered.power.battery,
                delivered_wh: metered.energy.discharged,
                received_wh: metered.energy.charged,
            };
            readings.push(meter(STORAGE, time, storage));
        }
        if self.firmware.is_at_least(&[8, 3]) {
            let nothing = Shown {
                power_w: 0.0,
                delivered_wh: 0.0,
                received_wh: 0.0,
            };
            readings.insert(0, meter(UNLISTED, 0, nothing));
        }
        below_ivp(&readings.into())
    }
}

/// A meter with its phases.
fn meter(eid: u64, time: i64, shown: Shown) -> Value {
    let mut meter = reading(eid, time, shown, 1.0, VOLTS * 3.0);
    // Far from the numbers of other meters.
    let channels = (0..).zip(PHASES).map(|(phase, part)| {
        let eid = eid + 1_073_741_824 + 17 + phase;
        reading(eid, time, shown, part, VOLTS)
    });
    meter["channels"] = channels.collect();
    meter
}

fn reading(eid: u64, time: i64, shown: Shown, part: f64, volts: f64) -> Value {
    let power_w = shown.power_w * part;
    let energy_wh = (shown.delivered_wh + shown.received_wh) * part;
    let volts = if time == 0 { 0.0 } else { volts };
    json!({
        "eid": eid,
        "timestamp": time,
        "actEnergyDlvd": thousandths(shown.delivered_wh * part),
        "actEnergyRcvd": thousandths(shown.received_wh * part),
        "apparentEnergy": thousandths(energy_wh * (1.0 + REACTIVE)),
        "reactEnergyLagg": thousandths(energy_wh * REACTIVE),
        "reactEnergyLead": 0.0,
        "instantaneousDemand": thousandths(power_w),
        "activePower": thousandths(power_w),
        "apparentPower": thousandths(power_w.abs() * (1.0 + REACTIVE)),
        "reactivePower": thousandths(power_w * REACTIVE),
        "pwrFactor": if power_w < 0.0 { -0.833 } else { 0.833 },
        "voltage": volts,
        "current": thousandths(power_w.abs() * (1.0 + REACTIVE) / VOLTS),
        "freq": if time == 0 { 0.0 } else { 50.0 },
    })
}

/// What is below `/ivp` is indented by four spaces, and says of no type.
pub(super) fn below_ivp(value: &Value) -> Answer {
    let mut body = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut body, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("JSON always serialises");
    Answer::new(StatusCode::OK, body)
}
