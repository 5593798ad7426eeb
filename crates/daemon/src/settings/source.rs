//! Where raw values come from: flags, the environment, a TOML file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

/// The origin of a value, as error messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Flag(&'static str),
    Environment(String),
    File(PathBuf, String),
    Default(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "--{flag}"),
            Self::Environment(name) => f.write_str(name),
            Self::File(path, key) => write!(f, "{key} in {}", path.display()),
            Self::Default(key) => write!(f, "the default of {key}"),
        }
    }
}

/// The raw values that a program was given. Not `Debug`: it holds secrets.
#[derive(Default)]
pub struct Sources {
    /// Values by key name, from the command line.
    pub flags: BTreeMap<&'static str, String>,
    /// The environment variables of the process.
    pub environment: BTreeMap<String, String>,
    /// Variables whose values are not Unicode.
    pub unreadable: BTreeSet<String>,
    /// The configuration file.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// Flags and file as parsed, with this process's environment.
    #[must_use]
    pub fn of_process(flags: BTreeMap<&'static str, String>, file: Option<PathBuf>) -> Self {
        let mut sources = Self {
            flags,
            file,
            ..Self::default()
        };
        for (name, value) in std::env::vars_os() {
            // No key has a name that is not Unicode.
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(sources.environment.insert(name, value)),
                Err(_) => drop(sources.unreadable.insert(name)),
            }
        }
        sources
    }
}
