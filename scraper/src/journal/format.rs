//! What is in the file: its tables, version by version.

use daemon::random;
use redb::{
    Database, Error, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableError,
    WriteTransaction,
};
use wire::{JournalId, MAX_SEQ, ReportTime, Serial};

use super::index::Index;
use super::record;

/// The records, by number.
pub(super) const RECORDS: TableDefinition<u64, &[u8]> = TableDefinition::new("records");

/// The newest record of a subject, by its [`key`](record::key), with its number, once that has left
/// [`RECORDS`]. It may be out of date: then a newer one is in [`RECORDS`].
pub(super) const NEWEST: TableDefinition<&str, (u64, &[u8])> = TableDefinition::new("newest");

/// The number and the time of a subject's last reading, once that has left [`RECORDS`]; out of
/// date likewise.
pub(super) const LAST: TableDefinition<&str, (u64, i64)> = TableDefinition::new("last");

/// The journal itself. No version changes the type of this table, so that every version can tell
/// which one wrote a file.
pub(super) const META: TableDefinition<&str, &str> = TableDefinition::new("meta");

/// The version of the format.
pub(super) const FORMAT: &str = "format";
/// The journal's id.
pub(super) const ID: &str = "id";
/// The Envoy's serial.
pub(super) const ENVOY: &str = "envoy";
/// The highest number ever given.
pub(super) const LAST_SEQ: &str = "last_seq";
/// Below this number all was delivered to the broker when that was last written.
pub(super) const DELIVERED_BELOW: &str = "delivered_below";
/// When the file was made, as the file system says; missing where it does not.
pub(super) const BIRTH: &str = "birth";

/// Each brings a file from the version that is its place in this list, counted from 1, to the next
/// one. What is here never changes; a new version is a new entry at the end.
const UPGRADES: &[Upgrade] = &[];

/// A step from one version to the next.
pub(super) type Upgrade = fn(&WriteTransaction) -> Result<(), Error>;

/// The version that this program writes.
pub(super) const KNOWN: usize = UPGRADES.len() + 1;

/// Why the content of a file can't be taken over.
#[derive(Debug)]
pub(super) enum Unfit {
    /// A newer version of this program wrote it.
    Newer { found: usize },
    /// It is not the journal of this Envoy, or damaged.
    Content(String),
    /// It can't be read or written.
    Storage(Error),
}

impl<E: Into<Error>> From<E> for Unfit {
    fn from(error: E) -> Self {
        Self::Storage(error.into())
    }
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) id: JournalId,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) delivered_below: u64,
    pub(super) birth: Option<String>,
    pub(super) index: Index,
}

/// Takes over what is in the file: makes the tables of a new one, brings an old one up to date.
/// Returns whether it was new.
pub(super) fn prepare(database: &Database, envoy: &Serial) -> Result<bool, Unfit> {
    if database.begin_read()?.list_tables()?.next().is_none() {
        begin(database, envoy)?;
        return Ok(true);
    }
    upgrade(database, UPGRADES)?;
    let transaction = database.begin_read()?;
    if meta(&transaction, ENVOY)?.as_deref() != Some(envoy.as_str()) {
        return Err(Unfit::Content(
            "it is the journal of another Envoy".to_owned(),
        ));
    }
    Ok(false)
}

/// Brings a file from whichever version it has to the last one that the steps lead to.
pub(super) fn upgrade(database: &Database, steps: &[Upgrade]) -> Result<(), Unfit> {
    let known = steps.len() + 1;
    let transaction = database.begin_read()?;
    let content = |text: &str| Unfit::Content(text.to_owned());
    let found: usize = meta(&transaction, FORMAT)?
        .and_then(|found| found.parse().ok())
        .ok_or_else(|| content("it has no version"))?;
    if found > known {
        return Err(Unfit::Newer { found });
    }
    let missing = found
        .checked_sub(1)
        .and_then(|done| steps.get(done..))
        .ok_or_else(|| content("it has a version that never was"))?;
    drop(transaction);
    if !missing.is_empty() {
        // In one transaction: a file is never between two versions.
        let transaction = database.begin_write()?;
        for step in missing {
            step(&transaction)?;
        }
        set_meta(&transaction, &[(FORMAT, &known.to_string())])?;
        transaction.commit()?;
    }
    Ok(())
}

fn begin(database: &Database, envoy: &Serial) -> Result<(), Error> {
    let id: JournalId = random::id();
    let transaction = database.begin_write()?;
    transaction.open_table(RECORDS)?;
    transaction.open_table(NEWEST)?;
    transaction.open_table(LAST)?;
    let meta = [
        (FORMAT, KNOWN.to_string()),
        (ID, id.as_str().to_owned()),
        (ENVOY, envoy.as_str().to_owned()),
        (LAST_SEQ, "0".to_owned()),
        (DELIVERED_BELOW, "1".to_owned()),
    ];
    for (key, value) in &meta {
        set_meta(&transaction, &[(key, value)])?;
    }
    transaction.commit()?;
    Ok(())
}

/// Reads what is in a prepared file.
pub(super) fn read(database: &Database) -> Result<Content, Unfit> {
    let transaction = database.begin_read()?;
    let lacking = |key: &str| Unfit::Content(format!("its {key} can't be read"));
    let number = |key: &str| -> Result<u64, Unfit> {
        meta(&transaction, key)?
            .and_then(|value| value.parse().ok())
            .filter(|number| *number <= MAX_SEQ)
            .ok_or_else(|| lacking(key))
    };
    let id = meta(&transaction, ID)?
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| lacking(ID))?;
    let mut index = Index::default();
    for row in transaction.open_table(NEWEST)?.iter()? {
        let (_, value) = row?;
        let (seq, bytes) = value.value();
        if let Some(record) = record::decode(bytes) {
            index.add(seq, &record);
        }
    }
    for row in transaction.open_table(LAST)?.iter()? {
        let (key, value) = row?;
        let (seq, seconds) = value.value();
        let time = ReportTime::from_unix_seconds(seconds);
        if let (Some(subject), Ok(at)) = (record::subject(key.value()), time) {
            index.add_last(&subject, seq, at);
        }
    }
    let records = transaction.open_table(RECORDS)?;
    let mut last = number(LAST_SEQ)?;
    let mut first = None;
    for row in records.iter()? {
        let (key, value) = row?;
        let seq = key.value();
        first.get_or_insert(seq);
        last = last.max(seq);
        if let Some(record) = record::decode(value.value()) {
            index.add(seq, &record);
        }
    }
    if last > MAX_SEQ || first == Some(0) {
        return Err(lacking("numbering"));
    }
    Ok(Content {
        id,
        first: first.unwrap_or(last + 1),
        last,
        delivered_below: number(DELIVERED_BELOW)?.clamp(1, last + 1),
        birth: meta(&transaction, BIRTH)?,
        index,
    })
}

/// Copies all records up to the number `last`, and what is kept of those that have left.
pub(super) fn copy(
    source: &ReadTransaction,
    target: &WriteTransaction,
    last: u64,
) -> Result<(), Error> {
    let mut records = target.open_table(RECORDS)?;
    for row in source.open_table(RECORDS)?.range(..=last)? {
        let (seq, record) = row?;
        records.insert(seq.value(), record.value())?;
    }
    let mut newest = target.open_table(NEWEST)?;
    for row in source.open_table(NEWEST)?.iter()? {
        let (serial, record) = row?;
        newest.insert(serial.value(), record.value())?;
    }
    let mut reported = target.open_table(LAST)?;
    for row in source.open_table(LAST)?.iter()? {
        let (serial, report) = row?;
        reported.insert(serial.value(), report.value())?;
    }
    Ok(())
}

fn meta(transaction: &ReadTransaction, key: &str) -> Result<Option<String>, Unfit> {
    match transaction.open_table(META) {
        Ok(table) => Ok(table.get(key)?.map(|value| value.value().to_owned())),
        Err(TableError::Storage(error)) => Err(error.into()),
        Err(error) => Err(Unfit::Content(error.to_string())),
    }
}

/// Writes entries of [`META`].
pub(super) fn set_meta(
    transaction: &WriteTransaction,
    entries: &[(&str, &str)],
) -> Result<(), Error> {
    let mut table = transaction.open_table(META)?;
    for (key, value) in entries {
        table.insert(key, value)?;
    }
    Ok(())
}
