//! The file of a journal is opened, opened again, or begun anew elsewhere.

use wire::JournalId;

use super::Writer;
use crate::journal::disk::Disk;
use crate::journal::handle::Failed;
use crate::journal::opening::Failure;

/// Ids that are remembered. A journal has a new one once in a long while.
const SUCCESSIONS: usize = 8;

impl Writer {
    /// Closes the file and opens it again, if only for reading.
    pub(super) fn reopen(&mut self) {
        if let Some(disk) = self.disk.take() {
            disk.close();
        }
        let opened = match self.open_disk() {
            Ok(disk) => Some(disk),
            Err(Failure::Unusable(reason) | Failure::Corrupt(reason)) => {
                tracing::debug!(reason, "the journal can't be opened");
                self.open_to_read()
            }
            Err(failure @ (Failure::InUse | Failure::Newer { .. } | Failure::NewerFile { .. })) => {
                tracing::debug!(?failure, "the journal belongs to another process");
                None
            }
        };
        self.disk = opened;
        let Some(disk) = &mut self.disk else {
            return;
        };
        // What it has now is what it is known to have next time: it keeps the id that it gets here.
        let before = self.known.take();
        let goes_on = before.filter(|known| disk.resume(known));
        let now = self.known.insert(disk.known()).id.clone();
        if let Some(before) = goes_on {
            self.succeeded(&before.id, &now);
        }
    }

    /// A journal has another id, and what it had before under the same numbers.
    pub(super) fn succeeded(&mut self, before: &JournalId, after: &JournalId) {
        if before == after {
            return;
        }
        self.successions.push((before.clone(), after.clone()));
        if self.successions.len() > SUCCESSIONS {
            self.successions.remove(0);
        }
    }

    /// Begins a new file, under a new id, with all that the removed one holds, which stays as it is if
    /// that fails.
    pub(super) fn move_to_new_file(&mut self) -> Result<(), String> {
        let Some(removed) = &self.disk else {
            return Err("there is nothing to move".to_owned());
        };
        let mut begun = self.open_disk().map_err(|failure| failure.to_string())?;
        if !begun.is_new() {
            // Whoever put it there has not stopped the scraper. Its numbers would be given twice, or
            // those of the removed one changed.
            drop(begun);
            let aside = self.medium.as_ref().map(|medium| medium.set_aside());
            let aside = aside.transpose().map_err(|error| error.to_string())?;
            tracing::warn!(
                aside = aside
                    .as_ref()
                    .map(|aside| tracing::field::display(aside.display())),
                "the file that was put in the journal's place was set aside"
            );
            begun = self.open_disk().map_err(|failure| failure.to_string())?;
        }
        begun.take_over(removed).map_err(|Failed(reason)| reason)?;
        let (before, now) = (removed.id.clone(), begun.id.clone());
        self.known = Some(begun.known());
        self.disk = Some(begun);
        self.succeeded(&before, &now);
        Ok(())
    }

    /// Opens the file for appending; one that is found damaged twice is set aside.
    pub(super) fn open_disk(&self) -> Result<Disk, Failure> {
        let none = || Failure::Unusable("there is no place for it".to_owned());
        let medium = self.medium.as_ref().ok_or_else(none)?;
        let reason = match Disk::open(medium, &self.envoy, self.size) {
            Err(Failure::Corrupt(reason)) => reason,
            result => return result,
        };
        // redb may have stumbled over something that is not in the file. What can be read is not damaged.
        match Disk::open_to_read(medium, &self.envoy) {
            Err(Failure::Corrupt(_)) => {}
            _ => return Err(Failure::Unusable(reason)),
        }
        match medium.set_aside() {
            Ok(aside) => tracing::error!(
                path = %medium.path().display(),
                aside = %aside.display(),
                reason,
                "the journal is damaged, or is not one: it was set aside and a new one begun; \
                 what was in it and no receiver has is lost"
            ),
            Err(error) => {
                return Err(Failure::Unusable(format!(
                    "{reason}, and it can't be set aside: {error}"
                )));
            }
        }
        Disk::open(medium, &self.envoy, self.size)
    }

    pub(super) fn open_to_read(&self) -> Option<Disk> {
        let medium = self.medium.as_ref()?;
        Disk::open_to_read(medium, &self.envoy)
            .inspect_err(|failure| tracing::debug!(?failure, "the journal can't be read either"))
            .ok()
    }
}
