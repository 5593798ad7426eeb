//! Sums of hours, kept beside the readings, so that years are as quick to ask for as days.
//!
//! A day has no length of its own: it begins at midnight where the viewer is. Sums of UTC hours make the
//! days of every zone, but for those half an hour or a quarter off (India, Nepal), whose midnight lies
//! within an hour; that hour counts for the day in which it begins, and roofs are dark then.
//!
//! A sum is never added to by a reading: those of an inverter's whole UTC day are worked out anew from its
//! readings, in the transaction that stores them. So a reading that comes late, twice or out of order leaves
//! the same sums as one that came in time. All are whole numbers, so that the site's sums, which take the
//! differences, never drift from those of its inverters.

mod sums;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use rusqlite::{OptionalExtension, Transaction, params};
use wire::{Kind, Measured, Reading, Serial};

pub use self::sums::interval_s;
use self::sums::{HOUR_S, Sum, WITHIN_REACH_S};
use super::read::QueryError;
use super::{Sqlite, flows, on_connection};

const DAY_S: i64 = 24 * HOUR_S;

/// What the reports of one hour add up to, those of one inverter or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// When it begins, in seconds since 1970.
    pub begins: i64,
    /// Energy, in watt-seconds (joules).
    pub energy_ws: i64,
    /// The highest power that one report says, in watts. Of all inverters together there is none: they
    /// report one after the other.
    pub highest_w: Option<i32>,
    /// How many reports there are.
    pub reports: u32,
    /// How many are missing between them: see [`interval_s`] for when one is expected.
    pub missed: u32,
}

impl Sqlite {
    /// The hours from `from` on and before `until` in which these inverters reported, each named with its
    /// Envoy, or in which any did; in no order, and an hour once for each inverter or Envoy.
    pub async fn hours(
        &self,
        inverters: Option<Vec<(Serial, Serial)>>,
        from: i64,
        until: i64,
    ) -> Result<Vec<Hour>, QueryError> {
        let rows = on_connection(&self.reader, move |reader| {
            let Some(inverters) = inverters else {
                let mut statement = reader.prepare_cached(
                    "SELECT hour, energy_ws, NULL, reports, missed FROM site_hour
                     WHERE hour >= ?1 AND hour < ?2",
                )?;
                return statement.query_map([from, until], hour)?.collect();
            };
            let mut statement = reader.prepare_cached(
                "SELECT hour, energy_ws, highest_w, reports, missed FROM inverter_hour
                 WHERE envoy = ?1 AND serial = ?2 AND hour >= ?3 AND hour < ?4",
            )?;
            let mut found = Vec::new();
            for (envoy, serial) in &inverters {
                let key = params![envoy.as_str(), serial.as_str(), from, until];
                for row in statement.query_map(key, hour)? {
                    found.push(row?);
                }
            }
            Ok(found)
        });
        Ok(rows.await?)
    }

    /// When the first hour begins in which anything was reported, in seconds since 1970.
    pub async fn first_hour(&self) -> Result<Option<i64>, QueryError> {
        let first = on_connection(&self.reader, |reader| {
            let query = "SELECT min(hour) FROM site_hour";
            reader.query_row(query, [], |row| row.get(0))
        });
        Ok(first.await?)
    }
}

fn hour(row: &rusqlite::Row<'_>) -> rusqlite::Result<Hour> {
    Ok(Hour {
        begins: row.get(0)?,
        energy_ws: row.get(1)?,
        highest_w: row.get(2)?,
        reports: row.get(3)?,
        missed: row.get(4)?,
    })
}

/// Brings the sums up to date with these readings, which are stored.
pub(super) fn keep(transaction: &Transaction<'_>, readings: &[Reading]) -> rusqlite::Result<()> {
    let mut days = BTreeSet::new();
    for reading in readings {
        if let Measured::Inverter(inverter) = &reading.measured {
            let at = inverter.reported_at.unix_seconds();
            // The report after it stands for less time now, and may be one of the next day.
            for moment in [at, at + WITHIN_REACH_S] {
                let day = moment.div_euclid(DAY_S);
                days.insert((reading.envoy.as_str(), inverter.serial.as_str(), day));
            }
        }
    }
    for (envoy, serial, day) in days {
        keep_day(transaction, envoy, serial, day * DAY_S)?;
    }
    Ok(())
}

/// Makes the sums of all readings that there are: for a file that had none. Before each day of an inverter it asks
/// whether to go on.
pub(super) fn build(
    transaction: &Transaction<'_>,
    mut go_on: impl FnMut() -> ControlFlow<()>,
) -> rusqlite::Result<ControlFlow<()>> {
    for inverter in flows::subjects(transaction, Kind::Inverter)? {
        let [envoy, serial] = inverter.as_slice() else {
            continue;
        };
        let mut from = i64::MIN;
        // From day to day that has a reading: between them may lie years without any.
        while let Some(at) = next(transaction, envoy, serial, from)? {
            if go_on().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let begins = at.div_euclid(DAY_S) * DAY_S;
            keep_day(transaction, envoy, serial, begins)?;
            from = begins + DAY_S;
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The first report time that is not before `from`.
fn next(
    transaction: &Transaction<'_>,
    envoy: &str,
    serial: &str,
    from: i64,
) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached(
            "SELECT reported_at FROM inverter_reading
             WHERE envoy = ?1 AND serial = ?2 AND reported_at >= ?3 ORDER BY reported_at LIMIT 1",
        )?
        .query_row(params![envoy, serial, from], |row| row.get(0))
        .optional()
}

/// Works out the sums of one inverter's UTC day anew.
fn keep_day(
    transaction: &Transaction<'_>,
    envoy: &str,
    serial: &str,
    begins: i64,
) -> rusqlite::Result<()> {
    let key = params![envoy, serial, begins - WITHIN_REACH_S, begins + DAY_S];
    let reports: Vec<(i64, i32)> = transaction
        .prepare_cached(
            "SELECT reported_at, power_w FROM inverter_reading
             WHERE envoy = ?1 AND serial = ?2 AND reported_at >= ?3 AND reported_at < ?4
               -- What an AC battery (11) gives is no production.
               AND device_type IS NOT 11
             ORDER BY reported_at",
        )?
        .query_map(key, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let of_day = reports.partition_point(|(at, _)| *at < begins);
    let (before, reports) = reports.split_at(of_day);
    let mut known: BTreeMap<i64, Sum> = transaction
        .prepare_cached(
            "SELECT hour, energy_ws, highest_w, reports, missed FROM inverter_hour
             WHERE envoy = ?1 AND serial = ?2 AND hour >= ?3 AND hour < ?4",
        )?
        .query_map(params![envoy, serial, begins, begins + DAY_S], |row| {
            let sum = Sum {
                energy_ws: row.get(1)?,
                highest_w: row.get(2)?,
                reports: row.get(3)?,
                missed: row.get(4)?,
            };
            Ok((row.get(0)?, sum))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (hour, sum) in sums::of_day(before, reports) {
        let old = known.remove(&hour);
        if old != Some(sum) {
            put(transaction, (envoy, serial, hour), sum)?;
            add(transaction, (envoy, hour), old.unwrap_or_default(), sum)?;
        }
    }
    // Hours whose reports count no more: they are known by now to be an AC battery's.
    for (hour, old) in known {
        transaction
            .prepare_cached(
                "DELETE FROM inverter_hour WHERE envoy = ?1 AND serial = ?2 AND hour = ?3",
            )?
            .execute(params![envoy, serial, hour])?;
        add(transaction, (envoy, hour), old, Sum::default())?;
        transaction
            .prepare_cached("DELETE FROM site_hour WHERE envoy = ?1 AND hour = ?2 AND reports = 0")?
            .execute(params![envoy, hour])?;
    }
    Ok(())
}

/// The sums of an inverter's hour, in place of those that there were.
fn put(
    transaction: &Transaction<'_>,
    (envoy, serial, hour): (&str, &str, i64),
    sum: Sum,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO inverter_hour
             (envoy, serial, hour, energy_ws, highest_w, reports, missed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute(params![
        envoy,
        serial,
        hour,
        sum.energy_ws,
        sum.highest_w,
        sum.reports,
        sum.missed
    ])?;
    Ok(())
}

/// Brings the sums of the site's hour from an inverter's old ones to its new ones.
fn add(
    transaction: &Transaction<'_>,
    (envoy, hour): (&str, i64),
    old: Sum,
    new: Sum,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO site_hour (envoy, hour, energy_ws, reports, missed)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (envoy, hour) DO UPDATE SET energy_ws = energy_ws + excluded.energy_ws,
             reports = reports + excluded.reports, missed = missed + excluded.missed",
    )?;
    statement.execute(params![
        envoy,
        hour,
        new.energy_ws - old.energy_ws,
        new.reports - old.reports,
        new.missed - old.missed
    ])?;
    Ok(())
}
