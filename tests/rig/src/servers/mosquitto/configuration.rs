//! Mosquitto's configuration: the shipped one, and what a test has otherwise.

use super::certificates::{CERTIFICATE, KEY};
use super::{PORT_TLS, TLS_FOLDER, shipped};

/// The shipped configuration with changes: for tests of what a setting is there for, and of TLS.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    changes: Vec<(&'static str, Option<String>)>,
    tls: bool,
}

impl Configuration {
    /// The shipped one.
    #[must_use]
    pub fn shipped() -> Self {
        Self::default()
    }

    /// With another value of a setting that the shipped one has.
    #[must_use]
    pub fn with(mut self, setting: &'static str, value: &str) -> Self {
        self.changes.push((setting, Some(value.to_owned())));
        self
    }

    /// Without a setting that the shipped one has, so that Mosquitto's own default is in force.
    #[must_use]
    pub fn without(mut self, setting: &'static str) -> Self {
        self.changes.push((setting, None));
        self
    }

    /// With a second listener, for TLS, whose certificate can be replaced.
    #[must_use]
    pub fn with_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    pub(super) fn has_tls(&self) -> bool {
        self.tls
    }

    pub(super) fn text(&self) -> String {
        let path = shipped("mosquitto.conf");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (setting, value) in &self.changes {
            let at = lines
                .iter()
                .position(|line| line.split(' ').next() == Some(*setting))
                .unwrap_or_else(|| panic!("the shipped configuration has no {setting}"));
            match value {
                Some(value) => lines[at] = format!("{setting} {value}"),
                None => drop(lines.remove(at)),
            }
        }
        if self.tls {
            lines.extend([
                format!("listener {PORT_TLS}"),
                format!("certfile {TLS_FOLDER}/{CERTIFICATE}"),
                format!("keyfile {TLS_FOLDER}/{KEY}"),
            ]);
        }
        lines.join("\n") + "\n"
    }
}
