//! What can be asked of the database.

use std::ops::RangeInclusive;

use rusqlite::types::Type;
use rusqlite::{Row, params};
use wire::{Kind, Measured, ReportTime, Serial};

use super::{Sqlite, on_connection, tables};

/// A reading as it is kept: without its place in the journal, which ends with its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoredReading {
    /// The gateway's serial number.
    pub envoy: Serial,
    /// The inverter's serial number.
    pub serial: Serial,
    /// When the inverter reported, by the gateway's clock.
    pub reported_at: ReportTime,
    /// The gateway's number for the kind of device, where it is known.
    pub device_type: Option<u32>,
    /// Average power over the report interval, in watts.
    pub power_w: i32,
    /// The highest power on record for this inverter, in watts.
    pub peak_power_w: i32,
}

/// The database can't be read, or has something in it that this program did not write.
#[derive(Debug, thiserror::Error)]
#[error("the database can't be read")]
pub struct QueryError(#[from] rusqlite::Error);

impl Sqlite {
    /// The readings of one Envoy, or of all, with these report times; sorted by Envoy, inverter
    /// and time.
    pub async fn readings(
        &self,
        envoy: Option<&Serial>,
        times: RangeInclusive<ReportTime>,
    ) -> Result<Vec<StoredReading>, QueryError> {
        let envoy = envoy.cloned();
        let (from, until) = (times.start().unix_seconds(), times.end().unix_seconds());
        let rows = on_connection(&self.reader, move |reader| {
            let mut statement = reader.prepare_cached(
                "SELECT envoy, serial, reported_at, device_type, power_w, peak_power_w
                 FROM inverter_reading
                 WHERE (?1 IS NULL OR envoy = ?1) AND reported_at BETWEEN ?2 AND ?3
                 ORDER BY envoy, serial, reported_at",
            )?;
            let envoy = envoy.as_ref().map(Serial::as_str);
            statement
                .query_map(params![envoy, from, until], stored)?
                .collect()
        });
        Ok(rows.await?)
    }

    /// The readings of these inverters, each named with its Envoy, with these report times; sorted by time
    /// within each inverter, and these in the given order.
    ///
    /// Quick however many readings there are: each inverter's are found by the key.
    pub async fn readings_of(
        &self,
        inverters: Vec<(Serial, Serial)>,
        times: RangeInclusive<ReportTime>,
    ) -> Result<Vec<StoredReading>, QueryError> {
        let (from, until) = (times.start().unix_seconds(), times.end().unix_seconds());
        let rows = on_connection(&self.reader, move |reader| {
            let mut statement = reader.prepare_cached(
                "SELECT envoy, serial, reported_at, device_type, power_w, peak_power_w
                 FROM inverter_reading
                 WHERE envoy = ?1 AND serial = ?2 AND reported_at BETWEEN ?3 AND ?4
                 ORDER BY reported_at",
            )?;
            let mut found = Vec::new();
            for (envoy, serial) in &inverters {
                let key = params![envoy.as_str(), serial.as_str(), from, until];
                for row in statement.query_map(key, stored)? {
                    found.push(row?);
                }
            }
            Ok(found)
        });
        Ok(rows.await?)
    }

    /// What was measured of one kind, at one Envoy or at all, at these times: with its Envoy, sorted by
    /// Envoy, what it is of, and time. Of inverters with the detail that [`readings`](Self::readings)
    /// has not.
    pub async fn measured(
        &self,
        kind: Kind,
        envoy: Option<&Serial>,
        times: RangeInclusive<ReportTime>,
    ) -> Result<Vec<(Serial, Measured)>, QueryError> {
        let envoy = envoy.cloned();
        let (from, until) = (times.start().unix_seconds(), times.end().unix_seconds());
        let rows = on_connection(&self.reader, move |reader| {
            let (table, key) = (tables::table(kind), tables::key(kind));
            let time = key.last().copied().unwrap_or_default();
            let mut statement = reader.prepare_cached(&format!(
                "SELECT * FROM {table}
                 WHERE (?1 IS NULL OR envoy = ?1) AND {time} BETWEEN ?2 AND ?3
                 ORDER BY {}",
                key.join(", ")
            ))?;
            let envoy = envoy.as_ref().map(Serial::as_str);
            statement
                .query_map(params![envoy, from, until], |row| {
                    tables::measured(kind, row)
                })?
                .collect()
        });
        Ok(rows.await?)
    }

    /// The newest reading of each inverter, sorted by Envoy and inverter.
    ///
    /// Quick however many readings there are: it goes from inverter to inverter by the key.
    pub async fn latest(&self) -> Result<Vec<StoredReading>, QueryError> {
        let rows = on_connection(&self.reader, |reader| {
            let mut statement = reader.prepare_cached(
                "WITH RECURSIVE
                 gateway (envoy) AS (
                     SELECT min(envoy) FROM inverter_reading
                     UNION ALL
                     SELECT (
                         SELECT min(next.envoy) FROM inverter_reading AS next
                         WHERE next.envoy > gateway.envoy
                     ) FROM gateway WHERE envoy IS NOT NULL
                 ),
                 inverter (envoy, serial) AS (
                     SELECT envoy, (
                         SELECT min(first.serial) FROM inverter_reading AS first
                         WHERE first.envoy = gateway.envoy
                     ) FROM gateway WHERE envoy IS NOT NULL
                     UNION ALL
                     SELECT envoy, (
                         SELECT min(next.serial) FROM inverter_reading AS next
                         WHERE next.envoy = inverter.envoy AND next.serial > inverter.serial
                     ) FROM inverter WHERE serial IS NOT NULL
                 )
                 SELECT envoy, serial, reported_at, device_type, power_w, peak_power_w
                 FROM inverter JOIN inverter_reading USING (envoy, serial)
                 WHERE reported_at = (
                     SELECT max(own.reported_at) FROM inverter_reading AS own
                     WHERE own.envoy = inverter.envoy AND own.serial = inverter.serial
                 )
                 ORDER BY envoy, serial",
            )?;
            statement.query_map([], stored)?.collect()
        });
        Ok(rows.await?)
    }

    /// How many readings of inverters there are.
    pub async fn count(&self) -> Result<u64, QueryError> {
        let count = on_connection(&self.reader, |reader| {
            reader.query_row("SELECT count(*) FROM inverter_reading", [], |row| {
                row.get::<_, i64>(0)
            })
        });
        Ok(count.await?.unsigned_abs())
    }
}

/// The first three columns: an Envoy, one of its inverters, and a time.
fn whose_and_when(row: &Row<'_>) -> rusqlite::Result<(Serial, Serial, ReportTime)> {
    let serial = |column| {
        let text: String = row.get(column)?;
        Serial::try_from(text).map_err(|error| impossible(column, Type::Text, error))
    };
    let time = ReportTime::from_unix_seconds(row.get(2)?)
        .map_err(|error| impossible(2, Type::Integer, error))?;
    Ok((serial(0)?, serial(1)?, time))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredReading> {
    let (envoy, serial, reported_at) = whose_and_when(row)?;
    Ok(StoredReading {
        envoy,
        serial,
        reported_at,
        device_type: row.get(3)?,
        power_w: row.get(4)?,
        peak_power_w: row.get(5)?,
    })
}

/// A column holds what was never written.
fn impossible(
    column: usize,
    kind: Type,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
