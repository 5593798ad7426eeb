//! What an owner calls the inverters, and in which arrays they are: a file of his own.
//!
//! ```toml
//! [inverters]
//! 482012345678 = "Garage left"
//! 482012345679 = { name = "Garage right", array = "Garage" }
//! ```

mod file;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;
use wire::Serial;

pub use file::{Looked, NamesError, NamesFile};

/// Lines that are no TOML. With more of them the whole file is none: it is parsed once more for each.
const MOST_LINES: usize = 30;

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

    /// Names that several inverters have, with their serials: nobody can tell those apart by them.
    #[must_use]
    pub fn shared(&self) -> BTreeMap<&str, Vec<&Serial>> {
        let mut named: BTreeMap<&str, Vec<&Serial>> = BTreeMap::new();
        for serial in self.0.keys() {
            if let Some(name) = self.name(serial) {
                named.entry(name).or_default().push(serial);
            }
        }
        named.retain(|_, serials| serials.len() > 1);
        named
    }

    /// The inverters whose name is that of their Envoy, or its serial number: in Home Assistant both are devices.
    pub fn as_the_envoy<'a>(&'a self, envoy: &'a Serial) -> impl Iterator<Item = &'a Serial> {
        let own = format!("Envoy {envoy}");
        let all = self.0.iter();
        all.filter_map(move |(serial, named)| {
            let name = named.name.as_deref()?;
            (name == envoy.as_str() || name.eq_ignore_ascii_case(&own)).then_some(serial)
        })
    }

    /// The inverters that are named.
    pub fn inverters(&self) -> impl Iterator<Item = &Serial> {
        self.0.keys()
    }

    /// Reads the content of a file. A mistake costs its own line and no other: names are for show, and must cost
    /// nobody his readings.
    #[must_use]
    pub fn parse(content: impl AsRef<[u8]>) -> (Self, Option<Mistakes>) {
        let mut mistakes = Vec::new();
        let mut lines = lines(content.as_ref(), &mut mistakes);
        let (file, text) = sound(&mut lines, &mut mistakes);
        let mut found = BTreeMap::new();
        for (serial, entry) in file.inverters {
            let (place, serial) = (serial.span().start, serial.into_inner());
            let named = read(entry.into_inner()).map_err(|what| format!("{serial}: {what}"));
            let named = named.and_then(|named| match serial.parse() {
                Ok(serial) => Ok((serial, named)),
                Err(error) => Err(format!("{serial:?} is no serial number: {error}")),
            });
            match named {
                Ok((serial, named)) => {
                    found.insert(serial, named);
                }
                Err(what) => mistakes.push(Mistake {
                    line: line(&text, place),
                    what,
                }),
            }
        }
        mistakes.sort_by_key(|mistake| mistake.line);
        let mistakes = (!mistakes.is_empty()).then_some(Mistakes(mistakes));
        (Self(found), mistakes)
    }
}

/// The lines of a file. One that is no text is empty.
fn lines(content: &[u8], mistakes: &mut Vec<Mistake>) -> Vec<String> {
    let lines = content.split(|byte| *byte == b'\n').enumerate();
    let text = |(place, line): (usize, &[u8])| {
        let Ok(text) = str::from_utf8(line) else {
            mistakes.push(Mistake {
                line: place + 1,
                what: "is no text in UTF-8".to_owned(),
            });
            return String::new();
        };
        text.to_owned()
    };
    lines.map(text).collect()
}

/// What the lines say, and their text, without those that keep the others from being read.
fn sound(lines: &mut [String], mistakes: &mut Vec<Mistake>) -> (File, String) {
    for _ in 0..MOST_LINES {
        let text = lines.join("\n");
        let error = match toml::from_str(&text) {
            Ok(file) => return (file, text),
            Err(error) => error,
        };
        let place = error.span().map_or(text.len(), |span| span.start);
        let named = line(&text, place);
        // What is missing at the end is missing in the last line that has something.
        let guilty = lines.iter().take(named).rposition(|line| !line.is_empty());
        let Some(guilty) = guilty else {
            break;
        };
        // A brace that is left open is noticed in the next line.
        let before = lines[..guilty].iter().rposition(|line| !line.is_empty());
        let guilty = before
            .filter(|before| is_open(&lines[*before]))
            .unwrap_or(guilty);
        mistakes.push(Mistake {
            line: guilty + 1,
            what: error.message().to_owned(),
        });
        lines[guilty].clear();
    }
    (File::default(), String::new())
}

/// Whether more braces are opened in a line than closed.
fn is_open(line: &str) -> bool {
    line.matches('{').count() > line.matches('}').count()
}

/// What stands in the file. Anything else in it is a mistake.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    inverters: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

fn read(entry: toml::Value) -> Result<Named, String> {
    let text = |what: &str, value: toml::Value| match value {
        toml::Value::String(text) if text.trim_matches(is_blank).is_empty() => {
            Err(format!("{what} is empty; leave it out"))
        }
        toml::Value::String(text) if text.chars().count() > LONGEST_NAME => {
            Err(format!("{what} has more than {LONGEST_NAME} characters"))
        }
        toml::Value::String(text) if text.contains(char::is_control) => {
            Err(format!("{what} has a control character"))
        }
        toml::Value::String(text) => {
            let visible: String = text.chars().filter(|one| !turns_text(*one)).collect();
            Ok(visible.trim().to_owned())
        }
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

/// Whether a character is not to be seen and turns the direction of the text around it, also beyond the name: an
/// embedding, an override, an isolate or the end of one. Marks, which right-to-left names may need, do no such thing.
fn turns_text(one: char) -> bool {
    matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_blank(one: char) -> bool {
    one.is_whitespace() || turns_text(one)
}

fn line(text: &str, place: usize) -> usize {
    text.get(..place).unwrap_or(text).matches('\n').count() + 1
}

/// All that is wrong with a file of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mistake {
    line: usize,
    what: String,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, mistake) in self.0.iter().enumerate() {
            if place > 0 {
                formatter.write_str("; ")?;
            }
            // A key may be any text.
            let what = mistake.what.replace(char::is_control, "\u{fffd}");
            write!(formatter, "line {}: {what}", mistake.line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
