//! Parsers for values that several sections share. What a value means to one part alone is parsed
//! by that part's own type.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

/// Any text.
///
/// # Errors
/// When it is empty.
pub fn text(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else {
        Ok(text.to_owned())
    }
}

/// A length of time above zero, such as `90s` or `1m 30s`.
///
/// # Errors
/// When it is none, or zero, or negative.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or("not a length of time; write 60s, 2m or 1m 30s")
}

/// The path of a file that can be read now.
///
/// # Errors
/// When it can't be read.
pub fn readable_file(text: &str) -> Result<PathBuf, String> {
    std::fs::File::open(text)
        .map(|_| PathBuf::from(text))
        .map_err(|error| format!("can't be read: {error}"))
}
