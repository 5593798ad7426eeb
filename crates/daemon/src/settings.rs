//! Configuration: flags over environment over file over defaults, every mistake listed at once.
//!
//! A program states its [`Key`]s in a table, gathers the raw text of all of them with
//! [`Settings::gather`], turns each into its type with [`Settings::required`],
//! [`Settings::optional`] and [`Settings::secret`], and ends with [`Settings::finish`]. Parsers see
//! the text as it was written (`007` stays `007`); a failing one is noted, and the next key is read
//! all the same.

mod key;
mod parse;
mod problem;
mod secret;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

pub use key::Key;
pub use parse::{duration, readable_file, text};
pub use problem::{Problem, Problems};
pub use secret::Secret;
pub use source::Sources;

use source::Origin;

/// The raw values that are in force, and the mistakes found so far. Not `Debug`: it holds secrets.
pub struct Settings {
    sources: Sources,
    file: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Settings {
    /// Reads the file, if there is one, and notes what it has that `keys` do not.
    #[must_use]
    pub fn gather(keys: &[Key], sources: Sources) -> Self {
        let mut problems = Vec::new();
        let file = match &sources.file {
            None => BTreeMap::new(),
            Some(path) => source::read_file(path).unwrap_or_else(|message| {
                problems.push(Problem::new(path.display().to_string(), message));
                BTreeMap::new()
            }),
        };
        let known: BTreeSet<String> = keys
            .iter()
            .flat_map(|key| {
                let file_variant = key.secret.then(|| secret::file_key(key));
                [Some(key.name.to_owned()), file_variant]
            })
            .flatten()
            .collect();
        if let Some(path) = &sources.file {
            for name in file.keys().filter(|name| !known.contains(*name)) {
                let place = Origin::File(path.clone(), name.clone());
                problems.push(Problem::new(
                    place.to_string(),
                    "there is no such key; the README's table of settings has them all",
                ));
            }
        }
        for name in keys.iter().flat_map(environment_names) {
            if sources.unreadable.contains(&name) {
                problems.push(Problem::new(name, "its value is not Unicode"));
            }
        }
        Self {
            sources,
            file,
            problems,
        }
    }

    /// The value of a key that may be unset, turned into its type.
    pub fn optional<T, E: Display>(
        &mut self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (text, origin) = self.raw(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let shown = if key.secret {
                    "***".to_owned()
                } else {
                    without_user_info(&text)
                };
                self.note(&origin.to_string(), format!("{shown:?}: {error}"));
                None
            }
        }
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
        let value = self.raw(key);
        let file = self.raw_file_variant(key);
        match (value, file) {
            (Some((_, value)), Some((_, file))) => {
                self.note(
                    &value.to_string(),
                    format!("set together with {file}; keep one of them"),
                );
                None
            }
            (Some((text, _)), None) => Some(Secret::given(text)),
            (None, Some((path, origin))) => match Secret::in_file(path.into()) {
                Ok(secret) => Some(secret),
                Err(message) => {
                    self.note(&origin.to_string(), message);
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// The value of a secret that must be set.
    pub fn required_secret(&mut self, key: &Key) -> Option<Secret> {
        if self.raw(key).is_none() && self.raw_file_variant(key).is_none() {
            self.note_missing(key);
            return None;
        }
        self.secret(key)
    }

    /// Notes a mistake that only shows in two values together.
    pub fn reject(&mut self, key: &Key, message: impl Into<String>) {
        let place = self.raw(key).or_else(|| self.raw_file_variant(key));
        let place = place.map_or_else(|| named(key), |(_, origin)| origin.to_string());
        self.note(&place, message);
    }

    /// Whether a key is set anywhere but by its default, a secret also by its `_FILE` twin.
    #[must_use]
    pub fn is_set(&self, key: &Key) -> bool {
        self.raw(key)
            .is_some_and(|(_, origin)| !matches!(origin, Origin::Default(_)))
            || (key.secret && self.raw_file_variant(key).is_some())
    }

    /// An environment variable that is no key of ours, such as `HOME`; unset when empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment(name).map(|(text, _)| text)
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

    /// Flags over environment over file over default. A variable that is set but empty counts as
    /// unset: compose files pass such for what their user left out.
    fn raw(&self, key: &Key) -> Option<(String, Origin)> {
        let flag = key.flag.and_then(|flag| {
            let text = self.sources.flags.get(key.name)?;
            Some((text.clone(), Origin::Flag(flag)))
        });
        flag.or_else(|| self.environment(key.env))
            .or_else(|| self.environment(key.env_alias?))
            .or_else(|| self.in_file(key.name))
            .or_else(|| Some((key.default?.to_owned(), Origin::Default(key.name))))
    }

    fn raw_file_variant(&self, key: &Key) -> Option<(String, Origin)> {
        let by_environment = [Some(key.env), key.env_alias]
            .into_iter()
            .flatten()
            .find_map(|name| self.environment(&format!("{name}_FILE")));
        by_environment.or_else(|| self.in_file(&secret::file_key(key)))
    }

    fn environment(&self, name: &str) -> Option<(String, Origin)> {
        let text = self.sources.environment.get(name)?;
        (!text.is_empty()).then(|| (text.clone(), Origin::Environment(name.to_owned())))
    }

    fn in_file(&self, name: &str) -> Option<(String, Origin)> {
        let text = self.file.get(name)?;
        let path = self.sources.file.clone()?;
        Some((text.clone(), Origin::File(path, name.to_owned())))
    }

    fn note_missing(&mut self, key: &Key) {
        let message = if key.help.is_empty() {
            "missing".to_owned()
        } else {
            format!("missing: {}", key.help)
        };
        self.note(&named(key), message);
    }

    fn note(&mut self, place: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(place, message));
    }
}

/// Every variable that a key is read from.
fn environment_names(key: &Key) -> impl Iterator<Item = String> {
    let names = [Some(key.env), key.env_alias].into_iter().flatten();
    let secret = key.secret;
    names.flat_map(move |name| {
        [
            Some(name.to_owned()),
            secret.then(|| format!("{name}_FILE")),
        ]
        .into_iter()
        .flatten()
    })
}

/// An address as it may be shown: user and password before an `@` are a secret in the wrong place.
fn without_user_info(text: &str) -> String {
    let Some((user_info, rest)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    match user_info.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://***@{rest}"),
        None => format!("***@{rest}"),
    }
}

/// The name under which most people set a key.
fn named(key: &Key) -> String {
    if key.env.is_empty() {
        key.name.to_owned()
    } else {
        key.env.to_owned()
    }
}

#[cfg(test)]
mod tests;
