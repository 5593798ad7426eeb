//! One key of a configuration: its names, its default, what it is for.

/// A configuration key. A program's table of these is the one source for its flags, its
/// environment, its file and its documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The path in the configuration file, `section.name` or `name`.
    pub name: &'static str,
    /// The environment variable; empty for keys that exist in the file only.
    pub env: &'static str,
    /// Another environment variable that means the same, read when `env` is unset.
    pub env_alias: Option<&'static str>,
    /// The flag without its dashes.
    pub flag: Option<&'static str>,
    /// The value when nothing is set, as it would be written.
    pub default: Option<&'static str>,
    /// What stands for the value in the help.
    pub value: &'static str,
    /// What a value looks like, for the sample files; a default needs none.
    pub example: Option<&'static str>,
    /// Whether the value must never be shown; it can then also be given as a file.
    pub secret: bool,
    /// One line for people.
    pub help: &'static str,
}

impl Key {
    /// A key with its names in the file and in the environment.
    #[must_use]
    pub const fn new(name: &'static str, env: &'static str) -> Self {
        Self {
            name,
            env,
            env_alias: None,
            flag: None,
            default: None,
            value: "VALUE",
            example: None,
            secret: false,
            help: "",
        }
    }

    /// A key that can be set in the file only: what tests must shorten.
    #[must_use]
    pub const fn file_only(name: &'static str) -> Self {
        Self::new(name, "")
    }

    /// Gives it a flag, and a name for the flag's value.
    #[must_use]
    pub const fn flag(mut self, flag: &'static str, value: &'static str) -> Self {
        self.flag = Some(flag);
        self.value = value;
        self
    }

    /// Gives it a second environment variable.
    #[must_use]
    pub const fn env_alias(mut self, alias: &'static str) -> Self {
        self.env_alias = Some(alias);
        self
    }

    /// Gives it a default.
    #[must_use]
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Makes it a secret. Secrets have no flag: a process list would show them.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Shows what a value looks like. It must be one that is taken, and never a real secret.
    #[must_use]
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// Says what it is for.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// The key of the file that names a secret's file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}_file", self.name)
    }

    /// Every variable that it is read from.
    pub(super) fn variables(self) -> impl Iterator<Item = String> {
        let names = [Some(self.env), self.env_alias].into_iter().flatten();
        let names = names.filter(|name| !name.is_empty());
        names.flat_map(move |name| {
            let twin = self.secret.then(|| format!("{name}_FILE"));
            [Some(name.to_owned()), twin].into_iter().flatten()
        })
    }

    /// Every key of the file that it is read from.
    pub(super) fn names_in_file(self) -> impl Iterator<Item = String> {
        let twin = self.secret.then(|| self.file_name());
        [Some(self.name.to_owned()), twin].into_iter().flatten()
    }
}
