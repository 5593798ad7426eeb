//! A token in a file, which somebody else replaces while we run.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use tokio::task::spawn_blocking;

use super::Token;
use crate::error::Credentials;

/// Real tokens have some 400 characters; what is longer is another file.
const LONGEST: u64 = 16 * 1024;

/// The file, and what was said of it.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    /// Why it can't be used, as long as that is so and was said.
    said: Mutex<Option<String>>,
}

impl TokenFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            said: Mutex::default(),
        }
    }

    /// What it holds now.
    pub(super) async fn read(&self) -> Result<Token, Credentials> {
        let text = self.text().await;
        let text = text.map_err(|source| Credentials::TokenFile {
            path: self.path.clone(),
            source,
        })?;
        Token::parse(&text)
    }

    /// What it holds now, where that can be used. While the token before works, nothing else would tell that it
    /// is the last one: so that is said, once for each reason.
    pub(super) async fn newest(&self) -> Option<Token> {
        let read = self.read().await;
        let reason = read.as_ref().err().map(ToString::to_string);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != reason {
            let file = self.path.display();
            if let Err(error) = &read {
                tracing::warn!(
                    %file,
                    error = error as &dyn std::error::Error,
                    "the file of the Envoy's token can't be used as it is now; the token from before is used as long as \
                     it works (setting: ENVOY_TOKEN_FILE)"
                );
            } else {
                tracing::info!(%file, "the file of the Envoy's token can be used again");
            }
            *said = reason;
        }
        read.ok()
    }

    async fn text(&self) -> io::Result<SecretString> {
        let path = self.path.clone();
        // One trip to a thread that may wait for the disk: each of tokio's own functions would be one.
        let read = spawn_blocking(move || text(&path)).await;
        read.map_err(io::Error::other)?
    }
}

fn text(path: &Path) -> io::Result<SecretString> {
    // A pipe that nobody writes to would keep us for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text.into())
}
