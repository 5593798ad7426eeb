//! The schema, version by version.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::hours;

/// Each brings the schema from the version that is its place in this list to the next one. What
/// is here never changes; a new version is a new entry at the end.
const MIGRATIONS: &[&str] = &[
    // No rowid: the key is all there is to find a reading by, so that a table of its own for it
    // would double the file. STRICT: the types of columns never change either.
    "CREATE TABLE inverter_reading (
         envoy        TEXT    NOT NULL,
         serial       TEXT    NOT NULL,
         reported_at  INTEGER NOT NULL, -- seconds since 1970
         device_type  INTEGER,          -- null: unknown
         power_w      INTEGER NOT NULL,
         peak_power_w INTEGER NOT NULL,
         PRIMARY KEY (envoy, serial, reported_at)
     ) STRICT, WITHOUT ROWID;",
    // Which numbers of an Envoy's journals are stored, or never will be: both ends belong to it.
    "CREATE TABLE mark (
         envoy   TEXT    NOT NULL,
         journal TEXT    NOT NULL,
         first   INTEGER NOT NULL,
         last    INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX mark_envoy ON mark (envoy);
     -- The lowest number that a journal held when that was judged last.
     CREATE TABLE journal_first (
         envoy   TEXT    NOT NULL,
         journal TEXT    NOT NULL,
         first   INTEGER NOT NULL
     ) STRICT;",
    // What some gateways say of an inverter beyond its power; null: unknown.
    "ALTER TABLE inverter_reading ADD COLUMN interval_s REAL;
     ALTER TABLE inverter_reading ADD COLUMN energy_wh REAL;
     ALTER TABLE inverter_reading ADD COLUMN energy_lifetime_wh REAL;
     ALTER TABLE inverter_reading ADD COLUMN energy_today_wh REAL;
     ALTER TABLE inverter_reading ADD COLUMN ac_voltage_v REAL;
     ALTER TABLE inverter_reading ADD COLUMN ac_current_a REAL;
     ALTER TABLE inverter_reading ADD COLUMN ac_frequency_hz REAL;
     ALTER TABLE inverter_reading ADD COLUMN dc_voltage_v REAL;
     ALTER TABLE inverter_reading ADD COLUMN dc_current_a REAL;
     ALTER TABLE inverter_reading ADD COLUMN temperature_c REAL;",
    // What else a gateway measures, under the names of the payloads.
    "CREATE TABLE site_reading (
         envoy               TEXT    NOT NULL,
         measured_at         INTEGER NOT NULL, -- seconds since 1970
         basis               TEXT    NOT NULL,
         power_w             REAL    NOT NULL,
         energy_today_wh     REAL,
         energy_lifetime_wh  REAL,
         inverters_reporting INTEGER NOT NULL,
         inverters_total     INTEGER NOT NULL,
         PRIMARY KEY (envoy, measured_at)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE production_reading (
         envoy              TEXT    NOT NULL,
         measured_at        INTEGER NOT NULL,
         power_w            REAL    NOT NULL,
         energy_today_wh    REAL,
         energy_lifetime_wh REAL,
         PRIMARY KEY (envoy, measured_at)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE consumption_reading (
         envoy              TEXT    NOT NULL,
         measured_at        INTEGER NOT NULL,
         power_w            REAL    NOT NULL,
         energy_today_wh    REAL,
         energy_lifetime_wh REAL,
         PRIMARY KEY (envoy, measured_at)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE net_reading (
         envoy              TEXT    NOT NULL,
         measured_at        INTEGER NOT NULL,
         power_w            REAL    NOT NULL,
         energy_imported_wh REAL,
         energy_exported_wh REAL,
         PRIMARY KEY (envoy, measured_at)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE meter_reading (
         envoy               TEXT    NOT NULL,
         eid                 TEXT    NOT NULL,
         measured_at         INTEGER NOT NULL,
         kind                TEXT    NOT NULL,
         phase               TEXT,
         power_w             REAL    NOT NULL,
         reactive_power_var  REAL,
         apparent_power_va   REAL,
         voltage_v           REAL,
         current_a           REAL,
         frequency_hz        REAL,
         power_factor        REAL,
         energy_delivered_wh REAL,
         energy_received_wh  REAL,
         PRIMARY KEY (envoy, eid, measured_at)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE battery_reading (
         envoy               TEXT    NOT NULL,
         serial              TEXT    NOT NULL,
         measured_at         INTEGER NOT NULL,
         kind                TEXT    NOT NULL,
         state_of_charge_pct REAL,
         power_w             REAL,
         energy_capacity_wh  REAL,
         temperature_c       REAL,
         state               TEXT,
         PRIMARY KEY (envoy, serial, measured_at)
     ) STRICT, WITHOUT ROWID;",
    // What the readings of an hour add up to, of an inverter and of all that an Envoy has.
    "CREATE TABLE inverter_hour (
         envoy     TEXT    NOT NULL,
         serial    TEXT    NOT NULL,
         hour      INTEGER NOT NULL, -- its beginning, in seconds since 1970
         energy_ws INTEGER NOT NULL, -- watt-seconds
         highest_w INTEGER NOT NULL, -- of one report
         reports   INTEGER NOT NULL,
         missed    INTEGER NOT NULL, -- between two reports
         PRIMARY KEY (envoy, serial, hour)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE site_hour (
         envoy     TEXT    NOT NULL,
         hour      INTEGER NOT NULL,
         energy_ws INTEGER NOT NULL,
         reports   INTEGER NOT NULL,
         missed    INTEGER NOT NULL,
         PRIMARY KEY (envoy, hour)
     ) STRICT, WITHOUT ROWID;",
    // What was last said of each inverter on the `health` topic.
    "CREATE TABLE inverter_health (
         envoy               TEXT    NOT NULL,
         serial              TEXT    NOT NULL,
         changed_at          INTEGER NOT NULL, -- seconds since 1970
         state               TEXT    NOT NULL, -- reporting, asleep, silent
         fresh               INTEGER NOT NULL, -- 0 or 1
         interval_s          INTEGER,          -- null: unknown, as in all that follow
         missed_reports      INTEGER NOT NULL,
         relative_output_pct INTEGER,
         name                TEXT,
         array               TEXT,
         PRIMARY KEY (envoy, serial)
     ) STRICT, WITHOUT ROWID;",
    // With each batch those of its Envoys are replaced, beside what there is of thousands of others.
    "CREATE INDEX IF NOT EXISTS journal_first_envoy ON journal_first (envoy);",
];

/// The version from which on there are sums of hours.
const WITH_HOURS: i64 = 5;

/// Says in the file's header whose it is ("Envy" in ASCII).
const APPLICATION_ID: i32 = 0x456e_7679;

/// A file that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file can't be read or written, or is no database.
    #[error("{path} can't be used as the database", path = path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// The file is the database of another program: choose another path.
    #[error("{path} is the database of another program", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version of this program: run that one.
    #[error(
        "{path} has version {found} of the schema, and this program knows only those up to {known}",
        path = path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The newest version known here.
        known: usize,
    },
    /// The file was written by an older version of this program, and was only to be read.
    #[error(
        "{path} has version {found} of the schema, and is to be read with version {known}; start the \
         program that writes to it once, which brings it up to date",
        path = path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The version known here.
        known: usize,
    },
    /// It was to be brought up to date, and that was stopped: it is as it was.
    #[error("the database was not brought up to date: that was stopped")]
    Stopped,
}

/// Sees that a file is one of this program and version, and changes nothing.
pub(super) fn must_be_current(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |query: &str| {
        connection
            .query_row(query, [], |row| row.get::<_, i64>(0))
            .map_err(|source| OpenError::Unusable {
                path: path.to_owned(),
                source,
            })
    };
    let path = path.to_owned();
    if number("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
        return Err(OpenError::Foreign { path });
    }
    let (found, known) = (number("PRAGMA user_version")?, MIGRATIONS.len());
    match usize::try_from(found) {
        Ok(version) if version == known => Ok(()),
        Ok(version) if version < known => Err(OpenError::Older { path, found, known }),
        _ => Err(OpenError::Newer { path, found, known }),
    }
}

/// Brings the schema up to date, in one transaction: a file is never between two versions.
pub(super) fn apply(
    connection: &mut Connection,
    path: &Path,
    go_on: impl FnMut() -> ControlFlow<()>,
) -> Result<(), OpenError> {
    let unusable = |source| OpenError::Unusable {
        path: path.to_owned(),
        source,
    };
    // Immediate: two programs that start at once do it one after the other.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(unusable)?;
    let number = |query: &str| {
        transaction
            .query_row(query, [], |row| row.get::<_, i64>(0))
            .map_err(unusable)
    };
    let is_new = number("PRAGMA user_version")? == 0
        && number("PRAGMA application_id")? == 0
        && number("SELECT count(*) FROM sqlite_schema")? == 0;
    if !is_new && number("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    let found = number("PRAGMA user_version")?;
    let Some(missing) = usize::try_from(found)
        .ok()
        .and_then(|applied| MIGRATIONS.get(applied..))
    else {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: MIGRATIONS.len(),
        });
    };
    if missing.is_empty() {
        return Ok(());
    }
    for migration in missing {
        transaction.execute_batch(migration).map_err(unusable)?;
    }
    if !is_new && found < WITH_HOURS {
        let built = hours::build(&transaction, go_on).map_err(unusable)?;
        if built.is_break() {
            return Err(OpenError::Stopped);
        }
    }
    let stamp = format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}",
        MIGRATIONS.len()
    );
    transaction
        .execute_batch(&stamp)
        .and_then(|()| transaction.commit())
        .map_err(unusable)
}
