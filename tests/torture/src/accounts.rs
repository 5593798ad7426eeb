//! Who had what when: each reading from the Envoy's answer to the database's. Pure.

use std::collections::{BTreeMap, BTreeSet};

use influxdb_line_protocol::parse_lines;
use jiff::Timestamp;
use rig::ledger::{Report, Shown};
use rig::tap::Written;

/// What tells readings apart: Envoy, inverter, and time of the report in seconds since 1970.
pub type Key = (String, String, i64);

/// What tells this report from others.
#[must_use]
pub fn key(report: &Report) -> Key {
    let (envoy, inverter) = (report.envoy.clone(), report.inverter.clone());
    (envoy, inverter, report.reported_at)
}

/// The readings of a run.
#[derive(Debug, Default)]
pub struct Accounts {
    readings: BTreeMap<Key, Reading>,
    /// Of what nobody ever showed.
    strange_writes: usize,
    /// When the receiver's state was removed.
    state_removed: Vec<Timestamp>,
    /// Readings that only a journal had which is gone now.
    gone: BTreeSet<Key>,
}

#[derive(Debug)]
struct Reading {
    report: Report,
    shown_at: Timestamp,
    /// When the database said that it has it: the receiver's writes.
    written_at: Vec<Timestamp>,
    /// The first time that it was written by whomever.
    stored_at: Option<Timestamp>,
}

impl Accounts {
    /// The Envoy has shown these.
    pub fn shown(&mut self, shown: impl IntoIterator<Item = Shown>) {
        for Shown { report, at } in shown {
            self.readings.entry(key(&report)).or_insert(Reading {
                report,
                shown_at: at,
                written_at: Vec::new(),
                stored_at: None,
            });
        }
    }

    /// The database has accepted these; `counts` is whether they are the receiver's own writes, and
    /// not those of a second one.
    ///
    /// # Panics
    /// When a line is no point of an inverter.
    pub fn written(&mut self, written: &[Written], counts: bool) {
        for Written { line, at } in written {
            let key = key_of(line).unwrap_or_else(|| panic!("no point of an inverter: {line}"));
            match self.readings.get_mut(&key) {
                Some(reading) => {
                    reading.stored_at = reading.stored_at.or(Some(*at));
                    if counts {
                        reading.written_at.push(*at);
                    }
                }
                None => self.strange_writes += 1,
            }
        }
    }

    /// The receiver's state was removed: from now on it writes each reading once more.
    pub fn state_was_removed(&mut self, at: Timestamp) {
        self.state_removed.push(at);
    }

    /// The journal of this Envoy's scraper is gone: what was not stored yet, nobody may have any more.
    pub fn journal_is_gone(&mut self, envoy: &str) {
        let only_there = |(key, reading): (&Key, &Reading)| {
            (key.0 == envoy && reading.stored_at.is_none()).then(|| key.clone())
        };
        let gone = self.readings.iter().filter_map(only_there);
        self.gone.extend(gone);
    }

    /// How many readings were shown.
    #[must_use]
    pub fn len(&self) -> usize {
        self.readings.len()
    }

    /// Whether none was shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    /// What was shown and is not stored, but for what only a journal had that is gone.
    #[must_use]
    pub fn missing(&self) -> Vec<Key> {
        let missing = self
            .readings
            .iter()
            .filter(|(key, reading)| reading.stored_at.is_none() && !self.gone.contains(*key));
        missing.map(|(key, _)| key.clone()).collect()
    }

    /// How many readings, of one Envoy or of all, were shown but not yet stored in this time.
    #[must_use]
    pub fn at_stake(&self, from: Timestamp, until: Timestamp, envoy: Option<&str>) -> usize {
        self.in_between(from, until, envoy).count()
    }

    /// Those of `keys` that were at stake in this time.
    #[must_use]
    pub fn of_these(
        &self,
        keys: &BTreeSet<Key>,
        from: Timestamp,
        until: Timestamp,
        envoy: Option<&str>,
    ) -> usize {
        let concerned = self.in_between(from, until, envoy);
        concerned.filter(|key| keys.contains(*key)).count()
    }

    fn in_between(
        &self,
        from: Timestamp,
        until: Timestamp,
        envoy: Option<&str>,
    ) -> impl Iterator<Item = &Key> {
        let readings = self.readings.iter().filter(move |(key, reading)| {
            envoy.is_none_or(|envoy| key.0 == envoy)
                && reading.shown_at <= until
                && reading.stored_at.is_none_or(|stored| stored >= from)
        });
        readings.map(|(key, _)| key)
    }

    /// How often the receiver wrote a reading that is stored, on average; once more for each time that
    /// its state was removed does not count.
    #[must_use]
    pub fn writes_per_reading(&self) -> f64 {
        let stored = self.readings.values().filter(|r| !r.written_at.is_empty());
        let (mut readings, mut writes) = (0, 0);
        for reading in stored {
            readings += 1;
            let first = reading.written_at.iter().min();
            let removed = self.state_removed.iter();
            let refills = removed.filter(|at| Some(*at) > first).count();
            writes += reading.written_at.len().saturating_sub(refills).max(1);
        }
        ratio(writes, readings)
    }

    /// The newest report that each inverter's plain topic has to show, by topic, or a newer one: the
    /// newest of those shown after `since`, and in any case the one that is on show.
    #[must_use]
    pub fn least_on_plain_topics(&self, envoy: &str, since: Timestamp) -> BTreeMap<String, i64> {
        let mut on_show: BTreeMap<&str, &Reading> = BTreeMap::new();
        let mut least: BTreeMap<String, i64> = BTreeMap::new();
        let topic = |inverter: &str| format!("envoy/{envoy}/inverters/{inverter}");
        for ((_, inverter, at), reading) in self.readings.iter().filter(|(key, _)| key.0 == envoy) {
            let shown = on_show.entry(inverter).or_insert(reading);
            if reading.shown_at > shown.shown_at {
                *shown = reading;
            }
            if reading.shown_at > since {
                let newest = least.entry(topic(inverter)).or_insert(*at);
                *newest = (*newest).max(*at);
            }
        }
        for (inverter, reading) in on_show {
            let at = reading.report.reported_at;
            let newest = least.entry(topic(inverter)).or_insert(at);
            *newest = (*newest).max(at);
        }
        least
    }

    /// Compares with what the database holds in the end.
    #[must_use]
    pub fn compare(&self, stored: &[Report]) -> Comparison {
        let stored: BTreeMap<Key, &Report> = stored.iter().map(|each| (key(each), each)).collect();
        let absent: BTreeSet<Key> = self
            .readings
            .keys()
            .filter(|key| !stored.contains_key(*key))
            .cloned()
            .collect();
        let differs = |(key, reading): (&Key, &Reading)| {
            let differs = stored.get(key).is_some_and(|it| **it != reading.report);
            differs.then(|| key.clone())
        };
        Comparison {
            lost: absent.difference(&self.gone).cloned().collect(),
            lost_with_journal: absent.intersection(&self.gone).count(),
            altered: self.readings.iter().filter_map(differs).collect(),
            strange: stored
                .keys()
                .filter(|key| !self.readings.contains_key(*key))
                .count()
                + self.strange_writes,
        }
    }
}

/// The ledgers beside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Shown, and not stored.
    pub lost: BTreeSet<Key>,
    /// Shown, and not stored, since the journal that alone had them was taken away.
    pub lost_with_journal: usize,
    /// Stored with other values than were shown.
    pub altered: BTreeSet<Key>,
    /// Stored, and never shown.
    pub strange: usize,
}

/// The reading that a line of line protocol is about.
fn key_of(line: &str) -> Option<Key> {
    let point = parse_lines(line).next()?.ok()?;
    let tag = |name: &str| {
        let tags = point.series.tag_set.as_ref()?;
        let tag = tags.iter().find(|(key, _)| *key == name)?;
        Some(tag.1.to_string())
    };
    (point.series.measurement == "inverterPower")
        .then(|| Some((tag("envoySerial")?, tag("serial")?, point.timestamp?)))?
}

#[expect(clippy::cast_precision_loss, reason = "both are small")]
fn ratio(writes: usize, readings: usize) -> f64 {
    writes as f64 / readings.max(1) as f64
}

#[cfg(test)]
mod tests;
