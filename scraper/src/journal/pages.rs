//! The pages of the file: how many are in use, and how they get free.

use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Database, Error, ReadableTable};

use super::format;
use super::index::Index;
use super::opening::Failure;
use super::record;
use super::space::{Space, Step};

/// What a record takes in a page beside its own bytes: its number and where it lies.
const OVERHEAD: u64 = 16;

/// How often room is looked for before the file is said to be full: the second time follows a
/// pruning, and the others are for pages that are scattered.
pub(super) const ATTEMPTS: u32 = 10;

/// What a record takes, in bytes.
pub(super) fn taken(record: &[u8]) -> u64 {
    record.len() as u64 + OVERHEAD
}

pub(super) fn used_pages(database: &Database) -> Result<u64, Error> {
    let transaction = database.begin_write()?;
    let used = transaction.stats()?.allocated_pages();
    transaction.abort()?;
    Ok(used)
}

/// Removes the lowest records that together take `bytes`, in one transaction; the newest and the
/// last of each subject are kept apart. Returns the lowest number that is left.
pub(super) fn prune(database: &Database, index: &Index, bytes: u64) -> Result<Option<u64>, Error> {
    let transaction = database.begin_write()?;
    let first = {
        let mut records = transaction.open_table(format::RECORDS)?;
        let mut newest = transaction.open_table(format::NEWEST)?;
        let mut last = transaction.open_table(format::LAST)?;
        let mut removed = 0;
        let mut upto = 0;
        for row in records.iter()? {
            let (seq, value) = row?;
            if removed >= bytes {
                break;
            }
            upto = seq.value();
            removed += taken(value.value());
            let Some(record) = record::decode(value.value()) else {
                continue;
            };
            let subject = record.subject();
            let key = record::key(&subject);
            if index.is_newest(&subject, upto) {
                newest.insert(key.as_str(), (upto, value.value()))?;
            }
            if index.is_last(&subject, upto) {
                let seconds = record.at().unix_seconds();
                last.insert(key.as_str(), (upto, seconds))?;
            }
        }
        records.retain_in(..=upto, |_, _| false)?;
        records.first()?.map(|(seq, _)| seq.value())
    };
    transaction.commit()?;
    // redb uses the pages that this gave up after the next transaction.
    database.begin_write()?.commit()?;
    Ok(first)
}

/// Makes a file that is too long, because its size was set lower, short enough.
pub(super) fn fit(database: &mut Database, length: &AtomicU64, size: u64) -> Result<(), Failure> {
    if length.load(Ordering::Relaxed) <= size {
        return Ok(());
    }
    let index = format::read(database)?.index;
    for _ in 0..ATTEMPTS {
        let used = used_pages(database)?;
        match (Space {
            size,
            length: size,
            used,
        })
        .next(0)
        {
            Step::Prune { bytes } => drop(prune(database, &index, bytes)?),
            Step::Append { .. } | Step::Extend { .. } => break,
        }
    }
    database.compact().map_err(Error::from)?;
    Ok(())
}
