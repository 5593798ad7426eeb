//! `/api/v1/production`: the sum of the inverters on Envoys without meters. With a meter it is that of the
//! production meter at best, and all zero or frozen where none is connected, so it is not asked there.
//!
//! It is all zero on others too: for minutes after a start, and for good on some firmwares (8.3.5422).

use std::time::Duration;

use super::{ALWAYS, Malformed, Updater, Worth, number, object};
use crate::measured::Flow;

pub(super) const UPDATER: Updater = Updater {
    path: "/api/v1/production",
    every: ALWAYS,
    limit: Duration::from_secs(10),
    is_wanted: |asked, _| asked.info.metered != Some(true),
    update: |body, asked, readings| {
        let totals = parse(body)?;
        // It says no time: its newest part is as old as the newest report.
        let sum = asked.inverters.newest().map(|newest| totals.at(newest));
        readings
            .inverter_totals
            .extend(sum.filter(|_| totals.energy_lifetime_wh > 0.0));
        Ok(Worth::Asking)
    },
};

/// What it says; without a time.
struct Totals {
    power_w: f64,
    energy_today_wh: Option<f64>,
    energy_lifetime_wh: f64,
}

impl Totals {
    fn at(&self, measured_at: i64) -> Flow {
        Flow {
            measured_at,
            power_w: self.power_w,
            energy_today_wh: self.energy_today_wh,
            energy_lifetime_wh: Some(self.energy_lifetime_wh),
        }
    }
}

fn parse(body: &[u8]) -> Result<Totals, Malformed> {
    let totals = object(body)?;
    let value = |key| number::quantity(totals.get(key));
    match (value("wattsNow"), value("wattHoursLifetime")) {
        (Some(power_w), Some(energy_lifetime_wh)) => Ok(Totals {
            power_w,
            energy_today_wh: value("wattHoursToday"),
            energy_lifetime_wh,
        }),
        _ => Err(Malformed::Shape("the totals of production")),
    }
}
