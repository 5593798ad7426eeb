//! All that a database file has, as text for other programs.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Statement, params};
use wire::{Kind, ReportTime};

use super::{BUSY_TIMEOUT, OpenError, migrations, tables};
use crate::line;

/// A database file that is only read, beside whoever writes it. Nothing of it is held in memory but the
/// row that is being written out.
#[derive(Debug)]
pub struct Export(Connection);

/// Readings could not be written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database can't be read.
    #[error("the database can't be read")]
    Database(#[from] rusqlite::Error),
    /// The output can't be written.
    #[error("the output can't be written")]
    Output(#[from] io::Error),
}

impl Export {
    /// Opens a file that is there. Its schema has to be up to date: an export changes nothing.
    ///
    /// # Errors
    /// When it can't be read, is another program's, or of another version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let unusable = |source| OpenError::Unusable {
            path: path.to_owned(),
            source,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(unusable)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
        migrations::must_be_current(&connection, path)?;
        Ok(Self(connection))
    }

    /// Writes the readings of a kind with these times as CSV: a line with the names of the columns, which
    /// are those of the payloads, then a line for each reading, sorted by Envoy, what it is of, and time.
    /// Times are RFC 3339 in UTC; what is unknown is empty. No value has to be quoted: there are numbers,
    /// times and names, and a name has none but letters, digits, `_` and `-`.
    ///
    /// # Errors
    /// When the file can't be read or the output can't be written.
    pub fn csv(
        &self,
        kind: Kind,
        times: RangeInclusive<ReportTime>,
        out: &mut impl Write,
    ) -> Result<(), ExportError> {
        let mut statement = self.select(kind)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        writeln!(out, "{}", names.join(","))?;
        let (from, until) = (times.start().unix_seconds(), times.end().unix_seconds());
        let mut rows = statement.query(params![from, until])?;
        while let Some(row) = rows.next()? {
            for (index, name) in names.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                match row.get_ref(index)? {
                    ValueRef::Integer(seconds) if name.ends_with("_at") => {
                        let time =
                            ReportTime::from_unix_seconds(seconds).map_err(tables::impossible)?;
                        write!(out, "{comma}{time}")?;
                    }
                    ValueRef::Integer(whole) => write!(out, "{comma}{whole}")?,
                    ValueRef::Real(value) => write!(out, "{comma}{value}")?,
                    ValueRef::Text(text) => {
                        write!(out, "{comma}")?;
                        out.write_all(text)?;
                    }
                    ValueRef::Null | ValueRef::Blob(_) => write!(out, "{comma}")?,
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// Writes the readings of a kind with these times as InfluxDB's line protocol, with times in seconds:
    /// the very points that the receiver writes there.
    ///
    /// # Errors
    /// When the file can't be read or the output can't be written.
    pub fn line_protocol(
        &self,
        kind: Kind,
        times: RangeInclusive<ReportTime>,
        out: &mut impl Write,
    ) -> Result<(), ExportError> {
        let mut statement = self.select(kind)?;
        let (from, until) = (times.start().unix_seconds(), times.end().unix_seconds());
        let mut rows = statement.query(params![from, until])?;
        let mut text = String::new();
        while let Some(row) = rows.next()? {
            let (envoy, measured) = tables::measured(kind, row)?;
            text.clear();
            line::append_measured(&mut text, &envoy, &measured);
            text.push('\n');
            out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn select(&self, kind: Kind) -> rusqlite::Result<Statement<'_>> {
        let (table, key) = (tables::table(kind), tables::key(kind));
        let time = key.last().copied().unwrap_or_default();
        self.0.prepare(&format!(
            "SELECT * FROM {table} WHERE {time} BETWEEN ?1 AND ?2 ORDER BY {}",
            key.join(", ")
        ))
    }
}
