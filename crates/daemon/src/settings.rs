//! Configuration: flags over environment over file over defaults, every mistake listed at once.
//!
//! A program states its [`Key`]s in a table, gathers the raw text of all of them with
//! [`Settings::gather`], turns each into its type with [`Settings::required`],
//! [`Settings::optional`] and [`Settings::secret`], and ends with [`Settings::finish`]. Parsers see
//! the text as it was written (`007` stays `007`); a failing one is noted, and the next key is read
//! all the same. A mistake says where the value came from, the value (never a secret's), what is
//! wrong with it and what to do; what is only doubtful is a remark, which `logs` says at WARN.

mod key;
mod source;

mod lookup;
mod text_file;
mod toml;

mod nearest;
mod unknown;

mod parse;
mod secret;
mod value;

mod in_force;
mod problem;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;

use secrecy::ExposeSecret;

pub use key::Key;
pub use parse::{duration, log_filter, number, readable_file, switch, text};
pub use problem::{Problem, Problems};
pub use secret::Secret;
pub use source::Sources;

use source::Origin;

/// The raw values that are in force, and the mistakes found so far. Not `Debug`: it holds secrets.
pub struct Settings {
    keys: Vec<Key>,
    sources: Sources,
    file: BTreeMap<String, String>,
    /// Whether there is a file that could not be read: what is missing may stand in it.
    unread: bool,
    /// What the file sets to lists; refused, so not missing.
    lists: BTreeSet<String>,
    assumed: BTreeMap<&'static str, String>,
    problems: Vec<Problem>,
    remarks: Vec<Problem>,
}

impl Settings {
    /// Gathers what `keys` are set to, has `read` make its configuration of it, and gives that or
    /// every mistake.
    ///
    /// # Errors
    /// When there is a mistake.
    pub fn read<T>(
        keys: &[Key],
        sources: Sources,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Problems> {
        let mut settings = Self::gather(keys, sources);
        let built = read(&mut settings);
        settings.finish(built)
    }

    /// Reads the file, if there is one, and notes what it has that `keys` do not.
    #[must_use]
    pub fn gather(keys: &[Key], sources: Sources) -> Self {
        let mut settings = Self {
            keys: keys.to_owned(),
            sources,
            file: BTreeMap::new(),
            unread: false,
            lists: BTreeSet::new(),
            assumed: BTreeMap::new(),
            problems: Vec::new(),
            remarks: Vec::new(),
        };
        if let Some(path) = settings.sources.file.clone() {
            settings.read_file(&path);
        }
        for name in keys.iter().flat_map(|key| key.variables()) {
            if settings.sources.unreadable.contains(&name) {
                settings.note(&name, "its value is not Unicode; write it in UTF-8");
            }
        }
        settings.remarks = unknown::in_environment(keys, &settings.sources.environment);
        settings
    }

    fn read_file(&mut self, path: &Path) {
        match toml::read(path) {
            Ok(leaves) => {
                let place = |name: &str| Origin::File(path.to_owned(), name.to_owned());
                self.problems
                    .extend(unknown::in_file(&self.keys, &leaves, place));
                self.file = leaves.values;
                self.lists = leaves.lists;
            }
            Err(message) => {
                self.unread = true;
                self.note(&path.display().to_string(), message);
            }
        }
    }

    /// The value of a key that may be unset, turned into its type.
    pub fn optional<T, E: Display>(
        &mut self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (text, origin) = self.raw(key)?;
        let shown = if key.secret {
            "***".to_owned()
        } else {
            value::shown(key, &text)
        };
        let message = match value::check(&text) {
            Err(slip) => format!("{shown:?} {slip}"),
            Ok(()) => match parse(&text) {
                Ok(value) => return Some(value),
                Err(error) => {
                    // A parser does not know what may be shown of an address.
                    let error = error.to_string().replace(&text, &shown);
                    problem::about(&shown, &error)
                }
            },
        };
        self.note(&origin.to_string(), message);
        None
    }

    /// The value of a key that has a default or must be set, turned into its type.
    pub fn required<T, E: Display>(
        &mut self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.raw(key).is_none() {
            self.note_missing(key);
            return None;
        }
        self.optional(key, parse)
    }

    /// The value of a secret, from its own key or from the file that its `_FILE` twin names.
    pub fn secret(&mut self, key: &Key) -> Option<Secret> {
        self.checked_secret(key, |_| Ok(()))
    }

    /// The same for a secret of a known shape. What `check` finds wrong is the rest of a sentence
    /// that begins with the secret, or with its file; it must not repeat the secret.
    pub fn checked_secret(
        &mut self,
        key: &Key,
        check: impl FnOnce(&str) -> Result<(), &'static str>,
    ) -> Option<Secret> {
        match (self.raw(key), self.raw_twin(key)) {
            (Some((_, value)), Some((_, file))) => {
                let message = format!("set together with {file}; keep one of them");
                self.note(&value.to_string(), message);
                None
            }
            (Some((text, origin)), None) => {
                let text = secret::without_line_end(&text);
                match value::check_secret(text).and_then(|()| check(text)) {
                    Ok(()) => {
                        self.remark_on_quotes(text, &origin);
                        Some(Secret::Value(text.into()))
                    }
                    Err(wrong) => {
                        self.note(&origin.to_string(), format!("the secret {wrong}"));
                        None
                    }
                }
            }
            (None, Some((path, origin))) if !value::may_be_path(&path) => {
                self.note(&origin.to_string(), value::no_path(&path));
                None
            }
            (None, Some((path, origin))) => {
                let read = value::check(&path)
                    .map_err(|slip| format!("{path:?} {slip}"))
                    .and_then(|()| secret::read(path.as_ref()))
                    .and_then(|text| {
                        let text = text.expose_secret();
                        check(text).map_err(|wrong| format!("{path:?} {wrong}"))?;
                        self.remark_on_quotes(text, &origin);
                        Ok(Secret::File(path.into()))
                    });
                read.map_err(|message| self.note(&origin.to_string(), message))
                    .ok()
            }
            (None, None) => None,
        }
    }

    /// The value of a secret that must be set.
    pub fn required_secret(
        &mut self,
        key: &Key,
        check: impl FnOnce(&str) -> Result<(), &'static str>,
    ) -> Option<Secret> {
        if self.raw(key).is_none() && self.raw_twin(key).is_none() {
            self.note_missing(key);
            return None;
        }
        self.checked_secret(key, check)
    }

    /// Notes a mistake that only shows in two values together.
    pub fn reject(&mut self, key: &Key, message: impl Into<String>) {
        let place = self.place(key);
        self.note(&place, message);
    }

    /// Notes that a value can be right but hardly is.
    pub fn remark(&mut self, key: &Key, message: impl Into<String>) {
        let place = self.place(key);
        self.remarks.push(Problem::new(place, message));
    }

    /// What is taken for a key that is not set, where that depends on the machine.
    pub fn assume(&mut self, key: &Key, value: impl Into<String>) {
        self.assumed.insert(key.name, value.into());
    }

    /// Whether a key is set anywhere but by its default, a secret also by its `_FILE` twin.
    #[must_use]
    pub fn is_set(&self, key: &Key) -> bool {
        self.raw(key)
            .is_some_and(|(_, origin)| !matches!(origin, Origin::Default(_)))
            || self.raw_twin(key).is_some()
    }

    /// An environment variable that is no key of ours, such as `HOME`; unset when empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment(name).map(|(text, _)| text)
    }

    /// What is doubtful so far, for people.
    #[must_use]
    pub fn remarks(&self) -> &[Problem] {
        &self.remarks
    }

    /// Every setting with its source, as TOML. No secret is in it.
    #[must_use]
    pub fn in_force(&self) -> String {
        in_force::table(self)
    }

    /// The finished configuration, or every mistake.
    ///
    /// # Errors
    /// When a mistake was noted.
    ///
    /// # Panics
    /// When `built` is `None` although no mistake was noted: a reader gave up without a word.
    pub fn finish<T>(self, built: Option<T>) -> Result<T, Problems> {
        if self.problems.is_empty() {
            Ok(built.expect("a value is only missing when its mistake was noted"))
        } else {
            Err(Problems(self.problems))
        }
    }
}

#[cfg(test)]
mod tests;
