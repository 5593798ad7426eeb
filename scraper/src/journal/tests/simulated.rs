//! A disk that loses its power, fills up, and fails, when told to.
//!
//! Writes are kept apart until the next sync: a power failure keeps any subset of their sectors.

mod backend;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal::medium::{Medium, Opened};
use backend::Backend;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What a disk writes as a whole, in bytes.
const SECTOR: usize = 512;

/// How long a test waits for what must happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// How an operation that changes the disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not done.
    Undone,
    /// It is done all the same.
    Done,
    /// What it should have synced can be read until the power fails, and is then gone.
    Forgotten,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they have nothing to do with each other"
)]
struct State {
    /// What survives a power failure.
    durable: Vec<u8>,
    /// What can be read.
    present: Vec<u8>,
    /// What leads from the one to the other.
    unsynced: Vec<Change>,
    /// Files of an earlier life of the process do nothing any more.
    life: u32,
    /// Operations until the fault, the fault, and how many operations fail.
    fault: Option<(u32, Fault, u32)>,
    /// The longest that the file was.
    longest: usize,
    set_aside: u32,
    read_only: bool,
    /// Whether the file was changed since it was opened.
    is_changed: bool,
    /// Whether something was read of it, before that, which the next power failure might take away.
    unsynced_was_read: bool,
    /// Syncs wait, and whether one does.
    held: bool,
    waiting: bool,
}

/// A disk with one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Simulated(Arc<(Mutex<State>, Condvar)>);

impl Simulated {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> Box<dyn Opened> {
        let mut state = self.state();
        state.is_changed = false;
        let life = state.life;
        let disk = self.clone();
        Box::new(Backend { disk, life })
    }

    /// The process is killed: what it has written is there.
    pub(super) fn kill(&self) {
        let mut state = self.state();
        state.life += 1;
        state.fault = None;
        state.unsynced_was_read = false;
    }

    /// The power fails: of what is not synced some sectors are written, and some not.
    pub(super) fn lose_power(&self, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        // Now and then all or nothing but one, which chance seldom finds.
        let share = [0.0, 0.05, 0.5, 0.95, 1.0][random.random_range(0..5)];
        let mut state = self.state();
        state.life += 1;
        state.fault = None;
        for change in std::mem::take(&mut state.unsynced) {
            match change {
                Change::Length(length) if random.random_bool(share) => {
                    state.durable.resize(length, 0);
                }
                Change::Length(_) => {}
                Change::Write(offset, data) => {
                    for (part, sector) in data.chunks(SECTOR).enumerate() {
                        if random.random_bool(share) {
                            write(&mut state.durable, offset + part * SECTOR, sector);
                        }
                    }
                }
            }
        }
        state.present = state.durable.clone();
    }

    /// The operation that comes after `after` others fails, and `count` - 1 that follow it.
    pub(super) fn fail(&self, after: u32, fault: Fault, count: u32) {
        self.state().fault = Some((after, fault, count));
    }

    /// The disk works again.
    pub(super) fn mend(&self) {
        self.state().fault = None;
    }

    /// What the file has, for a copy.
    pub(super) fn content(&self) -> Vec<u8> {
        self.state().durable.clone()
    }

    /// Somebody puts a copy in the place of the file.
    pub(super) fn put_back(&self, copy: Vec<u8>) {
        let mut state = self.state();
        state.empty();
        state.present.clone_from(&copy);
        state.durable = copy;
    }

    /// Somebody removes the file. The next opening makes a new one.
    pub(super) fn remove(&self) {
        self.state().empty();
    }

    /// From now on the file can only be read; as if the system had been restarted so.
    pub(super) fn turn_read_only(&self) {
        let mut state = self.state();
        state.life += 1;
        state.read_only = true;
    }

    /// From now on a sync does not end.
    pub(super) fn hold_syncs(&self) {
        self.state().held = true;
    }

    /// Waits until a sync waits.
    pub(super) fn wait_for_sync(&self) {
        let state = self.state();
        let waited = self
            .0
            .1
            .wait_timeout_while(state, DEADLINE, |state| !state.waiting);
        let (_state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!result.timed_out(), "nothing was synced");
    }

    /// Syncs end again.
    pub(super) fn release_syncs(&self) {
        self.state().held = false;
        self.0.1.notify_all();
    }

    /// Whether the system has changes that it has yet to write.
    pub(super) fn has_unsynced(&self) -> bool {
        !self.state().unsynced.is_empty()
    }

    /// Whether the system takes something for written that is not.
    pub(super) fn has_forgotten(&self) -> bool {
        let state = self.state();
        state.unsynced.is_empty() && state.present != state.durable
    }

    /// Whether something was read of a file that was opened and not changed yet, which the next power
    /// failure might take away.
    pub(super) fn unsynced_was_read(&self) -> bool {
        self.state().unsynced_was_read
    }

    pub(super) fn longest(&self) -> usize {
        self.state().longest
    }

    pub(super) fn set_aside(&self) -> u32 {
        self.state().set_aside
    }
}

fn write(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

impl State {
    fn empty(&mut self) {
        self.present.clear();
        self.durable.clear();
        self.unsynced.clear();
    }

    fn next_fault(&mut self) -> Option<Fault> {
        let (after, fault, count) = self.fault?;
        if after > 0 {
            self.fault = Some((after - 1, fault, count));
            return None;
        }
        self.fault = (count > 1).then_some((0, fault, count - 1));
        Some(fault)
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        if self.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        self.is_changed = true;
        let fault = self.next_fault();
        if fault != Some(Fault::Undone) {
            match &change {
                Change::Write(offset, data) => write(&mut self.present, *offset, data),
                Change::Length(length) => self.present.resize(*length, 0),
            }
            self.longest = self.longest.max(self.present.len());
            self.unsynced.push(change);
        }
        failed(fault)
    }
}

impl State {
    fn sync(&mut self) -> io::Result<()> {
        let fault = self.next_fault();
        if matches!(fault, None | Some(Fault::Done)) {
            // What was forgotten by an earlier sync stays so: its pages count as clean.
            for change in std::mem::take(&mut self.unsynced) {
                match change {
                    Change::Write(offset, data) => write(&mut self.durable, offset, &data),
                    Change::Length(length) => self.durable.resize(length, 0),
                }
            }
        } else if fault == Some(Fault::Forgotten) {
            // The system writes lengths on its own.
            let length = self.present.len();
            self.durable.resize(length, 0);
            self.unsynced.clear();
        }
        failed(fault)
    }
}

fn failed(fault: Option<Fault>) -> io::Result<()> {
    fault.map_or(Ok(()), |_| Err(io::ErrorKind::StorageFull.into()))
}

impl Medium for Simulated {
    fn open(&self) -> io::Result<Box<dyn Opened>> {
        if self.state().read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(self.opened())
    }

    fn open_to_read(&self) -> io::Result<Box<dyn Opened>> {
        Ok(self.opened())
    }

    fn sync_entry(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        let mut state = self.state();
        failed(state.next_fault())?;
        state.empty();
        state.set_aside += 1;
        Ok("aside".into())
    }

    fn path(&self) -> &Path {
        Path::new("simulated")
    }
}
