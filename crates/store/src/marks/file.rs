//! Marks in a file of their own, beside a store that has no place for them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wire::{Health, Reading};

use super::Marks;
use crate::write::{HealthError, Marked, MarkedStore, MarksError, Store, WriteError};

/// The format that is written. A file of another one is not read: without marks everything that the
/// journals hold is fetched once more, and nothing is lost.
const FORMAT: u32 = 1;

/// A file of marks, for one store.
#[derive(Debug, Clone)]
pub struct MarksFile {
    path: PathBuf,
    store: String,
}

/// What the file holds, but for the marks.
#[derive(Serialize, Deserialize)]
struct Head<S> {
    format: u32,
    store: S,
}

#[derive(Serialize)]
struct Saved<'a> {
    #[serde(flatten)]
    head: Head<&'a str>,
    marks: &'a Marks,
}

#[derive(Deserialize)]
struct Body {
    marks: Marks,
}

impl MarksFile {
    /// The file at `path`, with the marks of the store that `store` names: its address, organisation
    /// and bucket, and no secret.
    #[must_use]
    pub fn new(path: PathBuf, store: String) -> Self {
        Self { path, store }
    }

    /// The marks that were saved last: none where there is no file. A file that can't be read is set
    /// aside; one of another store stays until the next save takes its place.
    ///
    /// Blocks.
    pub fn load(&self) -> Result<Marks, MarksError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Marks::default()),
            Err(source) => {
                let path = self.path.clone();
                return Err(MarksError::Unreadable { path, source });
            }
        };
        let head = serde_json::from_slice::<Head<String>>(&text);
        if let Ok(head) = &head
            && head.store != self.store
        {
            return Err(MarksError::OtherStore {
                path: self.path.clone(),
                store: head.store.clone(),
            });
        }
        if let Ok(head) = &head
            && head.format != FORMAT
        {
            return Err(MarksError::OtherFormat {
                path: self.path.clone(),
                format: head.format,
            });
        }
        let body = head.and_then(|_| serde_json::from_slice::<Body>(&text));
        let body = body.map(|body| body.marks);
        body.map_err(|source| {
            let aside = self.path.with_extension("damaged");
            let path = self.path.clone();
            // Where it can't be moved the next save takes its place.
            let _ = fs::rename(&self.path, &aside);
            MarksError::Damaged {
                path,
                aside,
                source,
            }
        })
    }

    /// Replaces what was saved, in one step and durably: after a power cut the file is the old or the
    /// new one.
    ///
    /// Blocks until the disk has it.
    pub fn save(&self, marks: &Marks) -> Result<(), MarksError> {
        self.replace(marks)
            .map_err(|source| MarksError::Unwritable {
                path: self.path.clone(),
                source,
            })
    }

    fn replace(&self, marks: &Marks) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let head = Head {
            format: FORMAT,
            store: self.store.as_str(),
        };
        let new = self.path.with_extension("new");
        // What an earlier attempt left there is of no use.
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(&Saved { head, marks })?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        File::open(directory)?.sync_all()
    }
}

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
                path: self.file.path.clone(),
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
        let saved = self.save(marks).await;
        Ok(Marked { written, saved })
    }

    async fn answers(&self) -> bool {
        self.store().answers().await
    }

    async fn keep_health(&self, health: &Health) -> Result<(), HealthError> {
        self.store().keep_health(health).await
    }

    async fn save(&self, marks: &Marks) -> Result<(), MarksError> {
        let marks = marks.clone();
        self.on_file(move |file| file.save(&marks)).await
    }
}
