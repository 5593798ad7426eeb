//! What AC batteries report. They stand in the list of inverters and report as often as those do, but by night
//! too.

use super::flows::Flows;
use super::noise::hash;

/// A round takes so many seconds more than the interval, so that no report is on a grid.
const LONGER_S: i64 = 4;
/// The highest power that each has ever reported, in watts.
const RECORD_W: i32 = 149;

/// The AC batteries of a site, moved forward with its flows.
#[derive(Debug)]
pub(super) struct AcBatteries {
    /// Seconds between two reports of one.
    round_s: i64,
    /// What each of them gives or takes of what all batteries do.
    part: f64,
    newest: Vec<AcReport>,
}

/// The newest report of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AcReport {
    /// Unix seconds.
    pub(crate) at: i64,
    /// The average since the report before it in watts, + discharging.
    pub(crate) power_w: i32,
    pub(crate) peak_power_w: i32,
}

impl AcBatteries {
    /// So many, of which each has this part of what all batteries of the site hold; at a moment (Unix seconds).
    pub(super) fn new(
        seed: u64,
        interval_s: i64,
        (count, part): (usize, f64),
        flows: &Flows,
        at: i64,
    ) -> Self {
        let round_s = interval_s + LONGER_S;
        let newest = (0..count).map(|battery| {
            let phase = hash(&[seed, 5, battery as u64]) % round_s.cast_unsigned();
            AcReport {
                at: at - phase.cast_signed() - round_s,
                power_w: 0,
                peak_power_w: RECORD_W,
            }
        });
        let mut batteries = Self {
            round_s,
            part,
            newest: newest.collect(),
        };
        batteries.advance(flows, at);
        batteries
    }

    /// Takes in the reports until then (Unix seconds), which is on the day of the flows.
    pub(super) fn advance(&mut self, flows: &Flows, until: i64) {
        for newest in &mut self.newest {
            while newest.at + self.round_s <= until {
                let at = newest.at + self.round_s;
                let power_w = average(flows, newest.at, at) * self.part;
                #[expect(clippy::cast_possible_truncation, reason = "some hundred watts")]
                let power_w = power_w.round() as i32;
                *newest = AcReport {
                    at,
                    power_w,
                    peak_power_w: newest.peak_power_w.max(power_w),
                };
            }
        }
    }

    pub(super) fn newest(&self) -> &[AcReport] {
        &self.newest
    }
}

/// What the batteries do on average between these two moments, in watts.
fn average(flows: &Flows, from: i64, until: i64) -> f64 {
    let minutes = (from..until)
        .step_by(60)
        .map(|at| flows.at(at).power.battery);
    let (sum, count) = minutes.fold((0.0, 0.0), |(sum, count), watts| (sum + watts, count + 1.0));
    sum / count
}
