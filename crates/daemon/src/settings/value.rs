//! What is wrong with a value whatever it means, and how it may be shown.

use std::path::Path;

use super::Key;

/// Slips that no value of any key has on purpose: they come from files of variables, whose rules
/// about quotation marks and comments differ from program to program.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty; give a value or leave the setting out")
    } else if text.contains(|character: char| character.is_control() && character != '\t') {
        Err("has a line end or another control character in it; leave it out")
    } else if text.trim() != text {
        Err("has white space around it; leave it out")
    } else if is_quoted(text) {
        Err("has quotation marks around it, which became part of the value; leave them out")
    } else {
        Ok(())
    }
}

/// The same for a secret, whose text may never be shown. It may be in quotation marks: a password
/// can.
pub(super) fn check_secret(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty; put the secret in, or leave the setting out")
    } else if text.starts_with('\u{feff}') {
        Err("begins with a byte order mark; save it as UTF-8 without one")
    } else if text.contains(['\r', '\n']) {
        Err(
            "has more than one line; the secret must stand alone (join the lines of one that was broken over several)",
        )
    } else if text.contains(char::is_control) {
        Err("has a control character in it; leave it out")
    } else {
        Ok(())
    }
}

/// Whether a text is in quotation marks.
pub(super) fn is_quoted(text: &str) -> bool {
    ['"', '\'']
        .iter()
        .any(|&mark| text.len() > 1 && text.starts_with(mark) && text.ends_with(mark))
}

/// Whether this is a token, which may have got anywhere: all of them begin like this.
pub(super) fn is_token(text: &str) -> bool {
    text.trim_start().starts_with("eyJ")
}

/// Whether this may be the path of a secret's file, and so may be shown. What has no directory and is no file may
/// be the secret itself, in the wrong place.
pub(super) fn may_be_path(text: &str) -> bool {
    !is_token(text) && (text.contains('/') || Path::new(text).exists())
}

/// What to say of a value that can be no path.
pub(super) fn no_path(text: &str) -> &'static str {
    if is_token(text) {
        "names no file, and is not shown: it is a token itself; leave _FILE out of the name, or put it into a file"
    } else {
        "names no file, and is not shown: it may be the secret itself; if it is, leave _FILE out of the name, \
         or else write the file's path with its directory"
    }
}

/// A value as it may be shown: what stands before an `@` or behind a `?` of an address is a secret
/// in the wrong place. In a plain name (`me@example.org`, a question mark) there is none.
pub(super) fn shown(key: &Key, text: &str) -> String {
    let address = text.contains("://") || matches!(key.value, "URL" | "ADDRESS");
    if is_token(text) {
        return "eyJ***".to_owned();
    }
    let mut shown = text.to_owned();
    if address && let Some(end) = shown.find(['?', '#']) {
        shown.truncate(end + 1);
        shown.push_str("***");
    }
    match shown.rsplit_once('@') {
        Some((user_info, rest)) if address || user_info.contains(':') => {
            match user_info.split_once("://") {
                Some((scheme, _)) => format!("{scheme}://***@{rest}"),
                None => format!("***@{rest}"),
            }
        }
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_files_of_variables_are_named() {
        for (text, slip) in [
            ("", "is empty"),
            ("envoy\r", "control character"),
            ("en\nvoy", "control character"),
            ("en\0voy", "control character"),
            (" envoy", "white space"),
            ("envoy\t", "white space"),
            ("\"envoy\"", "quotation marks"),
            ("'envoy'", "quotation marks"),
        ] {
            let said = check(text).expect_err(text);
            assert!(said.contains(slip), "{text:?}: {said}");
        }
        for text in ["envoy", "it's", "\"", "a b", "192.168.1.20"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_secret_is_one_line_of_anything() {
        for text in ["", "\u{feff}secret", "se\ncret", "se\0cret"] {
            assert!(check_secret(text).is_err(), "{text:?}");
        }
        for text in ["\"quoted\"", " spaced ", "pässword"] {
            assert_eq!(check_secret(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_secret_in_the_place_of_its_file_is_no_path() {
        for text in ["hunter2", "eyJhbGci.a/b.c", "my secret"] {
            assert!(!may_be_path(text), "{text}");
        }
        // The directory of a package, where its tests run.
        for text in ["Cargo.toml", "./nothing", "/run/secrets/token"] {
            assert!(may_be_path(text), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_a_secret() {
        const URL: Key = Key::new("a", "A").flag("a", "URL");
        const NAME: Key = Key::new("b", "B").flag("b", "NAME");
        for (key, text, seen) in [
            (URL, "mqtt://me:hush@there:1", "mqtt://***@there:1"),
            (URL, "hush@there", "***@there"),
            (URL, "http://there?token=hush", "http://there?***"),
            (URL, "http://there#hush@x", "http://there#***"),
            (NAME, "me:hush@there", "***@there"),
            (NAME, "http://hush@there", "http://***@there"),
            (NAME, "me@example.org", "me@example.org"),
            (NAME, "what?", "what?"),
        ] {
            assert_eq!(shown(&key, text), seen, "{text}");
        }
    }
}
