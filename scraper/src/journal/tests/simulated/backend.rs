//! The file as a process has it open.

use std::io;
use std::sync::{MutexGuard, PoisonError};

use redb::StorageBackend;

use super::{Change, Simulated, State, write};
use crate::journal::medium::Opened;

/// The file as one life of the process has it.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) disk: Simulated,
    pub(super) life: u32,
}

impl Backend {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.life == self.life {
            Ok(state)
        } else {
            Err(io::Error::other("this process was killed"))
        }
    }
}

impl Opened for Backend {
    fn sync(&self) -> io::Result<()> {
        self.state()?.sync()
    }

    /// What is not written yet stays.
    fn forget(&self) {
        let mut state = self.disk.state();
        state.present = state.durable.clone();
        for change in state.unsynced.clone() {
            match change {
                Change::Write(offset, data) => write(&mut state.present, offset, &data),
                Change::Length(length) => state.present.resize(length, 0),
            }
        }
    }

    fn storage(self: Box<Self>) -> io::Result<Box<dyn StorageBackend>> {
        Ok(self)
    }
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).expect("a small file")
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.present.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state()?;
        let range = at(offset)..at(offset) + out.len();
        if !state.is_changed && state.present.get(range.clone()) != state.durable.get(range.clone())
        {
            state.unsynced_was_read = true;
        }
        let content = state.present.get(range);
        out.copy_from_slice(content.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.state()?.change(Change::Length(at(len)))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        if state.held {
            state.waiting = true;
            self.disk.0.1.notify_all();
            let released = self.disk.0.1.wait_while(state, |state| state.held);
            state = released.unwrap_or_else(PoisonError::into_inner);
            state.waiting = false;
        }
        state.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let change = Change::Write(at(offset), data.to_vec());
        self.state()?.change(change)
    }
}
