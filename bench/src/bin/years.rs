//! Fills an SQLite store with years of readings, as the receiver would have: a day in each transaction, in
//! the order in which a gateway's inverters report. Called by `bench/page-years`.
//!
//! `cargo run --release -p bench --bin years FILE YEARS INVERTERS METERED`: METERED is the seconds between two readings
//! of what the house uses and exchanges with the grid, 0 for none.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::{Instant, SystemTime};

use anyhow::Context;
use store::{MarkedStore, Marks, Sqlite};
use wire::{Flow, Inverter, Measured, Net, Quantity, Reading, ReportTime};

const DAY_S: i64 = 86_400;

/// The sun is up for twelve hours, with a report each five minutes.
const DAWN_S: i64 = 6 * 3_600;
const REPORTS: i64 = 144;
const INTERVAL_S: i64 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &'static str| arguments.next().context(name);
    let file = next("FILE")?;
    let years: i64 = next("YEARS")?.parse()?;
    let inverters: i64 = next("INVERTERS")?.parse()?;
    let metered: usize = next("METERED")?.parse()?;
    let store = Sqlite::open(&file)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let today = i64::try_from(now.as_secs())? / DAY_S;
    let begun = Instant::now();
    for day in today - 365 * years..today {
        let readings: anyhow::Result<Vec<_>> = (0..REPORTS)
            .flat_map(|report| (0..inverters).map(move |inverter| reading(day, report, inverter)))
            .collect();
        let mut readings = readings?;
        if metered > 0 {
            for second in (0..DAY_S).step_by(metered) {
                readings.extend(home(day * DAY_S + second)?);
            }
        }
        let _ = store.store(&readings, &Marks::default()).await?;
    }
    let rows = store.count().await?;
    let took = begun.elapsed().as_secs_f64();
    println!("{rows} readings written in {took:.0} s");
    Ok(())
}

/// A parabola of a day, lower by a watt from inverter to inverter, and cloudier on some days.
fn reading(day: i64, report: i64, inverter: i64) -> anyhow::Result<Reading> {
    let height = report * (REPORTS - report) * 250 / (REPORTS * REPORTS / 4);
    let power = height * (40 + day * 37 % 60) / 100 - inverter;
    let at = day * DAY_S + DAWN_S + report * INTERVAL_S + inverter;
    numbered(
        Inverter {
            serial: format!("4820123456{inverter:02}").parse()?,
            reported_at: ReportTime::from_unix_seconds(at)?,
            device_type: Some(1),
            power_w: i32::try_from(power.max(0))?,
            peak_power_w: 296,
            detail: None,
        }
        .into(),
    )
}

/// What meters show at a moment: powers that differ, and counters that rise.
fn home(at: i64) -> anyhow::Result<[Reading; 2]> {
    let measured_at = ReportTime::from_unix_seconds(at)?;
    let wave = f64::from(u32::try_from(at * 7 % 1_013)?);
    let counted = f64::from(u32::try_from(at / 60)?);
    let used = Measured::Consumption(Flow {
        measured_at,
        power_w: Quantity::new(300.125 + wave)?,
        energy_today_wh: None,
        energy_lifetime_wh: Some(Quantity::new(counted * 7.0)?),
    });
    let exchanged = Measured::Net(Net {
        measured_at,
        power_w: Quantity::new(200.125 - wave)?,
        energy_imported_wh: Some(Quantity::new(counted * 3.0)?),
        energy_exported_wh: Some(Quantity::new(counted * 5.0)?),
    });
    Ok([numbered(used)?, numbered(exchanged)?])
}

fn numbered(measured: Measured) -> anyhow::Result<Reading> {
    Ok(measured.numbered("122012345678".parse()?, "k3x9m2pq".parse()?, 1))
}
