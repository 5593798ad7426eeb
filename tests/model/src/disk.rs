//! The scraper's disk: a journal that keeps what the real one promises to keep, and what can happen to
//! it.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use scraper::delivery::{Beginning, Journal, Unreadable};
use wire::{JournalId, JournalSpan, Reading, ReportTime, Serial};

/// A journal file, or a journal in memory.
#[derive(Debug, Clone)]
struct File {
    id: JournalId,
    readings: Vec<Reading>,
    delivered_below: u64,
}

impl File {
    fn rename(&mut self, id: &JournalId) {
        self.id = id.clone();
        for reading in &mut self.readings {
            reading.journal = id.clone();
        }
    }
}

/// What somebody has done with the file.
#[derive(Debug, Default, PartialEq, Eq)]
enum FileState {
    /// Nothing.
    #[default]
    Sound,
    /// It is one that was put back, and nobody has noticed yet.
    PutBack,
    /// It has no name any more, and ends with the process that has it open.
    Unlinked,
}

/// What is on the disk and what is in memory. A process holds it by [`Rc`]; what it has in memory ends
/// with it.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    file: Option<File>,
    memory: Option<File>,
    state: FileState,
    /// The file as it was at some earlier times.
    copies: Vec<File>,
    /// Nothing can be written.
    pub(crate) full: bool,
    /// The last append is not durable: a process that is killed loses it.
    pub(crate) forgetful: bool,
    /// What the file had before its last append, where that is not durable.
    before: Option<File>,
    ids: u64,
    /// The ids that a journal had, each with the one after it.
    successions: Vec<(JournalId, JournalId)>,
    /// What was in a journal that is gone, by inverter and time: counted apart.
    pub(crate) gone: BTreeSet<(String, i64)>,
}

/// The handle that a scraper has.
pub(crate) type Shared = Rc<RefCell<Disk>>;

impl Disk {
    fn new_file(&mut self) -> File {
        self.ids += 1;
        File {
            id: format!("j{}", self.ids)
                .parse()
                .expect("letters and digits"),
            readings: Vec::new(),
            delivered_below: 1,
        }
    }

    fn current(&mut self) -> &mut File {
        if self.full {
            if self.memory.is_none() {
                self.memory = Some(self.new_file());
            }
            return self.memory.as_mut().expect("made above");
        }
        if self.file.is_none() {
            self.file = Some(self.new_file());
        }
        self.file.as_mut().expect("made above")
    }

    fn held(&self) -> impl Iterator<Item = &File> {
        let (first, second) = if self.full {
            (&self.memory, &self.file)
        } else {
            (&self.file, &self.memory)
        };
        first.iter().chain(second)
    }

    /// Ids are counted from here: two disks never make the same one.
    pub(crate) fn name_from(&mut self, number: u64) {
        self.ids = number;
    }

    /// A process begins: there is a journal.
    pub(crate) fn begin(&mut self) -> Beginning {
        if self.state == FileState::PutBack {
            self.state = FileState::Sound;
            let id = self.new_file().id;
            self.file.iter_mut().for_each(|file| file.rename(&id));
        }
        let file = self.current();
        let delivered_below = file.delivered_below;
        let mut newest: HashMap<wire::Subject, Reading> = HashMap::new();
        for reading in self.held().flat_map(|file| &file.readings) {
            let known = newest.get(&reading.subject());
            if known.is_none_or(|known| known.at() < reading.at()) {
                newest.insert(reading.subject(), reading.clone());
            }
        }
        Beginning {
            newest: newest.into_values().collect(),
            delivered_below,
        }
    }

    /// The last report of each inverter.
    pub(crate) fn last_reports(&self) -> HashMap<wire::Subject, ReportTime> {
        let readings = self.held().flat_map(|file| &file.readings);
        readings
            .map(|reading| (reading.subject(), reading.at()))
            .collect()
    }

    /// Writes the changes of a poll.
    pub(crate) fn append(&mut self, new: Vec<wire::Measured>, envoy: &Serial) -> Vec<Reading> {
        if new.is_empty() {
            return Vec::new();
        }
        self.before = self.file.clone().filter(|_| self.forgetful);
        let file = self.current();
        let numbers = file.readings.len() as u64 + 1..;
        let readings: Vec<Reading> = numbers
            .zip(new)
            .map(|(seq, measured)| measured.numbered(envoy.clone(), file.id.clone(), seq))
            .collect();
        file.readings.extend(readings.iter().cloned());
        readings
    }

    pub(crate) fn note_delivered(&mut self, journal: &JournalId, below: u64) {
        let file = self.current();
        if file.id == *journal {
            file.delivered_below = below;
        }
    }

    /// The process is killed: what was in memory is gone.
    pub(crate) fn killed(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.count_apart(&memory.readings);
        }
        if let Some(before) = self.before.take() {
            self.file = Some(before);
        }
        if self.state == FileState::Unlinked {
            self.state = FileState::Sound;
            self.remove();
        }
    }

    /// Somebody copies the file.
    pub(crate) fn copy(&mut self) {
        self.copies.extend(
            self.file
                .clone()
                .filter(|_| self.state != FileState::Unlinked),
        );
    }

    /// Somebody removes the file of a scraper that does not run.
    pub(crate) fn remove(&mut self) {
        if let Some(file) = self.file.take() {
            self.count_apart(&file.readings);
        }
    }

    /// Somebody removes the file, of a scraper that runs or not.
    pub(crate) fn unlink(&mut self, runs: bool) {
        if !runs {
            self.remove();
        } else if self.file.is_some() {
            self.state = FileState::Unlinked;
        }
    }

    /// Somebody puts the oldest copy back: as a file of its own, which shows, or with the whole disk.
    pub(crate) fn restore(&mut self, as_a_file: bool) {
        self.state = if as_a_file {
            FileState::PutBack
        } else {
            FileState::Sound
        };
        if let Some(copy) = self.copies.first().cloned() {
            self.remove();
            for reading in &copy.readings {
                self.gone.remove(&key(reading));
            }
            self.file = Some(copy);
        }
    }

    fn count_apart(&mut self, readings: &[Reading]) {
        self.gone.extend(readings.iter().map(key));
    }
}

/// What a reading is of: inverter and report time.
pub(crate) fn key(reading: &Reading) -> (String, i64) {
    let subject = reading.subject();
    let name = subject
        .inverter()
        .map_or_else(|| subject.to_string(), ToString::to_string);
    (name, reading.at().unix_seconds())
}

/// The journal as the delivery sees it.
#[derive(Debug, Clone)]
pub(crate) struct Held(pub(crate) Shared);

impl Journal for Held {
    fn spans(&self) -> Vec<JournalSpan> {
        let disk = self.0.borrow();
        disk.held()
            .map(|file| {
                JournalSpan::new(file.id.clone(), 1, file.readings.len() as u64)
                    .expect("numbers from 1")
            })
            .collect()
    }

    fn reading(&self, journal: &JournalId, seq: u64) -> Result<Option<Reading>, Unreadable> {
        let disk = self.0.borrow();
        let mut held = disk.held();
        let file = held.find(|file| file.id == *journal).ok_or(Unreadable)?;
        let place = usize::try_from(seq).expect("few").checked_sub(1);
        Ok(place.and_then(|place| file.readings.get(place).cloned()))
    }

    fn renew(&self, journal: &JournalId) -> Option<JournalId> {
        let mut disk = self.0.borrow_mut();
        let id = disk.new_file().id;
        let Disk { file, memory, .. } = &mut *disk;
        let mut held = file.iter_mut().chain(memory);
        let file = held.find(|file| file.id == *journal)?;
        file.rename(&id);
        disk.successions.push((journal.clone(), id.clone()));
        Some(id)
    }

    fn successor(&self, journal: &JournalId) -> Option<JournalId> {
        let disk = self.0.borrow();
        let mut last = None;
        while let Some((_, next)) = disk
            .successions
            .iter()
            .find(|(before, _)| before == last.unwrap_or(journal))
        {
            last = Some(next);
        }
        last.cloned()
    }
}
