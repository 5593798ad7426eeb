//! Keeps redb's file within its bound, whatever redb would like.
//!
//! The journal sees to it that there is room before it appends. Should it be wrong about that, the
//! file is refused to grow: the append fails, goes to memory, and the disk is not filled.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{BackendError, StorageBackend};

/// Storage that grows up to a limit, and whose length can be watched.
#[derive(Debug)]
pub(super) struct Bounded {
    inner: Box<dyn StorageBackend>,
    limit: u64,
    length: Arc<AtomicU64>,
}

impl Bounded {
    /// `inner`, which may grow up to `limit` bytes. What is longer already stays so.
    pub(super) fn new(inner: Box<dyn StorageBackend>, limit: u64) -> io::Result<Self> {
        let length = inner.len()?;
        Ok(Self {
            inner,
            limit: limit.max(length),
            length: Arc::new(AtomicU64::new(length)),
        })
    }

    /// The length as it is from now on, in bytes.
    pub(super) fn length(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.length)
    }
}

impl StorageBackend for Bounded {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > self.limit {
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                format!("the journal has reached its size of {} bytes", self.limit),
            ));
        }
        self.inner.set_len(len)?;
        self.length.store(len, Ordering::Relaxed);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
