//! A secret: given as text, or kept in a file that may be replaced while the program runs.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::Key;

/// The longest secret, in bytes. A token has some 400; this bounds what a wrong path can cost.
const LONGEST: u64 = 64 * 1024;

/// A secret's value or the file that holds it. Its text is never shown.
pub enum Secret {
    /// Given as text.
    Value(SecretString),
    /// Kept in a file (a mounted secret): whoever can, reads it again when it changes.
    File(PathBuf),
}

impl Secret {
    pub(super) fn given(text: String) -> Self {
        Self::Value(text.into())
    }

    /// Checks now that the file can be read, so that a wrong path is a configuration mistake and
    /// not an outage.
    pub(super) fn in_file(path: PathBuf) -> Result<Self, String> {
        read(&path)?;
        Ok(Self::File(path))
    }

    /// The secret's text as it is now.
    ///
    /// # Errors
    /// When its file can't be read or is empty; the message names the file.
    pub fn reveal(&self) -> Result<SecretString, String> {
        match self {
            Self::Value(text) => Ok(text.clone()),
            Self::File(path) => read(path),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Secret(given)"),
            Self::File(path) => write!(f, "Secret(in {})", path.display()),
        }
    }
}

/// The key in the file that names a secret's file.
pub(super) fn file_key(key: &Key) -> String {
    format!("{}_file", key.name)
}

/// Reads a secret without the line end that editors and `echo` put behind it.
fn read(path: &Path) -> Result<SecretString, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
        .map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    if text.len() as u64 > LONGEST {
        return Err(format!("{} is too long to be a secret", path.display()));
    }
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    Ok(text.into())
}
