//! What the whole site does, on every firmware: as a meter shows it, or else the sum of its inverters. Pure.
//!
//! A sum is of the inverters' newest reports, as far as they belong together: an inverter reports once an
//! hour at least, so that one whose report is much older than the newest is not producing. Its time is that
//! of the newest report in it. When the last report of a day has become that old, the site is said once to
//! produce nothing: a value that is hours old must not stand for the night.

use std::collections::BTreeMap;

use wire::{Basis, Flow, Inverter, Quantity, ReportTime, Serial, Site};

/// How much older than the newest report of the site one may be to count, in seconds: the longest report
/// interval, and some minutes in which it becomes visible.
const TOGETHER: i64 = 65 * 60;

/// Inverters that have not reported for longer than this, in seconds, are not the site's any more: 30 days.
const GONE: i64 = 30 * 24 * 3600;

/// The gateway's number for AC batteries, which it lists among the inverters.
const AC_BATTERY: u32 = 11;

/// What is known of the site.
#[derive(Debug, Default)]
pub struct Whole {
    newest: BTreeMap<Serial, Inverter>,
    /// The time of what was said last.
    said: Option<ReportTime>,
    /// When a meter last showed the production.
    metered: Option<ReportTime>,
}

impl Whole {
    /// One that knows the newest report of each inverter, as the journal has them, and what was said last.
    #[must_use]
    pub fn new(newest: impl IntoIterator<Item = Inverter>, said: Option<ReportTime>) -> Self {
        let mut whole = Self {
            said,
            ..Self::default()
        };
        for report in newest {
            whole.take(report);
        }
        whole
    }

    /// Takes in a report.
    pub fn take(&mut self, report: Inverter) {
        let is_older = self
            .newest
            .get(&report.serial)
            .is_some_and(|known| known.reported_at >= report.reported_at);
        if report.device_type != Some(AC_BATTERY) && !is_older {
            self.newest.insert(report.serial.clone(), report);
        }
    }

    /// What is to be said now; none when there is nothing new. `metered` is what a meter of production shows
    /// in this poll, `counted` the gateway's own counters of its inverters, `now` the gateway's clock in Unix
    /// seconds.
    pub fn say(
        &mut self,
        metered: Option<&Flow>,
        counted: Option<&Flow>,
        now: i64,
    ) -> Option<Site> {
        let site = match metered {
            Some(flow) => {
                self.metered = Some(flow.measured_at);
                self.by_meter(flow)
            }
            // A meter that fails for a poll or two does not have the site jump between two bases.
            None if self
                .metered
                .is_some_and(|at| now - at.unix_seconds() < TOGETHER) =>
            {
                return None;
            }
            None => self.by_inverters(counted, now)?,
        };
        // A plain topic never steps back in time.
        if self.said.is_some_and(|said| said >= site.measured_at) {
            return None;
        }
        self.said = Some(site.measured_at);
        Some(site)
    }

    fn by_meter(&self, flow: &Flow) -> Site {
        Site {
            measured_at: flow.measured_at,
            basis: Basis::Meter,
            power_w: flow.power_w,
            energy_today_wh: flow.energy_today_wh,
            energy_lifetime_wh: flow.energy_lifetime_wh,
            inverters_reporting: count(self.since(flow.measured_at.unix_seconds() - TOGETHER)),
            inverters_total: self.total(),
        }
    }

    fn by_inverters(&self, counted: Option<&Flow>, now: i64) -> Option<Site> {
        let newest = self
            .newest
            .values()
            .map(|report| report.reported_at)
            .max()?;
        let until = newest.unix_seconds() + TOGETHER;
        let (measured_at, power_w, reporting) = if now >= until {
            (
                ReportTime::from_unix_seconds(until).ok()?,
                Quantity::ZERO,
                0,
            )
        } else {
            let together = || self.since(newest.unix_seconds() - TOGETHER);
            let sum = together().fold(Quantity::ZERO, |sum, report| {
                sum.plus(report.power_w.into())
            });
            (newest, sum, count(together()))
        };
        let (today, lifetime) = match counted {
            Some(flow) => (flow.energy_today_wh, flow.energy_lifetime_wh),
            None => (self.sum(Energy::Today), self.sum(Energy::Lifetime)),
        };
        Some(Site {
            measured_at,
            basis: Basis::Inverters,
            power_w,
            energy_today_wh: today,
            energy_lifetime_wh: lifetime,
            inverters_reporting: reporting,
            inverters_total: self.total(),
        })
    }

    fn since(&self, earliest: i64) -> impl Iterator<Item = &Inverter> {
        let reports = self.newest.values();
        reports.filter(move |report| report.reported_at.unix_seconds() >= earliest)
    }

    fn present(&self) -> impl Iterator<Item = &Inverter> {
        let newest = self.newest.values().map(|report| report.reported_at).max();
        self.since(newest.map_or(i64::MAX, |newest| newest.unix_seconds() - GONE))
    }

    fn total(&self) -> u32 {
        count(self.present())
    }

    /// The sum of what the inverters count; none unless each of them does.
    fn sum(&self, which: Energy) -> Option<Quantity> {
        self.present().try_fold(Quantity::ZERO, |sum, report| {
            let detail = report.detail.as_ref()?;
            let energy = match which {
                Energy::Today => detail.energy_today_wh,
                Energy::Lifetime => detail.energy_lifetime_wh,
            };
            Some(sum.plus(energy?))
        })
    }
}

#[derive(Clone, Copy)]
enum Energy {
    Today,
    Lifetime,
}

fn count<'a>(reports: impl Iterator<Item = &'a Inverter>) -> u32 {
    u32::try_from(reports.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Detail;

    const NOON: i64 = 1_780_315_200;

    fn time(seconds: i64) -> ReportTime {
        ReportTime::from_unix_seconds(seconds).expect("a time")
    }

    fn report(serial: &str, at: i64, power_w: i32) -> Inverter {
        Inverter {
            serial: serial.parse().expect("a serial"),
            reported_at: time(at),
            device_type: Some(1),
            power_w,
            peak_power_w: 300,
            detail: None,
        }
    }

    fn flow(at: i64, power_w: i32) -> Flow {
        Flow {
            measured_at: time(at),
            power_w: power_w.into(),
            energy_today_wh: Some(1000.into()),
            energy_lifetime_wh: Some(9000.into()),
        }
    }

    fn said(whole: &mut Whole, now: i64) -> Option<(i64, f64, u32, u32)> {
        whole.say(None, None, now).map(|site| {
            assert_eq!(site.basis, Basis::Inverters);
            let at = site.measured_at.unix_seconds();
            (
                at,
                site.power_w.get(),
                site.inverters_reporting,
                site.inverters_total,
            )
        })
    }

    #[test]
    fn the_sum_is_of_reports_that_belong_together_at_the_time_of_the_newest() {
        let reports = [
            report("a", NOON, 200),
            report("b", NOON - 3600, 100),
            report("c", NOON - 3 * 3600, 50),
            report("ghost", NOON - 90 * 86_400, 18),
        ];
        let mut whole = Whole::new(reports, None);
        assert_eq!(said(&mut whole, NOON + 30), Some((NOON, 300.0, 2, 3)));
        assert_eq!(said(&mut whole, NOON + 90), None, "nothing is new");
        whole.take(report("c", NOON + 100, 50));
        assert_eq!(
            said(&mut whole, NOON + 150),
            Some((NOON + 100, 350.0, 3, 3))
        );
    }

    #[test]
    fn the_night_begins_once_with_nothing_and_no_older_sum_follows() {
        let mut whole = Whole::new([report("a", NOON, 3)], None);
        said(&mut whole, NOON);
        let dark = NOON + TOGETHER;
        assert_eq!(said(&mut whole, dark - 1), None);
        assert_eq!(said(&mut whole, dark), Some((dark, 0.0, 0, 1)));
        assert_eq!(said(&mut whole, dark + 3600), None);
        whole.take(report("a", dark - 60, 2));
        assert_eq!(
            said(&mut whole, dark + 3600),
            None,
            "it would step back in time"
        );
        whole.take(report("a", dark + 40_000, 5));
        assert_eq!(
            said(&mut whole, dark + 40_010),
            Some((dark + 40_000, 5.0, 1, 1))
        );
    }

    #[test]
    fn a_battery_in_the_list_produces_nothing() {
        let battery = Inverter {
            device_type: Some(AC_BATTERY),
            ..report("acb", NOON, 250)
        };
        let mut whole = Whole::new([battery, report("a", NOON, 100)], None);
        assert_eq!(said(&mut whole, NOON), Some((NOON, 100.0, 1, 1)));
    }

    #[test]
    fn what_a_meter_shows_comes_first_and_for_an_hour_in_which_it_fails() {
        let mut whole = Whole::new([report("a", NOON, 100)], None);
        let site = whole
            .say(Some(&flow(NOON + 20, 95)), None, NOON + 20)
            .expect("a site");
        assert_eq!((site.basis, site.power_w), (Basis::Meter, 95.into()));
        assert_eq!(site.energy_lifetime_wh, Some(9000.into()));
        whole.take(report("a", NOON + 300, 120));
        assert_eq!(said(&mut whole, NOON + 310), None);
        whole.take(report("a", NOON + 20 + TOGETHER, 130));
        let later = NOON + 20 + TOGETHER;
        assert_eq!(said(&mut whole, later), Some((later, 130.0, 1, 1)));
    }

    #[test]
    fn energy_is_the_gateways_count_or_the_sum_of_all_inverters_or_unknown() {
        let with = |serial, lifetime: u32| Inverter {
            detail: Some(Detail {
                energy_lifetime_wh: Some(lifetime.into()),
                energy_today_wh: Some(7_u32.into()),
                ..Detail::default()
            }),
            ..report(serial, NOON, 100)
        };
        let mut whole = Whole::new([with("a", 500), with("b", 700)], None);
        let site = whole.say(None, None, NOON).expect("a site");
        assert_eq!(site.energy_lifetime_wh, Some(1200.into()));
        assert_eq!(site.energy_today_wh, Some(14.into()));
        let mut whole = Whole::new([with("a", 500), report("b", NOON, 90)], None);
        let site = whole.say(None, None, NOON).expect("a site");
        assert_eq!(site.energy_lifetime_wh, None, "one of them does not count");
        let mut whole = Whole::new([report("a", NOON, 100)], None);
        let counted = flow(NOON, 100);
        let site = whole.say(None, Some(&counted), NOON).expect("a site");
        assert_eq!(site.energy_lifetime_wh, Some(9000.into()));
    }
}
