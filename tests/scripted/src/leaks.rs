//! Looks for secrets in what programs print, in every form in which they could have got there.

use std::fmt;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Secrets, each with its name.
#[derive(Default, Clone)]
pub struct Secrets(Vec<Secret>);

#[derive(Clone)]
struct Secret {
    name: String,
    forms: Vec<(&'static str, String)>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|secret| &secret.name))
            .finish()
    }
}

/// A secret that was printed. It is named, and not shown once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Which secret.
    pub secret: String,
    /// In which form.
    pub form: &'static str,
    /// In which line, from 1.
    pub line: usize,
}

impl Secrets {
    /// A shorter one, in bytes, would be found by chance.
    pub const SHORTEST: usize = 6;

    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret.
    ///
    /// # Panics
    /// When it is so short that it would be found by chance.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        assert!(
            value.len() >= Self::SHORTEST,
            "{name} is too short to be looked for"
        );
        self.0.push(Secret {
            name: name.to_owned(),
            forms: forms(value),
        });
        self
    }

    /// Every leak in these lines.
    #[must_use]
    pub fn leaks(&self, lines: &[String]) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            for secret in &self.0 {
                let found = secret.forms.iter().filter(|(_, form)| line.contains(form));
                leaks.extend(found.map(|(form, _)| Leak {
                    secret: secret.name.clone(),
                    form,
                    line: index + 1,
                }));
            }
        }
        leaks
    }

    /// A line with each secret in each form: what a search that works must find.
    #[must_use]
    pub fn deliberate_leak(&self) -> Vec<String> {
        let forms = self.0.iter().flat_map(|secret| &secret.forms);
        forms
            .map(|(name, form)| format!("TRACE a line of a log, {name}: <{form}>"))
            .collect()
    }

    /// How many leaks a search of [`deliberate_leak`](Self::deliberate_leak) must find at least.
    #[must_use]
    pub fn forms(&self) -> usize {
        self.0.iter().map(|secret| secret.forms.len()).sum()
    }
}

fn forms(value: &str) -> Vec<(&'static str, String)> {
    let bytes = value.as_bytes();
    let mut forms = vec![
        ("as it is", value.to_owned()),
        ("reversed", value.chars().rev().collect()),
        ("hex", joined(bytes, "", |byte| format!("{byte:02x}"))),
        ("HEX", joined(bytes, "", |byte| format!("{byte:02X}"))),
        ("a list of bytes", joined(bytes, ", ", u8::to_string)),
        (
            "a list of hex bytes",
            joined(bytes, ", ", |byte| format!("0x{byte:02x}")),
        ),
    ];
    // Base64 of a text that has the secret in it depends on where in the text it begins.
    for shift in 0..3 {
        forms.push(("base64", inner(bytes, shift, &STANDARD_NO_PAD)));
        forms.push(("base64 for URLs", inner(bytes, shift, &URL_SAFE_NO_PAD)));
    }
    let percent: String = bytes
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    forms.push(("percent-encoded", percent));
    forms.push(("escaped", value.escape_debug().collect()));
    forms
}

fn joined(bytes: &[u8], between: &str, show: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(show).collect::<Vec<_>>().join(between)
}

/// The characters of a base64 text that come from these bytes alone, when `shift` others precede
/// them.
fn inner(bytes: &[u8], shift: usize, engine: &impl base64::Engine) -> String {
    let mut shifted = vec![b'x'; shift];
    shifted.extend_from_slice(bytes);
    let whole = shifted.len() / 3 * 3;
    let text = engine.encode(&shifted[..whole]);
    let foreign = if shift == 0 { 0 } else { 4 };
    text[foreign..].to_owned()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_secret_is_found_in_each_of_its_forms() {
        let secrets = Secrets::new()
            .with("password", "hunter2 & Söhne")
            .with("token", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
        let leak = secrets.deliberate_leak();
        for line in &leak {
            assert!(
                !secrets.leaks(std::slice::from_ref(line)).is_empty(),
                "{line}"
            );
        }
        assert!(secrets.leaks(&leak).len() >= secrets.forms());
    }

    #[test]
    fn a_basic_authorization_header_shows_its_password() {
        let secrets = Secrets::new().with("password", "hunter2hunter2");
        for user in ["", "a", "ab", "installer"] {
            let header = STANDARD.encode(format!("{user}:hunter2hunter2"));
            assert!(
                !secrets.leaks(&[format!("Basic {header}")]).is_empty(),
                "{user}"
            );
        }
    }

    #[test]
    fn other_lines_hold_no_leak() {
        let secrets = Secrets::new().with("password", "hunter2hunter2");
        assert_eq!(secrets.leaks(&["connected as hunter".to_owned()]), []);
    }
}
