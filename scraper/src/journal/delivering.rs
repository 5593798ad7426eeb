//! What the delivery needs of the journals: where to begin, the readings, and the ids that they had.

use wire::{JournalId, JournalSpan, Reading};

use super::handle::Failed;
use super::{Journals, lock};
use crate::delivery::{self, Beginning, Unreadable};

impl Journals {
    /// Remembers that all readings of a journal below a number were delivered to the broker. It is
    /// written with the next append.
    pub fn note_delivered(&self, journal: &JournalId, below: u64) {
        if let Some((held, noted)) = &mut *lock(&self.0.delivered)
            && held == journal
        {
            *noted = below;
        }
    }

    /// Below which number of a journal all was delivered to the broker, as last noted; after a
    /// restart as last written. 1 when nothing is known.
    #[must_use]
    pub fn delivered_below(&self, journal: &JournalId) -> u64 {
        match &*lock(&self.0.delivered) {
            Some((held, below)) if held == journal => *below,
            _ => 1,
        }
    }

    /// What a delivery begins with.
    #[must_use]
    pub fn beginning(&self) -> Beginning {
        let current = self.id();
        Beginning {
            newest: self.newest(),
            delivered_below: self.delivered_below(&current),
        }
    }

    /// Whether the journal that is appended to outlives this process.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        let id = self.id();
        let writer = self.writer();
        writer.disk.as_ref().is_some_and(|disk| disk.id == id)
    }

    /// Writes what was noted as delivered, so that the next process need not send it again. A disk that
    /// fails now costs no more than that.
    ///
    /// Blocks until the disk has it.
    pub fn close(&self) {
        let mut writer = self.writer();
        let noted = lock(&self.0.delivered).clone();
        if let (Some(disk), Some((journal, below))) = (&mut writer.disk, noted)
            && disk.writable
            && disk.id == journal
            && disk.delivered_below != below
        {
            disk.delivered_below = below;
            let _ = disk.append(&[]);
        }
    }
}

impl delivery::Journal for Journals {
    fn spans(&self) -> Vec<JournalSpan> {
        Self::spans(self)
    }

    fn reading(&self, journal: &JournalId, seq: u64) -> Result<Option<Reading>, Unreadable> {
        let found = self.view().reading(&self.0.envoy, journal, seq);
        found.map_err(|Failed(reason)| {
            // An append meets the same failure, and says it.
            tracing::debug!(%journal, reason, "the journal can't be read");
            Unreadable
        })
    }

    fn renew(&self, journal: &JournalId) -> Option<JournalId> {
        Self::renew(self, journal)
    }

    fn successor(&self, journal: &JournalId) -> Option<JournalId> {
        let view = self.view();
        let after = |id: &JournalId| view.successions.iter().rfind(|(before, _)| before == id);
        // As many steps as there are: an id never comes again.
        let mut last = &after(journal)?.1;
        while let Some((_, next)) = after(last) {
            last = next;
        }
        Some(last.clone())
    }
}
