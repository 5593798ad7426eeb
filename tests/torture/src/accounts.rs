//! Who had what when: each reading from the Envoy's answer to the database's. Pure.

use std::collections::{BTreeMap, BTreeSet};

use influxdb_line_protocol::{FieldValue, parse_lines};
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
    /// What was written and is not known to have been shown: the ledger may come later.
    unmatched: Vec<(Written, bool)>,
    /// What was written with other values than were shown, though it may have been put right since.
    altered_writes: BTreeSet<Key>,
    /// When the receiver's state was removed.
    state_removed: Vec<Timestamp>,
    /// Readings that only a journal had, and when that was taken away.
    gone: BTreeMap<Key, Timestamp>,
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
    /// not those of a second one. Of points of other measurements there is no ledger: what the site makes comes
    /// of the reports.
    ///
    /// # Panics
    /// When a line of an inverter's measurement is no point of one.
    pub fn written(&mut self, written: Vec<Written>, counts: bool) {
        self.unmatched
            .extend(written.into_iter().map(|each| (each, counts)));
        for (written, counts) in std::mem::take(&mut self.unmatched) {
            if !written.line.starts_with("inverterPower,") {
                continue;
            }
            let report = point(&written.line)
                .unwrap_or_else(|| panic!("no point of an inverter: {}", written.line));
            let key = key(&report);
            let Some(reading) = self.readings.get_mut(&key) else {
                self.unmatched.push((written, counts));
                continue;
            };
            if reading.report != report {
                self.altered_writes.insert(key);
            }
            let first = reading.stored_at.unwrap_or(written.at);
            reading.stored_at = Some(first.min(written.at));
            if counts {
                reading.written_at.push(written.at);
            }
        }
    }

    /// The receiver's state was removed: from now on it writes each reading once more.
    pub fn state_was_removed(&mut self, at: Timestamp) {
        self.state_removed.push(at);
    }

    /// The journal of this Envoy's scraper is gone: what was not stored yet, nobody may have any more,
    /// but for what the Envoy still shows, and for those that the broker is `known` to have.
    pub fn journal_is_gone(&mut self, envoy: &str, at: Timestamp, known: impl Fn(&Key) -> bool) {
        let on_show = self.on_show(envoy);
        let only_there = |(key, reading): (&Key, &Reading)| {
            let is = key.0 == envoy
                && reading.stored_at.is_none()
                && on_show
                    .get(key.1.as_str())
                    .is_none_or(|shown| *shown != key.2)
                && !known(key);
            is.then(|| (key.clone(), at))
        };
        let gone: Vec<_> = self.readings.iter().filter_map(only_there).collect();
        self.gone.extend(gone);
    }

    /// The time of the report that each inverter shows, by inverter.
    fn on_show(&self, envoy: &str) -> BTreeMap<&str, i64> {
        let mut on_show: BTreeMap<&str, &Reading> = BTreeMap::new();
        for ((_, inverter, _), reading) in self.readings.iter().filter(|(key, _)| key.0 == envoy) {
            let shown = on_show.entry(inverter).or_insert(reading);
            if reading.shown_at > shown.shown_at {
                *shown = reading;
            }
        }
        let times = on_show.into_iter();
        times
            .map(|(inverter, reading)| (inverter, reading.report.reported_at))
            .collect()
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
            .filter(|(key, reading)| reading.stored_at.is_none() && !self.gone.contains_key(*key));
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
                && reading
                    .stored_at
                    .or(self.gone.get(*key).copied())
                    .is_none_or(|end| end >= from)
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
            writes += reading.written_at.len() - self.refills(&reading.written_at);
        }
        ratio(writes, readings)
    }

    /// How many of these writes were the first one after the state was removed, of what was written before.
    fn refills(&self, written_at: &[Timestamp]) -> usize {
        let first = written_at.iter().min();
        let removed = self.state_removed.iter().filter(|at| Some(*at) > first);
        let next: BTreeSet<_> = removed
            .filter_map(|removed| written_at.iter().filter(|at| *at > removed).min())
            .collect();
        next.len()
    }

    /// The newest report that each inverter's plain topic has to show, by topic, or a newer one: the
    /// newest of those shown after `since`, and in any case the one that is on show.
    #[must_use]
    pub fn least_on_plain_topics(&self, envoy: &str, since: Timestamp) -> BTreeMap<String, i64> {
        let mut least: BTreeMap<String, i64> = BTreeMap::new();
        let topic = |inverter: &str| format!("envoy/{envoy}/inverters/{inverter}");
        let since = self
            .readings
            .iter()
            .filter(|(key, reading)| key.0 == envoy && reading.shown_at > since)
            .map(|((_, inverter, at), _)| (inverter.as_str(), *at));
        for (inverter, at) in since.chain(self.on_show(envoy)) {
            let newest = least.entry(topic(inverter)).or_insert(at);
            *newest = (*newest).max(at);
        }
        least
    }

    /// Compares with what the database holds in the end.
    #[must_use]
    pub fn compare(&self, stored: &[Report]) -> Comparison {
        let keys: BTreeSet<Key> = stored.iter().map(key).collect();
        let absent: BTreeSet<Key> = self
            .readings
            .keys()
            .filter(|key| !keys.contains(*key))
            .cloned()
            .collect();
        let (lost_with_journal, lost): (BTreeSet<Key>, BTreeSet<Key>) = absent
            .into_iter()
            .partition(|key| self.gone.contains_key(key));
        let differs = |report: &&Report| {
            let shown = self.readings.get(&key(report));
            shown.is_some_and(|shown| shown.report != **report)
        };
        let mut altered: BTreeSet<Key> = stored.iter().filter(differs).map(key).collect();
        altered.extend(self.altered_writes.iter().cloned());
        let known = keys.iter().filter(|key| self.readings.contains_key(*key));
        Comparison {
            lost,
            lost_with_journal: lost_with_journal.len(),
            altered,
            // A second point of one reading is as strange as a point of none.
            strange: stored.len() - known.count() + self.unmatched.len(),
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

/// The report that a line of line protocol says.
fn point(line: &str) -> Option<Report> {
    let point = parse_lines(line).next()?.ok()?;
    let tag = |name: &str| {
        let tags = point.series.tag_set.as_ref()?;
        let tag = tags.iter().find(|(key, _)| *key == name)?;
        Some(tag.1.to_string())
    };
    let watts = |name: &str| match point.field_value(name)? {
        FieldValue::I64(watts) => i32::try_from(*watts).ok(),
        _ => None,
    };
    let kind = tag("type").map(|kind| kind.parse());
    let is_inverter = point.series.measurement == "inverterPower";
    is_inverter.then(|| {
        Some(Report {
            envoy: tag("envoySerial")?,
            inverter: tag("serial")?,
            reported_at: point.timestamp?,
            device_type: kind.transpose().ok()?,
            power_w: watts("power")?,
            peak_power_w: watts("maxPower")?,
        })
    })?
}

#[expect(clippy::cast_precision_loss, reason = "both are small")]
fn ratio(writes: usize, readings: usize) -> f64 {
    writes as f64 / readings.max(1) as f64
}

#[cfg(test)]
mod tests;
