//! A secret: given as text, or kept in a file that may be replaced while the program runs.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{text_file, value};

/// The longest secret, in bytes. A token has some 400; this bounds what a wrong path can cost.
const LONGEST: u64 = 64 * 1024;

/// A secret's value or the file that holds it. Its text is never shown.
#[derive(Clone)]
pub enum Secret {
    /// Given as text.
    Value(SecretString),
    /// Kept in a file (a mounted secret): whoever can, reads it again when it changes.
    File(PathBuf),
}

impl Secret {
    /// The secret's text as it is now.
    ///
    /// # Errors
    /// When its file can't be read or holds no secret; the message names the file.
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

/// Reads a secret from its file.
pub(super) fn read(path: &Path) -> Result<SecretString, String> {
    let sentence = |predicate: &str| format!("{:?} {predicate}", path.to_string_lossy());
    let text = text_file::read(path, LONGEST).map_err(|error| sentence(&error))?;
    let secret = without_line_end(&text);
    value::check_secret(secret).map_err(sentence)?;
    Ok(secret.into())
}

/// A secret without the line end that editors and `echo` put behind it, in files and in what is
/// made from them.
pub(super) fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}
