//! The TOML file, taken apart into its leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::{Config, File, FileFormat, ValueKind};

use super::text_file;

/// The longest file, in bytes: all keys with long values are a few KiB.
const LONGEST: u64 = 256 * 1024;

/// What a file sets.
#[derive(Default)]
pub(super) struct Leaves {
    /// Values by dotted path. Numbers and booleans come as they would be written in a string, so
    /// that each key's own parser is the only judge of a value.
    pub(super) values: BTreeMap<String, String>,
    /// The paths of lists: no key takes one.
    pub(super) lists: BTreeSet<String>,
}

/// Reads a file. The error is what is wrong with it as a whole, without the file's text: a line
/// may hold a secret.
pub(super) fn read(path: &Path) -> Result<Leaves, String> {
    let text = text_file::read(path, LONGEST)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let table = Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .build()
        .map_err(|error| not_toml(text, &error.to_string()))?;
    let mut leaves = Leaves::default();
    leaves.add(&table.cache.kind, String::new());
    Ok(leaves)
}

impl Leaves {
    fn add(&mut self, kind: &ValueKind, path: String) {
        match kind {
            ValueKind::Table(table) => {
                for (name, value) in table {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    self.add(&value.kind, path);
                }
            }
            ValueKind::Array(_) => drop(self.lists.insert(path)),
            ValueKind::Nil => {}
            leaf => drop(self.values.insert(path, leaf.to_string())),
        }
    }
}

/// Of the parser's report the place and the reason. What stands between them is the line itself.
fn not_toml(text: &str, report: &str) -> String {
    let reason = report.lines().last().unwrap_or_default();
    // What the parser expected instead is about its grammar, no help to people.
    let reason = reason.split(", expected ").next().unwrap_or_default();
    let Some(line) = line_number(report) else {
        return format!("is not TOML: {reason}; put quotation marks around the value");
    };
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let place = match key_on(content) {
        Some(key) => format!("line {line} ({key})"),
        None => format!("line {line}"),
    };
    match reason {
        "duplicate key" => {
            format!("{place} sets for the second time what is set above it; keep one of them")
        }
        _ => format!("{place} is not TOML: {reason}; write key = \"value\", with quotation marks"),
    }
}

fn line_number(report: &str) -> Option<usize> {
    let (_, rest) = report.lines().next()?.split_once("at line ")?;
    rest.split(',')
        .next()?
        .parse()
        .ok()
        .filter(|&line| line > 0)
}

/// The name before the equals sign, when it is plainly that: lower-case words, as our keys are.
fn key_on(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.';
    ((1..=32).contains(&key.len()) && key.bytes().all(plain)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("it can be written");
        read(file.path()).err().unwrap_or_default()
    }

    #[test]
    fn the_line_and_the_reason_are_named_and_no_value_is() {
        for (text, expected) in [
            (
                "[mqtt]\npassword = \"hush",
                "line 2 (password) is not TOML: invalid basic string",
            ),
            ("token = hush", "line 1 (token) is not TOML: "),
            (
                "[envoy]\nhost = 192.168.1.20",
                "line 2 (host) is not TOML: ",
            ),
            ("[mqtt\nurl = 1", "line 1 is not TOML: "),
            ("url: hush", "line 1 is not TOML: "),
            (
                "a = 1\na = \"hush\"",
                "line 2 (a) sets for the second time what is set above it; keep one of them",
            ),
            ("[a]\nb = 1\n[a]\nc = 2", "line 3 sets for the second time"),
            ("a = 99999999999999999999", "is not TOML: "),
        ] {
            let said = mistake(text);
            assert!(said.starts_with(expected), "{text:?}: {said}");
            assert!(!said.contains("hush"), "{said}");
        }
    }

    #[test]
    fn a_byte_order_mark_does_no_harm() {
        assert_eq!(mistake("\u{feff}[envoy]\nhost = \"a\""), "");
    }

    #[test]
    fn lists_are_kept_apart_from_values() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "name = 7\n[mqtt]\nurl = [\"a\", \"b\"]").expect("written");
        let leaves = read(file.path()).unwrap_or_default();
        assert_eq!(
            leaves.values.into_iter().collect::<Vec<_>>(),
            [("name".to_owned(), "7".to_owned())]
        );
        assert_eq!(leaves.lists.into_iter().collect::<Vec<_>>(), ["mqtt.url"]);
    }
}
