//! What an owner calls the inverters, and in which arrays they are: a file of his own.
//!
//! ```toml
//! [inverters]
//! 482012345678 = "Garage left"
//! 482012345679 = { name = "Garage right", array = "Garage" }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use serde::Deserialize;
use toml::Spanned;
use wire::Serial;

/// The largest file that is read, in bytes: thousands of inverters.
const LARGEST: u64 = 1 << 20;

/// The longest name, in characters: more fits nowhere where it is shown.
const LONGEST_NAME: usize = 64;

/// Names and arrays by inverter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<Serial, Named>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Named {
    name: Option<String>,
    array: Option<String>,
}

impl Names {
    /// What the inverter is called.
    #[must_use]
    pub fn name(&self, inverter: &Serial) -> Option<&str> {
        self.0.get(inverter)?.name.as_deref()
    }

    /// The array that it belongs to.
    #[must_use]
    pub fn array(&self, inverter: &Serial) -> Option<&str> {
        self.0.get(inverter)?.array.as_deref()
    }

    /// The inverters that are named.
    pub fn inverters(&self) -> impl Iterator<Item = &Serial> {
        self.0.keys()
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// All mistakes, each with its line.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line(text, span.start));
            Mistakes(vec![Mistake {
                line,
                what: error.message().to_owned(),
            }])
        })?;
        let mut found = BTreeMap::new();
        let mut mistakes = Vec::new();
        for (serial, entry) in file.inverters {
            let (place, serial) = (serial.span().start, serial.into_inner());
            let mut mistake = |what: String| {
                mistakes.push(Mistake {
                    line: Some(line(text, place)),
                    what,
                });
            };
            let named = match read(entry.into_inner()) {
                Ok(named) => named,
                Err(what) => {
                    mistake(format!("{serial}: {what}"));
                    continue;
                }
            };
            match serial.parse() {
                Ok(serial) => {
                    found.insert(serial, named);
                }
                Err(error) => mistake(format!("{serial:?} is no serial number: {error}")),
            }
        }
        if mistakes.is_empty() {
            Ok(Self(found))
        } else {
            mistakes.sort_by_key(|mistake| mistake.line);
            Err(Mistakes(mistakes))
        }
    }
}

/// What stands in the file. Anything else in it is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    inverters: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

fn read(entry: toml::Value) -> Result<Named, String> {
    let text = |what: &str, value: toml::Value| match value {
        toml::Value::String(text) if text.trim().is_empty() => {
            Err(format!("{what} is empty; leave it out"))
        }
        toml::Value::String(text) if text.chars().count() > LONGEST_NAME => {
            Err(format!("{what} has more than {LONGEST_NAME} characters"))
        }
        toml::Value::String(text) if text.contains(char::is_control) => {
            Err(format!("{what} has a control character"))
        }
        toml::Value::String(text) => Ok(text.trim().to_owned()),
        _ => Err(format!("{what} is no text; write it in quotation marks")),
    };
    let table = match entry {
        toml::Value::Table(table) => table,
        other => {
            return Ok(Named {
                name: Some(text("the name", other)?),
                array: None,
            });
        }
    };
    let mut named = Named::default();
    for (key, value) in table {
        match key.as_str() {
            "name" => named.name = Some(text("the name", value)?),
            "array" => named.array = Some(text("the array", value)?),
            _ => return Err(format!("there is no {key:?}; write name and array")),
        }
    }
    Ok(named)
}

fn line(text: &str, place: usize) -> usize {
    text.get(..place).unwrap_or(text).matches('\n').count() + 1
}

/// All that is wrong with a file of names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(Vec<Mistake>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mistake {
    line: Option<usize>,
    what: String,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, mistake) in self.0.iter().enumerate() {
            if place > 0 {
                formatter.write_str("; ")?;
            }
            if let Some(line) = mistake.line {
                write!(formatter, "line {line}: ")?;
            }
            formatter.write_str(&mistake.what)?;
        }
        Ok(())
    }
}

/// Why there are no names.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The file can't be read.
    #[error("can't be read")]
    Unreadable(#[source] io::Error),
    /// It is no file of names.
    #[error("has more than {LARGEST} bytes, so it is no file of names")]
    Large,
    /// It has mistakes.
    #[error("{0}")]
    Mistakes(Mistakes),
}

/// A file of names, which is read again when it changes.
#[derive(Debug, Clone)]
pub struct NamesFile {
    path: PathBuf,
    /// When it was changed, and its size, at the last look.
    seen: Option<(SystemTime, u64)>,
    names: Names,
}

impl NamesFile {
    /// Reads the file.
    ///
    /// # Errors
    /// It can't be read, or has mistakes.
    pub fn open(path: PathBuf) -> Result<Self, NamesError> {
        let mut file = Self {
            path,
            seen: None,
            names: Names::default(),
        };
        file.look()?;
        Ok(file)
    }

    /// Reads the file again if it has changed. Whether the names are others now; where it fails they stay as
    /// they were, until the file changes again.
    ///
    /// # Errors
    /// It can't be read, or has mistakes: once for each change.
    pub fn look(&mut self) -> Result<bool, NamesError> {
        let seen = stamp(&self.path);
        if self.seen.is_some() && self.seen == seen.as_ref().ok().copied() {
            return Ok(false);
        }
        let was_there = self.seen.is_some();
        self.seen = seen.as_ref().ok().copied();
        let (_, size) = match seen {
            Ok(seen) => seen,
            // Said once: a file that is replaced is away for a moment, one that is gone for good.
            Err(error) if was_there || self.names == Names::default() => {
                return Err(NamesError::Unreadable(error));
            }
            Err(_) => return Ok(false),
        };
        if size > LARGEST {
            return Err(NamesError::Large);
        }
        let text = fs::read_to_string(&self.path).map_err(NamesError::Unreadable)?;
        let names = Names::parse(&text).map_err(NamesError::Mistakes)?;
        let changed = names != self.names;
        self.names = names;
        Ok(changed)
    }

    /// The names that were read last.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Where they come from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn stamp(path: &Path) -> io::Result<(SystemTime, u64)> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.modified()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn serial(text: &str) -> Serial {
        text.parse().unwrap()
    }

    #[test]
    fn an_inverter_has_a_name_alone_or_with_its_array() {
        let names = Names::parse(
            "# the roof\n[inverters]\n482012345678 = \"Garage left\"\n482012345679 = { name = \"Garage right\", array = \"Garage\" }\n482012345680 = { array = \"Garage\" }\n",
        )
        .unwrap();
        assert_eq!(names.name(&serial("482012345678")), Some("Garage left"));
        assert_eq!(names.array(&serial("482012345678")), None);
        assert_eq!(names.array(&serial("482012345679")), Some("Garage"));
        assert_eq!(names.name(&serial("482012345680")), None);
        assert_eq!(names.inverters().count(), 3);
    }

    #[test]
    fn all_mistakes_are_named_with_their_lines() {
        let text =
            "[inverters]\n1 = 7\n\"a b\" = \"x\"\n2 = \"\"\n3 = { nme = \"x\" }\n4 = \"good\"\n";
        let mistakes = Names::parse(text).unwrap_err().to_string();
        assert_eq!(
            mistakes,
            "line 2: 1: the name is no text; write it in quotation marks; \
             line 3: \"a b\" is no serial number: "
                .to_owned()
                + &"a b".parse::<Serial>().unwrap_err().to_string()
                + "; line 4: 2: the name is empty; leave it out; \
             line 5: 3: there is no \"nme\"; write name and array"
        );
    }

    #[test]
    fn what_is_no_toml_is_named_with_its_line() {
        let said = Names::parse("[inverters]\n1 = \"a\n")
            .unwrap_err()
            .to_string();
        assert!(said.starts_with("line 2: "), "{said}");
        let said = Names::parse("[inverter]\n1 = \"a\"\n")
            .unwrap_err()
            .to_string();
        assert!(said.contains("inverter"), "{said}");
    }

    #[test]
    fn a_file_is_read_again_when_it_changes_and_mistakes_leave_the_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("names.toml");
        fs::write(&path, "[inverters]\n1 = \"a\"\n").unwrap();
        let mut file = NamesFile::open(path.clone()).unwrap();
        assert!(!file.look().unwrap());
        fs::write(&path, "[inverters]\n1 = \"longer\"\n").unwrap();
        assert!(file.look().unwrap());
        assert_eq!(file.names().name(&serial("1")), Some("longer"));
        fs::write(&path, "[inverters]\n1 = 12345\n").unwrap();
        file.look().unwrap_err();
        assert!(!file.look().unwrap(), "a mistake is said once");
        assert_eq!(file.names().name(&serial("1")), Some("longer"));
        fs::remove_file(&path).unwrap();
        file.look().unwrap_err();
        assert!(!file.look().unwrap(), "that it is away is said once");
        fs::write(&path, "[inverters]\n1 = \"back again\"\n").unwrap();
        assert!(file.look().unwrap());
    }
}
