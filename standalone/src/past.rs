//! A past for the simulated Envoy: without one the page would have no day to compare today with, or a hole where it did
//! not run.

use std::path::Path;

use jiff::{Timestamp, civil};
use simulator::{PastFlow, SiteOptions};
use store::{MarkedStore as _, Sqlite};
use wire::{Battery, Flow, Inverter, Measured, Net, Quantity, Reading, ReportTime, Serial};

/// Days before today that are filled in.
const DAYS: u16 = 7;

/// Readings in one transaction.
const BATCH: usize = 5_000;

/// When the sun of the simulated site is highest, by UTC: as at its first start, which is kept beside its readings. With
/// another noon at each start a day would be pieced together of two, and be no match for the day before.
pub(crate) fn noon(directory: &Path, at_first: civil::Time) -> civil::Time {
    let file = directory.join("noon");
    let kept = std::fs::read_to_string(&file).ok();
    let kept = kept.and_then(|text| text.trim().parse().ok());
    kept.unwrap_or_else(|| {
        if let Err(error) = std::fs::write(&file, format!("{at_first}\n")) {
            tracing::warn!(%error, "when the simulated noon is will not be known at the next start");
        }
        at_first
    })
}

/// Puts what the site would have shown since the newest report in the store, or in all these days, on the way of every
/// other reading. The Envoy will show the same reports for today, and storing those again changes nothing.
pub(crate) async fn fill(store: &Sqlite, site: &SiteOptions) {
    let Ok(latest) = store.latest().await else {
        return;
    };
    let newest = latest.iter().map(|one| one.reported_at).max();
    let now = Timestamp::now();
    let Ok(envoy) = site.serial.as_str().parse::<Serial>() else {
        return;
    };
    let past = inverters(site, now).chain(home(site, now));
    let readings: Vec<Reading> = past
        .filter(|measured| newest.is_none_or(|newest| measured.at() > newest))
        // Of no journal that anybody has; a place in one is not kept in the store.
        .filter_map(|measured| Some(measured.numbered(envoy.clone(), "simulated".parse().ok()?, 1)))
        .collect();
    let marks = store.marks().await.unwrap_or_default();
    for batch in readings.chunks(BATCH) {
        if let Err(error) = store.store(batch, &marks).await {
            tracing::warn!(error = %daemon::exit::with_causes(&error), "the simulated past is not stored");
            return;
        }
    }
}

/// What the inverters have reported.
fn inverters(site: &SiteOptions, now: Timestamp) -> impl Iterator<Item = Measured> {
    site.past(now, DAYS).into_iter().filter_map(|report| {
        let inverter = Inverter {
            serial: report.inverter.parse().ok()?,
            reported_at: ReportTime::from_unix_seconds(report.reported_at).ok()?,
            device_type: Some(1),
            power_w: report.power_w,
            peak_power_w: report.peak_power_w,
            detail: None,
        };
        Some(inverter.into())
    })
}

/// What meters and batteries have shown.
fn home(site: &SiteOptions, now: Timestamp) -> impl Iterator<Item = Measured> {
    let (serials, capacity_wh) = site.battery_serials();
    let flows = site.past_flows(now, DAYS).into_iter();
    flows
        .filter_map(move |flow| measured(&flow, &serials, capacity_wh))
        .flatten()
}

/// What was shown at one moment; none where it can't have been.
fn measured(flow: &PastFlow, batteries: &[String], capacity_wh: f64) -> Option<Vec<Measured>> {
    let measured_at = ReportTime::from_unix_seconds(flow.at).ok()?;
    let quantity = |value| Quantity::new(value).ok();
    let counted = |power_w, lifetime_wh| {
        Some(Flow {
            measured_at,
            power_w: quantity(power_w)?,
            energy_today_wh: None,
            energy_lifetime_wh: quantity(lifetime_wh),
        })
    };
    let mut all = vec![
        Measured::Production(counted(flow.production_w, flow.produced_wh)?),
        Measured::Consumption(counted(flow.consumption_w, flow.consumed_wh)?),
        Measured::Net(Net {
            measured_at,
            power_w: quantity(flow.net_w)?,
            energy_imported_wh: quantity(flow.imported_wh),
            energy_exported_wh: quantity(flow.exported_wh),
        }),
    ];
    for serial in batteries {
        // There are few.
        let each_w = flow.battery_w / f64::from(u32::try_from(batteries.len()).ok()?);
        all.push(Measured::Battery(Battery {
            serial: serial.parse().ok()?,
            measured_at,
            kind: "encharge".parse().ok()?,
            state_of_charge_pct: flow.battery_pct.and_then(quantity),
            power_w: quantity(each_w),
            energy_capacity_wh: quantity(capacity_wh),
            temperature_c: None,
            state: None,
        }));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sun_is_where_it_was_at_the_first_start() {
        let directory = tempfile::tempdir().expect("a directory");
        let (first, later) = (civil::time(9, 31, 2, 5), civil::time(18, 0, 0, 0));
        assert_eq!(noon(directory.path(), first), first);
        assert_eq!(noon(directory.path(), later), first);
        std::fs::write(directory.path().join("noon"), "?").expect("written");
        assert_eq!(
            noon(directory.path(), later),
            later,
            "it is not known any more"
        );
    }
}
