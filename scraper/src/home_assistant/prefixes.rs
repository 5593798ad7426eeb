//! Below which prefixes the devices of an Envoy were announced: `announced-<serial>.json` in the state directory.
//!
//! What is announced is retained. So where Home Assistant is told of devices elsewhere, or not any more, those of
//! before have to be withdrawn, and the settings don't say where they are.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use envoy::replace_file;
use wire::{BaseTopic, Serial};

/// The file of an Envoy.
#[derive(Debug)]
pub struct Prefixes(PathBuf);

impl Prefixes {
    /// The file of an Envoy in a directory.
    #[must_use]
    pub fn inside(directory: &Path, envoy: &Serial) -> Self {
        Self(directory.join(format!("announced-{envoy}.json")))
    }

    /// Below which prefixes devices were ever announced. Where that can't be read, it is said, and there are none.
    #[must_use]
    pub fn known(&self) -> Vec<BaseTopic> {
        self.read().unwrap_or_else(|error| {
            let file = self.0.display();
            tracing::warn!(%file, %error, "it can't be read where devices were announced before");
            Vec::new()
        })
    }

    fn read(&self) -> io::Result<Vec<BaseTopic>> {
        let text = match fs::read(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let named: Vec<String> = serde_json::from_slice(&text).map_err(damaged)?;
        let prefixes = named.iter().map(|prefix| prefix.parse().map_err(damaged));
        prefixes.collect()
    }

    /// Devices are announced below this one, too. Where that can't be written, it is said. A file that can't be read now
    /// stays, since nothing else knows what stands in it; a damaged one is written anew.
    pub fn add(&self, prefix: &BaseTopic) {
        if let Err(error) = self.try_to_add(prefix) {
            let file = self.0.display();
            tracing::warn!(%file, %error, "it can't be written where devices are announced");
        }
    }

    fn try_to_add(&self, prefix: &BaseTopic) -> io::Result<()> {
        let mut known = match self.read() {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let file = self.0.display();
                tracing::warn!(
                    %file, %error,
                    "the list of where devices were announced is damaged and begins anew; those that stay in Home \
                     Assistant from before can be deleted there"
                );
                Vec::new()
            }
            known => known?,
        };
        if known.contains(prefix) {
            return Ok(());
        }
        known.push(prefix.clone());
        let named: Vec<&str> = known.iter().map(BaseTopic::as_str).collect();
        replace_file(&self.0, &serde_json::to_string(&named)?, 0o644)
    }
}

fn damaged(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> BaseTopic {
        text.parse().expect("a prefix")
    }

    fn inside(directory: &Path) -> Prefixes {
        Prefixes::inside(directory, &"122012345678".parse().expect("a serial"))
    }

    #[test]
    fn each_prefix_is_known_once_after_a_restart() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(inside(directory.path()).known(), []);
        for text in ["homeassistant", "house/ha", "homeassistant"] {
            inside(directory.path()).add(&prefix(text));
        }
        let known = inside(directory.path()).known();
        assert_eq!(known, [prefix("homeassistant"), prefix("house/ha")]);
    }

    #[test]
    fn a_list_that_is_there_and_cannot_be_read_stays() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("announced-122012345678.json");
        // A link to itself: nobody can read it, and whoever may write beside it can replace it.
        std::os::unix::fs::symlink(&file, &file).expect("a link");
        inside(directory.path()).add(&prefix("homeassistant"));
        assert!(file.is_symlink(), "it was replaced");
    }

    #[test]
    fn a_damaged_file_is_written_anew() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::write(directory.path().join("announced-122012345678.json"), "[").expect("a file");
        assert_eq!(inside(directory.path()).known(), []);
        inside(directory.path()).add(&prefix("homeassistant"));
        assert_eq!(inside(directory.path()).known(), [prefix("homeassistant")]);
    }
}
