//! Which of the sources has a key's value, and what is written down about it.

use super::source::Origin;
use super::{Key, Problem, Settings, value};

impl Settings {
    /// Flags over environment over file over default. A variable that is set but empty counts as
    /// unset: compose files pass such for what their user left out.
    pub(super) fn raw(&self, key: &Key) -> Option<(String, Origin)> {
        let flag = key.flag.and_then(|flag| {
            let text = self.sources.flags.get(key.name)?;
            Some((text.clone(), Origin::Flag(flag)))
        });
        flag.or_else(|| self.environment(key.env))
            .or_else(|| self.environment(key.env_alias?))
            .or_else(|| self.in_file(key.name))
            .or_else(|| Some((key.default?.to_owned(), Origin::Default(key.name))))
    }

    /// The path of a secret's file.
    pub(super) fn raw_twin(&self, key: &Key) -> Option<(String, Origin)> {
        if !key.secret {
            return None;
        }
        let by_environment = [Some(key.env), key.env_alias]
            .into_iter()
            .flatten()
            .find_map(|name| self.environment(&format!("{name}_FILE")));
        by_environment.or_else(|| self.in_file(&key.file_name()))
    }

    pub(super) fn environment(&self, name: &str) -> Option<(String, Origin)> {
        let text = self.sources.environment.get(name)?;
        (!text.is_empty()).then(|| (text.clone(), Origin::Environment(name.to_owned())))
    }

    fn in_file(&self, name: &str) -> Option<(String, Origin)> {
        let text = self.file.get(name)?;
        let path = self.sources.file.clone()?;
        Some((text.clone(), Origin::File(path, name.to_owned())))
    }

    /// Where a key is set, or else the name under which most people set it.
    pub(super) fn place(&self, key: &Key) -> String {
        match self.raw(key).or_else(|| self.raw_twin(key)) {
            Some((_, origin)) => origin.to_string(),
            None if key.env.is_empty() => key.name.to_owned(),
            None => key.env.to_owned(),
        }
    }

    pub(super) fn note_missing(&mut self, key: &Key) {
        if self.unread || key.names_in_file().any(|name| self.lists.contains(&name)) {
            return;
        }
        let other = match (key.flag, key.secret) {
            (_, true) => format!("{}_FILE, or ", key.env),
            (Some(flag), false) => format!("--{flag}, or "),
            (None, false) => String::new(),
        };
        let message = format!("missing: {} (or {other}{} in a file)", key.help, key.name);
        self.note(&self.place(key), message);
    }

    pub(super) fn note(&mut self, place: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(place, message));
    }

    /// A password may be in quotation marks, but hardly ever is.
    pub(super) fn remark_on_quotes(&mut self, secret: &str, origin: &Origin) {
        if value::is_quoted(secret) {
            self.remarks.push(Problem::new(
                origin.to_string(),
                "the secret has quotation marks around it, which are taken as part of it; if they are not, leave them out",
            ));
        }
    }
}
