//! What meters and batteries have shown before a gateway was looked at.

use super::{History, Site};

/// Seconds between two moments at which they are looked at.
const EVERY_S: usize = 300;
const DAY_S: i64 = 24 * 3_600;

/// What meters and batteries have shown at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastFlow {
    /// Unix seconds.
    pub at: i64,
    /// What the inverters gave, in watts.
    pub production_w: f64,
    /// What was used, in watts: what charges batteries is part of it.
    pub consumption_w: f64,
    /// + taken from the grid, in watts.
    pub net_w: f64,
    /// Of all batteries, in watts: + discharging.
    pub battery_w: f64,
    /// How full they are, 0 to 100; none where there are none.
    pub battery_pct: Option<f64>,
    /// The counter of production, in watt-hours, as the next ones.
    pub produced_wh: f64,
    /// The counter of what was used.
    pub consumed_wh: f64,
    /// The counter of what was taken from the grid.
    pub imported_wh: f64,
    /// The counter of what was given to it.
    pub exported_wh: f64,
}

impl History {
    /// What was shown on the `days` before `until` (Unix seconds), each five minutes. A gateway that begins then has
    /// counters of its own: those of the past lead to them.
    pub(crate) fn past_flows(site: &Site, until: i64, days: i64) -> Vec<PastFlow> {
        let begins = until - days * DAY_S;
        let mut past = Self::new(site.clone(), begins);
        let moments = (begins..=until).step_by(EVERY_S);
        let mut shown: Vec<PastFlow> = moments.filter_map(|at| past.past_flow(at)).collect();
        let (Some(last), Some(first)) = (
            shown.last().copied(),
            Self::new(site.clone(), until).past_flow(until),
        ) else {
            return Vec::new();
        };
        for flow in &mut shown {
            flow.produced_wh += first.produced_wh - last.produced_wh;
            flow.consumed_wh += first.consumed_wh - last.consumed_wh;
            flow.imported_wh += first.imported_wh - last.imported_wh;
            flow.exported_wh += first.exported_wh - last.exported_wh;
        }
        shown
    }

    fn past_flow(&mut self, at: i64) -> Option<PastFlow> {
        let shown = self.metered(at)?;
        let (power, energy) = (shown.power, shown.energy);
        let has_batteries = shown.capacity_wh > 0.0;
        Some(PastFlow {
            at,
            production_w: power.production,
            consumption_w: power.consumption(),
            net_w: power.net(),
            battery_w: power.battery,
            battery_pct: has_batteries.then(|| 100.0 * shown.stored_wh / shown.capacity_wh),
            produced_wh: energy.produced,
            consumed_wh: energy.consumed,
            imported_wh: energy.imported,
            exported_wh: energy.exported,
        })
    }
}
