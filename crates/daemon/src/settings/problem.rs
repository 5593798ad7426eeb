//! A mistake in a configuration, and all of them together.

use std::fmt;

/// One mistake: where the value came from, what is wrong, never a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    place: String,
    message: String,
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        // A key of the file may be any text.
        let printable = |text: String| text.replace(char::is_control, "\u{fffd}");
        Self {
            place: printable(place.into()),
            message: printable(message.into()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A parser's error with the value that it is about. It may begin with the value itself, in quotation
/// marks, or go on from it (`has no unit`); anything else is a remark of its own.
pub(super) fn about(value: &str, error: &str) -> String {
    let goes_on = ["is ", "has ", "does "]
        .iter()
        .any(|verb| error.starts_with(verb));
    if error.starts_with(['"', '\'']) {
        error.to_owned()
    } else if goes_on {
        format!("{value:?} {error}")
    } else {
        format!("{value:?}: {error}")
    }
}

/// Every mistake of a configuration; nothing is started with even one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub(super) Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the configuration has a mistake:")?,
            count => write!(f, "the configuration has {count} mistakes:")?,
        }
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
