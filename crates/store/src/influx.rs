//! The writer for `InfluxDB` 2, and for all that speaks its `/api/v2/write`.
//!
//! What the server answers to a piece of a batch is judged by `verdict`, which lines are to blame
//! for a refusal is found by `search`; both are pure. Here they are driven.
//!
//! Whose fault is a refusal? A line that can never be stored must not block those behind it, and
//! a set-up at fault (a missing organisation, a proxy's own 400, a field that already exists with
//! another type) must not make dead letters of everything. So a line is given up only if the
//! server, just then, accepts again the line of its measurement that it accepted last, the witness.

mod connection;
mod failure;
mod probe;
mod search;
mod settings;
mod tls;
mod token;
mod verdict;

#[doc(hidden)]
pub mod fuzzing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

pub use probe::{CHECK_MEASUREMENT, Finding, Outcome};
pub use settings::{Settings, SettingsError, TokenSource};
use trust::OutOfDate;
use wire::{Health, Reading};

use self::connection::{Answer, Connection};
use self::search::{Search, Suspect};
use self::verdict::Refusal;
use crate::line;
use crate::write::{HealthError, Store, Unstorable, WriteError, Written};

/// What to look at when the server refuses points that nothing is wrong with.
const REMEDY: &str = "check INFLUX_ORG and INFLUX_BUCKET, whether the fields of inverterPower \
     or of the other measurements exist with another type, and whether a proxy in between answers by itself";

/// What to do about a limit that not even one line keeps to.
const SIZE: &str = "raise the limit on the size of a request, at the server or a proxy before it";

/// A bucket that readings are written to.
#[derive(Debug)]
pub struct InfluxDb {
    connection: Connection,
    identity: String,
    /// The line of each measurement that the server accepted last: it keeps the types of fields per
    /// measurement.
    witnesses: Mutex<BTreeMap<&'static str, String>>,
}

/// The points of a batch as they are sent, in one text.
#[derive(Debug)]
struct Lines<'a> {
    readings: &'a [Reading],
    text: String,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// What most lines have room in.
    const LINE: usize = 128;

    fn of(readings: &'a [Reading]) -> Self {
        let mut text = String::with_capacity(readings.len() * Self::LINE);
        let mut ends = Vec::with_capacity(readings.len());
        for reading in readings {
            line::append(&mut text, reading);
            ends.push(text.len());
        }
        Self {
            readings,
            text,
            ends,
        }
    }

    fn text(&self, index: usize) -> &str {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin..self.ends[index]]
    }

    fn measurement(&self, index: usize) -> &'static str {
        line::measurement(&self.readings[index])
    }
}

impl InfluxDb {
    /// A writer with these settings. Nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            identity: settings::write_url(&settings)?.to_string(),
            connection: Connection::new(settings)?,
            witnesses: Mutex::default(),
        })
    }

    /// Which store this is: address, organisation and bucket. Another one begins without marks.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The CAs of its file that were not trusted when it was read: expired, or not valid yet.
    #[must_use]
    pub fn out_of_date(&self) -> &[OutOfDate] {
        &self.connection.out_of_date
    }

    /// Tries step by step what writing needs, for a person who wants to know. A step that fails is
    /// the last one; what was not tried is not in the list.
    ///
    /// It writes one point of the measurement [`CHECK_MEASUREMENT`], and leaves it there.
    pub async fn probe(&self) -> Vec<Finding> {
        probe::run(&self.connection).await
    }

    /// Any line that was accepted: it shows whether the server refuses everything.
    fn any_witness(&self) -> Option<(&'static str, String)> {
        let witnesses = self.lock();
        let first = witnesses.first_key_value();
        first.map(|(measurement, line)| (*measurement, line.clone()))
    }

    /// The line of this measurement that was accepted last.
    fn witness(&self, measurement: &'static str) -> Option<(&'static str, String)> {
        let witness = self.lock().get(measurement).cloned();
        witness.map(|line| (measurement, line))
    }

    fn accepted(&self, lines: &Lines<'_>, piece: &[usize]) {
        let mut witnesses = self.lock();
        let last: BTreeMap<_, _> = piece
            .iter()
            .map(|&index| (lines.measurement(index), index))
            .collect();
        for (measurement, index) in last {
            witnesses.insert(measurement, lines.text(index).to_owned());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.witnesses
            .lock()
            .expect("nothing that holds this lock can panic: it only moves strings")
    }

    /// Whether the server accepts `witness` again; if not, the fault is not the lines'.
    async fn accepts_again(
        &self,
        (measurement, witness): (&'static str, String),
    ) -> Result<(), WriteError> {
        match self.connection.post([witness.as_str()]).await? {
            Answer::Stored => Ok(()),
            // It has grown older than the bucket keeps anything, and proves nothing any more.
            Answer::Refused(refusal) if refusal.is_retention => {
                self.lock().remove(measurement);
                Err(unproven(&refusal.reason))
            }
            Answer::Refused(Refusal { reason, .. }) | Answer::TooLarge { reason } => {
                Err(WriteError::Configuration {
                    problem: format!("it refuses what it accepted before: {reason}"),
                    remedy: REMEDY.to_owned(),
                })
            }
        }
    }

    /// Writes each suspect once more, and gives up those refused again, if the server accepts
    /// the witnesses of their measurements right after.
    async fn settle(
        &self,
        suspects: Vec<Suspect>,
        lines: &Lines<'_>,
        mut outside_retention: usize,
    ) -> Result<Written, WriteError> {
        let mut unstorable = Vec::new();
        if !suspects.is_empty() {
            for Suspect { index, reason } in &suspects {
                if self.witness(lines.measurement(*index)).is_none() {
                    return Err(unproven(reason));
                }
            }
            for Suspect { index, .. } in suspects {
                match self.connection.post([lines.text(index)]).await? {
                    Answer::Stored => {}
                    Answer::Refused(refusal) if refusal.is_retention => outside_retention += 1,
                    Answer::Refused(Refusal { reason, .. }) => {
                        unstorable.push(Unstorable { index, reason });
                    }
                    Answer::TooLarge { reason } => return Err(too_small_a_limit(&reason)),
                }
            }
            let of = |one: &Unstorable| lines.measurement(one.index);
            for measurement in unstorable.iter().map(of).collect::<BTreeSet<_>>() {
                if let Some(witness) = self.witness(measurement) {
                    self.accepts_again(witness).await?;
                }
            }
            unstorable.sort_by_key(|unstorable| unstorable.index);
        }
        Ok(Written {
            unstorable,
            outside_retention,
        })
    }
}

impl Store for InfluxDb {
    /// Without the search for bad lines: what is refused today is another state tomorrow.
    async fn keep_healths(&self, healths: &[Health]) -> Result<(), HealthError> {
        let lines: Vec<_> = healths.iter().flat_map(line::health::render).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let lines = lines.iter().map(String::as_str);
        match self.connection.post(lines).await? {
            Answer::Stored => Ok(()),
            Answer::Refused(refusal) if refusal.is_retention => Ok(()),
            Answer::Refused(Refusal { reason, .. }) | Answer::TooLarge { reason } => {
                Err(HealthError::Refused(reason))
            }
        }
    }

    async fn answers(&self) -> bool {
        probe::answers(&self.connection).await
    }

    async fn write(&self, readings: &[Reading]) -> Result<Written, WriteError> {
        let lines = Lines::of(readings);
        let mut search = Search::new(readings.iter().map(Reading::at).collect());
        while let Some(piece) = search.next_piece() {
            let body = piece.iter().map(|&index| lines.text(index));
            match self.connection.post(body).await? {
                Answer::Stored => {
                    search.accepted();
                    self.accepted(&lines, &piece);
                }
                Answer::Refused(refusal) => {
                    if !refusal.is_retention && search.needs_proof() {
                        match self.any_witness() {
                            Some(witness) => {
                                self.accepts_again(witness).await?;
                                search.accepted();
                            }
                            None if search.is_fruitless() => return Err(unproven(&refusal.reason)),
                            None => {}
                        }
                    }
                    search.refused(&piece, refusal);
                }
                Answer::TooLarge { reason } => search
                    .too_large(&piece)
                    .map_err(|_| too_small_a_limit(&reason))?,
            }
        }
        let (suspects, outside_retention) = search.finish();
        self.settle(suspects, &lines, outside_retention).await
    }
}

fn unproven(reason: &str) -> WriteError {
    WriteError::Unproven {
        problem: reason.to_owned(),
        remedy: REMEDY.to_owned(),
    }
}

fn too_small_a_limit(reason: &str) -> WriteError {
    WriteError::Configuration {
        problem: format!("a single line of some hundred bytes is too large for it: {reason}"),
        remedy: SIZE.to_owned(),
    }
}
