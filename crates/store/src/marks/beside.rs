//! A store and its marks in a file beside it.

use std::io;

use wire::{Health, Reading};

use super::{Marks, MarksFile};
use crate::write::{HealthError, Marked, MarkedStore, MarksError, Store, WriteError};

/// A store with its marks in a file.
#[derive(Debug)]
pub struct BesideFile<S> {
    store: S,
    file: MarksFile,
}

impl<S> BesideFile<S> {
    /// A store whose marks are in `file`.
    pub fn new(store: S, file: MarksFile) -> Self {
        Self { store, file }
    }

    /// The store without its marks.
    pub fn store(&self) -> &S {
        &self.store
    }

    async fn on_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&MarksFile) -> Result<T, MarksError> + Send + 'static,
    ) -> Result<T, MarksError> {
        let file = self.file.clone();
        let task = tokio::task::spawn_blocking(move || work(&file));
        match task.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(result) => result,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is ending and did not start the work.
            Err(Err(_cancelled)) => Err(MarksError::Unwritable {
                path: self.file.path().to_owned(),
                source: io::ErrorKind::Interrupted.into(),
            }),
        }
    }
}

impl<S: Store> MarkedStore for BesideFile<S> {
    async fn marks(&self) -> Result<Marks, MarksError> {
        self.on_file(MarksFile::load).await
    }

    /// The store first: what the file says must be true.
    async fn store(&self, readings: &[Reading], marks: &Marks) -> Result<Marked, WriteError> {
        let written = self.store.write(readings).await?;
        let saved = self.update(marks).await;
        Ok(Marked { written, saved })
    }

    async fn update(&self, changed: &Marks) -> Result<(), MarksError> {
        let changed = changed.clone();
        self.on_file(move |file| file.update(&changed)).await
    }

    async fn answers(&self) -> bool {
        self.store().answers().await
    }

    async fn keep_healths(&self, healths: &[Health]) -> Result<(), HealthError> {
        self.store().keep_healths(healths).await
    }

    async fn save(&self, marks: &Marks) -> Result<(), MarksError> {
        let marks = marks.clone();
        self.on_file(move |file| file.save(&marks)).await
    }
}
