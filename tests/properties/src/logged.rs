//! What is said of something from outside.

use std::error::Error;

/// A text for a log or a terminal: one line, and nothing in it that a terminal would obey.
pub(crate) fn is_fit(text: &str) {
    let control = text.chars().find(|character| character.is_control());
    assert!(control.is_none(), "{control:?} would be logged: {text:?}");
}

/// The same of an error, with all its causes.
pub(crate) fn is_fit_error(error: &dyn Error) {
    is_fit(&daemon::exit::with_causes(error));
}
