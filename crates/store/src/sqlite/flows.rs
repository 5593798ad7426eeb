//! What a home makes, uses, exchanges and stores, as far as its gateway measures it: what was measured last,
//! powers over a time, and what counters have counted.
//!
//! Energy comes from the gateway's counters, not from powers: they count on while nobody reads them. So there are
//! no sums to keep beside these readings: what was counted in a day or a year is the difference of two readings,
//! which the key finds at once.

mod averages;

use rusqlite::{
    CachedStatement, Connection, OptionalExtension, Statement, params, params_from_iter,
};
use wire::{Kind, Measured, Serial};

use self::averages::{Averages, LONGEST_S};
use super::read::QueryError;
use super::{Sqlite, on_connection, tables};

/// A counter that is unknown in that many readings one after another is taken for one that is never known.
const UNKNOWN: i64 = 16;

/// A counter of the gateway, which rises for the whole life of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// What was used.
    Consumed,
    /// What was taken from the grid.
    Imported,
    /// What was given to it.
    Exported,
}

impl Counter {
    fn kind(self) -> Kind {
        match self {
            Self::Consumed => Kind::Consumption,
            Self::Imported | Self::Exported => Kind::Net,
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Consumed => "energy_lifetime_wh",
            Self::Imported => "energy_imported_wh",
            Self::Exported => "energy_exported_wh",
        }
    }
}

impl Sqlite {
    /// What was measured last of each subject of this kind, with its Envoy. Quick however many readings there are.
    pub async fn newest(&self, kind: Kind) -> Result<Vec<(Serial, Measured)>, QueryError> {
        let newest = on_connection(&self.reader, move |reader| {
            let (table, key) = (tables::table(kind), tables::key(kind));
            let (subject, time) = (of_subject(kind), key.last().copied().unwrap_or_default());
            let mut statement = reader.prepare_cached(&format!(
                "SELECT * FROM {table} WHERE {subject} ORDER BY {time} DESC LIMIT 1"
            ))?;
            let read = |named: Vec<String>| {
                statement.query_row(params_from_iter(named), |row| tables::measured(kind, row))
            };
            subjects(reader, kind)?.into_iter().map(read).collect()
        });
        Ok(newest.await?)
    }

    /// The average power of each of `edges.len() - 1` spans, in watts: of all subjects of this kind together, as far
    /// as they were measured then; none where none was. `edges` are Unix seconds and rise.
    pub async fn powers(
        &self,
        kind: Kind,
        edges: Vec<i64>,
    ) -> Result<Vec<Option<f64>>, QueryError> {
        let powers = on_connection(&self.reader, move |reader| {
            let mut together = vec![None; edges.len().saturating_sub(1)];
            let (Some(from), Some(until)) = (edges.first(), edges.last()) else {
                return Ok(together);
            };
            let (table, key) = (tables::table(kind), tables::key(kind));
            let (subject, time) = (of_subject(kind), key.last().copied().unwrap_or_default());
            let mut statement = reader.prepare_cached(&format!(
                "SELECT {time}, power_w FROM {table}
                 WHERE {subject} AND {time} BETWEEN {} AND {} AND power_w IS NOT NULL ORDER BY {time}",
                from - LONGEST_S,
                until + LONGEST_S
            ))?;
            for named in subjects(reader, kind)? {
                let mut averages = Averages::new(&edges);
                let mut rows = statement.query(params_from_iter(named))?;
                while let Some(row) = rows.next()? {
                    averages.take(row.get(0)?, row.get(1)?);
                }
                for (sum, own) in together.iter_mut().zip(averages.each()) {
                    *sum = both(*sum, own);
                }
            }
            Ok(together)
        });
        Ok(powers.await?)
    }

    /// What was counted in each of `edges.len() - 1` spans, in watt-hours, at all Envoys together; none where nothing
    /// was. `edges` are Unix seconds and rise.
    ///
    /// Between two readings a counter is taken to rise evenly. One that falls was set back and counts from there.
    pub async fn counted(
        &self,
        counter: Counter,
        edges: Vec<i64>,
    ) -> Result<Vec<Option<f64>>, QueryError> {
        let rises = on_connection(&self.reader, move |reader| {
            let mut together = vec![None; edges.len().saturating_sub(1)];
            for named in subjects(reader, counter.kind())? {
                let envoy = &named[0];
                let mut levels = Levels::new(reader, counter, envoy)?;
                let levels = edges.iter().map(|edge| levels.at(*edge));
                let levels: Vec<Level> = levels.collect::<rusqlite::Result<_>>()?;
                for ((pair, span), sum) in
                    levels.windows(2).zip(edges.windows(2)).zip(&mut together)
                {
                    let own = match (pair[0].after, pair[1].before) {
                        (Some(begin), Some(end)) if end >= begin => Some(end - begin),
                        (Some(_), Some(_)) => {
                            Some(risen(reader, counter, envoy, span[0], span[1])?)
                        }
                        _ => None,
                    };
                    *sum = both(*sum, own);
                }
            }
            Ok(together)
        });
        Ok(rises.await?)
    }
}

/// What a counter shows at a moment: at the end of the time before it, and at the beginning of that after it. They
/// differ where it was set back just then. Each is unknown where there is no reading on its side.
#[derive(Debug, Clone, Copy)]
struct Level {
    before: Option<f64>,
    after: Option<f64>,
}

/// Finds what a counter of an Envoy shows at one moment after the other.
struct Levels<'a> {
    envoy: &'a str,
    before: CachedStatement<'a>,
    after: CachedStatement<'a>,
}

impl<'a> Levels<'a> {
    fn new(reader: &'a Connection, counter: Counter, envoy: &'a str) -> rusqlite::Result<Self> {
        let (table, column) = (tables::table(counter.kind()), counter.column());
        let nearest = |beyond: &str, order: &str| {
            reader.prepare_cached(&format!(
                "SELECT measured_at, {column} FROM {table}
                 WHERE envoy = ?1 AND measured_at {beyond} ?2 ORDER BY measured_at {order} LIMIT {UNKNOWN}"
            ))
        };
        Ok(Self {
            envoy,
            before: nearest("<=", "DESC")?,
            after: nearest(">", "ASC")?,
        })
    }

    fn at(&mut self, at: i64) -> rusqlite::Result<Level> {
        let before = known(&mut self.before, self.envoy, at)?;
        let after = known(&mut self.after, self.envoy, at)?;
        Ok(match (before, after) {
            (Some((earlier, low)), Some((later, high))) if high >= low => {
                let share = seconds(at - earlier) / seconds(later - earlier);
                let level = Some(low + (high - low) * share);
                Level {
                    before: level,
                    after: level,
                }
            }
            (low, high) => Level {
                before: low.map(|(_, low)| low),
                after: high.map(|(_, high)| high),
            },
        })
    }
}

/// The first of the found readings in which the counter is known. Mostly it is the first of all: the others are not
/// even read.
fn known(
    statement: &mut Statement<'_>,
    envoy: &str,
    at: i64,
) -> rusqlite::Result<Option<(i64, f64)>> {
    let mut rows = statement.query(params![envoy, at])?;
    while let Some(row) = rows.next()? {
        if let Some(counted) = row.get(1)? {
            return Ok(Some((row.get(0)?, counted)));
        }
    }
    Ok(None)
}

/// By how much a counter that fell has risen all the same, from reading to reading.
fn risen(
    reader: &Connection,
    counter: Counter,
    envoy: &str,
    from: i64,
    until: i64,
) -> rusqlite::Result<f64> {
    let (table, column) = (tables::table(counter.kind()), counter.column());
    let mut statement = reader.prepare_cached(&format!(
        "SELECT total(max(0, counted - before)) FROM (
             SELECT {column} AS counted, lag({column}) OVER (ORDER BY measured_at) AS before FROM {table}
             WHERE envoy = ?1 AND measured_at BETWEEN ?2 AND ?3 AND {column} IS NOT NULL
         ) WHERE before IS NOT NULL"
    ))?;
    statement.query_row(params![envoy, from, until], |row| row.get(0))
}

/// What readings of a kind are of: Envoys, or devices each with its Envoy. Quick however many readings there are: it
/// goes from one to the next by the key.
pub(super) fn subjects(reader: &Connection, kind: Kind) -> rusqlite::Result<Vec<Vec<String>>> {
    let table = tables::table(kind);
    let named = names(kind);
    let (columns, places) = (named.join(", "), vec!["?"; named.len()].join(", "));
    let mut statement = reader.prepare_cached(&format!(
        "SELECT {columns} FROM {table} WHERE ({columns}) > ({places}) ORDER BY {columns} LIMIT 1"
    ))?;
    let mut found = Vec::new();
    // No name is empty.
    let mut last = vec![String::new(); named.len()];
    loop {
        let row = statement.query_row(params_from_iter(&last), |row| {
            (0..named.len()).map(|column| row.get(column)).collect()
        });
        let Some(next) = row.optional()? else {
            return Ok(found);
        };
        last.clone_from(&next);
        found.push(next);
    }
}

/// The columns that name what a reading of this kind is of.
fn names(kind: Kind) -> &'static [&'static str] {
    let key = tables::key(kind);
    &key[..key.len() - 1]
}

/// The condition of a query for one of [`subjects`].
fn of_subject(kind: Kind) -> String {
    let equals = names(kind).iter().map(|name| format!("{name} = ?"));
    equals.collect::<Vec<_>>().join(" AND ")
}

/// The sum of what is known.
fn both(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
fn seconds(seconds: i64) -> f64 {
    seconds as f64
}
