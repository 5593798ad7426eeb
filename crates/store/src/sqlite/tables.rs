//! The tables of the readings, one for each kind, with the names of the payloads as columns.

use std::fmt::Write;

use rusqlite::types::Type;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql, Transaction};
use serde_json::{Map, json};
use wire::{Kind, Measured, Reading, ReportTime, Serial, Value};

/// The table of a kind.
pub(super) fn table(kind: Kind) -> String {
    format!("{}_reading", kind.as_str())
}

/// The columns that are the key of a kind's table: Envoy, what it is of, time.
pub(super) fn key(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Inverter => &["envoy", "serial", "reported_at"],
        Kind::Battery => &["envoy", "serial", "measured_at"],
        Kind::Meter => &["envoy", "eid", "measured_at"],
        Kind::Site | Kind::Production | Kind::Consumption | Kind::Net => &["envoy", "measured_at"],
    }
}

/// A reading that comes again may know what the first did not; what it does not know stays.
pub(super) fn insert(transaction: &Transaction<'_>, readings: &[Reading]) -> rusqlite::Result<()> {
    for reading in readings {
        let kind = reading.measured.kind();
        let fields = reading.measured.fields();
        let at = reading.at().unix_seconds();
        let mut values: Vec<Box<dyn ToSql + '_>> = vec![Box::new(reading.envoy.as_str())];
        let subject = match &reading.measured {
            Measured::Inverter(inverter) => Some(&inverter.serial),
            Measured::Meter(meter) => Some(&meter.eid),
            Measured::Battery(battery) => Some(&battery.serial),
            _ => None,
        };
        if let Some(subject) = subject {
            values.push(Box::new(subject.as_str()));
        }
        values.push(Box::new(at));
        for (_, value) in &fields {
            values.push(Box::new(Column(*value)));
        }
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let mut statement = transaction.prepare_cached(&upsert(kind, &names))?;
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        statement.execute(values.as_slice())?;
    }
    Ok(())
}

fn upsert(kind: Kind, fields: &[&str]) -> String {
    let (table, key) = (table(kind), key(kind));
    let columns = [key, fields].concat();
    let places = vec!["?"; columns.len()].join(", ");
    let mut sql = format!(
        "INSERT INTO {table} ({}) VALUES ({places}) ON CONFLICT ({}) DO UPDATE SET ",
        columns.join(", "),
        key.join(", ")
    );
    for (place, name) in fields.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        write!(sql, "{comma}{name} = coalesce(excluded.{name}, {name})")
            .expect("writing to a String does not fail");
    }
    sql
}

/// A value as a column has it.
struct Column<'a>(Value<'a>);

impl ToSql for Column<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Word(word) => ToSqlOutput::Borrowed(ValueRef::Text(word.as_bytes())),
            Value::Quantity(quantity) => quantity.get().into(),
            Value::Whole(whole) => whole.into(),
            Value::Unknown => rusqlite::types::Null.into(),
        })
    }
}

/// What a row of a kind's table says, and of which Envoy. Columns have the names of the payload's
/// keys, so that it is read as a payload is.
pub(super) fn measured(kind: Kind, row: &Row<'_>) -> rusqlite::Result<(Serial, Measured)> {
    let mut payload = Map::new();
    for (index, name) in row.as_ref().column_names().enumerate() {
        let value = match row.get_ref(index)? {
            // What is unknown is missing: so a row without detail has none.
            ValueRef::Null => continue,
            ValueRef::Integer(seconds) if name.ends_with("_at") => {
                json!(ReportTime::from_unix_seconds(seconds).map_err(impossible)?)
            }
            ValueRef::Integer(whole) => json!(whole),
            ValueRef::Real(value) => json!(value),
            ValueRef::Text(_) | ValueRef::Blob(_) => json!(row.get::<_, String>(index)?),
        };
        payload.insert(name.to_owned(), value);
    }
    let envoy: String = row.get("envoy")?;
    let envoy = envoy.parse().map_err(impossible)?;
    let payload = serde_json::Value::Object(payload);
    let measured = match kind {
        Kind::Inverter => serde_json::from_value(payload).map(Measured::Inverter),
        Kind::Site => serde_json::from_value(payload).map(Measured::Site),
        Kind::Production => serde_json::from_value(payload).map(Measured::Production),
        Kind::Consumption => serde_json::from_value(payload).map(Measured::Consumption),
        Kind::Net => serde_json::from_value(payload).map(Measured::Net),
        Kind::Meter => serde_json::from_value(payload).map(Measured::Meter),
        Kind::Battery => serde_json::from_value(payload).map(Measured::Battery),
    };
    Ok((envoy, measured.map_err(impossible)?))
}

pub(super) fn impossible(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(error))
}
