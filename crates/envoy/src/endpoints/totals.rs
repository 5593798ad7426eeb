//! `/api/v1/production`: the sum of the inverters on Envoys without meters. With a meter it is that of the
//! production meter at best, and all zero or frozen where none is connected, so it is not asked there.

use super::{Malformed, number, object};

pub(crate) const PATH: &str = "/api/v1/production";

/// What it says; without a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) power_w: f64,
    pub(crate) energy_today_wh: Option<f64>,
    pub(crate) energy_lifetime_wh: f64,
}

pub(crate) fn parse(body: &[u8]) -> Result<Totals, Malformed> {
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
