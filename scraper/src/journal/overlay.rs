//! Reads a journal that can't be written: what redb has to write goes to memory.
//!
//! redb's own read-only way refuses a file whose last writer was killed, which is how a journal on
//! a file system that turned read-only looks. Its repair changes a few pages only.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use redb::{BackendError, StorageBackend};

/// What is kept together in memory, in bytes: redb's size of a page.
const BLOCK: u64 = 4096;

/// Storage that is never written.
#[derive(Debug)]
pub(super) struct Overlay {
    below: Box<dyn StorageBackend>,
    above: Mutex<Above>,
}

#[derive(Debug)]
struct Above {
    length: u64,
    /// How much of what is below still counts: what was cut off stays away.
    below: u64,
    blocks: BTreeMap<u64, Box<[u8]>>,
}

impl Overlay {
    /// Shows `below` and leaves it as it is.
    pub(super) fn new(below: Box<dyn StorageBackend>) -> io::Result<Self> {
        let length = below.len()?;
        Ok(Self {
            below,
            above: Mutex::new(Above {
                length,
                below: length,
                blocks: BTreeMap::new(),
            }),
        })
    }

    /// The block `number` as it is without what was written.
    fn original(&self, above: &Above, number: u64) -> io::Result<Box<[u8]>> {
        let mut block = vec![0; to_usize(BLOCK)].into_boxed_slice();
        let start = number * BLOCK;
        let held = above.below.saturating_sub(start).min(BLOCK);
        self.below.read(start, &mut block[..to_usize(held)])?;
        Ok(block)
    }
}

/// A length within one block.
fn to_usize(length: u64) -> usize {
    usize::try_from(length).expect("a part of a block has at most 4096 bytes")
}

/// The blocks that a range touches: number, range within the block, range within the data.
fn parts(
    offset: u64,
    length: usize,
) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let at = offset + done as u64;
        let within = to_usize(at % BLOCK);
        let take = (to_usize(BLOCK) - within).min(length - done);
        let part = (at / BLOCK, within..within + take, done..done + take);
        done += take;
        Some(part)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self
            .above
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        if offset + out.len() as u64 > above.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, within, part) in parts(offset, out.len()) {
            match above.blocks.get(&number) {
                Some(block) => out[part].copy_from_slice(&block[within]),
                None => out[part].copy_from_slice(&self.original(&above, number)?[within]),
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        above.length = len;
        above.below = above.below.min(len);
        above.blocks.retain(|number, _| number * BLOCK < len);
        if let Some(block) = above.blocks.get_mut(&(len / BLOCK)) {
            block[to_usize(len % BLOCK)..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, within, part) in parts(offset, data.len()) {
            if !above.blocks.contains_key(&number) {
                let original = self.original(&above, number)?;
                above.blocks.insert(number, original);
            }
            if let Some(block) = above.blocks.get_mut(&number) {
                block[within].copy_from_slice(&data[part]);
            }
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.below.close()
    }

    // A file that was opened for reading takes only the shared lock, which shuts out a writer too.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.unlock_range(start, end)
    }
}
