//! The marks, in a table beside the readings.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, params};
use wire::{JournalId, Serial};

use crate::marks::Marks;

/// All marks, in the order in which they were used.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Marks> {
    let mut marks = Marks::default();
    let mut statement = connection
        .prepare("SELECT envoy, journal, first, first FROM journal_first ORDER BY rowid")?;
    for row in statement.query_map([], mark)? {
        let (envoy, journal, first) = row?;
        // Heard of for the first time, so that nothing is lost.
        let _ = marks.holds_from(&envoy, &journal, *first.start());
    }
    let mut statement =
        connection.prepare("SELECT envoy, journal, first, last FROM mark ORDER BY rowid")?;
    for row in statement.query_map([], mark)? {
        let (envoy, journal, numbers) = row?;
        marks.settle(&envoy, &journal, numbers);
    }
    // All of it is here.
    let _ = marks.take_unsaved();
    Ok(marks)
}

/// Replaces the marks of those Envoys that `marks` has, and of `others`, of which there are none then.
pub(super) fn replace<'a>(
    transaction: &Transaction<'_>,
    marks: &'a Marks,
    others: impl IntoIterator<Item = &'a Serial>,
) -> rusqlite::Result<()> {
    let envoys: BTreeSet<_> = marks.envoys().chain(others).collect();
    for table in ["mark", "journal_first"] {
        let delete = format!("DELETE FROM {table} WHERE envoy = ?1");
        let mut delete = transaction.prepare_cached(&delete)?;
        for envoy in &envoys {
            delete.execute([envoy.as_str()])?;
        }
    }
    insert(transaction, marks)
}

/// Replaces all marks.
pub(super) fn replace_all(transaction: &Transaction<'_>, marks: &Marks) -> rusqlite::Result<()> {
    transaction.execute_batch("DELETE FROM mark; DELETE FROM journal_first")?;
    insert(transaction, marks)
}

fn insert(transaction: &Transaction<'_>, marks: &Marks) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO mark (envoy, journal, first, last) VALUES (?1, ?2, ?3, ?4)")?;
    for (envoy, journal, numbers) in marks.iter() {
        let (first, last) = numbers.into_inner();
        insert.execute(params![
            envoy.as_str(),
            journal.as_str(),
            // Numbers of readings stay below 2^53.
            first.cast_signed(),
            last.cast_signed(),
        ])?;
    }
    let mut insert = transaction
        .prepare_cached("INSERT INTO journal_first (envoy, journal, first) VALUES (?1, ?2, ?3)")?;
    for (envoy, journal, first) in marks.firsts() {
        insert.execute(params![
            envoy.as_str(),
            journal.as_str(),
            first.cast_signed()
        ])?;
    }
    Ok(())
}

fn mark(row: &Row<'_>) -> rusqlite::Result<(Serial, JournalId, RangeInclusive<u64>)> {
    let text = |column: usize| row.get::<_, String>(column);
    let foreign = |column: usize, error: wire::InvalidName| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    };
    let envoy = text(0)?.parse().map_err(|error| foreign(0, error))?;
    let journal = text(1)?.parse().map_err(|error| foreign(1, error))?;
    let (first, last): (i64, i64) = (row.get(2)?, row.get(3)?);
    let numbers = first.max(0).cast_unsigned()..=last.max(0).cast_unsigned();
    Ok((envoy, journal, numbers))
}
