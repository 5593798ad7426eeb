//! Firmware versions, and what changed with them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The version of a gateway's software: one letter and dotted numbers, such as `D8.3.5169`.
///
/// Compared by its numbers, never as text: the third one has reached four digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    text: String,
    numbers: Vec<u32>,
}

/// The text is not a firmware version.
#[derive(Debug, Error)]
#[error("{0:?} is not a firmware version: give dotted numbers such as 5.0.62 or D8.3.5169")]
pub struct NotAFirmware(String);

impl Firmware {
    /// The first number: below 7 passwords, from 7 on tokens.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.numbers[0]
    }

    /// From 7 on: TLS, tokens, kept connections. Below: plain HTTP, digest, one request a connection.
    #[must_use]
    pub fn uses_tokens(&self) -> bool {
        self.major() >= 7
    }

    /// Whether it is this version or a later one.
    pub(crate) fn is_at_least(&self, version: &[u32]) -> bool {
        self.numbers.as_slice() >= version
    }

    /// Whether it is exactly this version.
    pub(crate) fn is(&self, version: &[u32]) -> bool {
        self.numbers == version
    }

    /// The number as packages carry it: `08.03.5169`.
    pub(crate) fn of_package(&self) -> String {
        let numbers: Vec<String> = self.numbers.iter().map(|n| format!("{n:02}")).collect();
        numbers.join(".")
    }

    /// `/ivp/pdm/device_data` came late in 8.2: 8.2.127 has it.
    pub(crate) fn has_device_data(&self) -> bool {
        self.is_at_least(&[8, 2, 127])
    }

    /// `devType` appeared with 4.10; 4.2.33 and all of 3.x leave it out.
    pub(crate) fn has_device_types(&self) -> bool {
        self.is_at_least(&[4, 10])
    }
}

impl FromStr for Firmware {
    type Err = NotAFirmware;

    /// Accepts the version with or without its letter; without one it gets the `D` of most gateways.
    fn from_str(text: &str) -> Result<Self, NotAFirmware> {
        let refused = || NotAFirmware(text.to_owned());
        let digits = text.strip_prefix(|c: char| c.is_ascii_alphabetic());
        let numbers = digits
            .unwrap_or(text)
            .split('.')
            .map(|part| {
                if part.bytes().all(|b| b.is_ascii_digit()) {
                    part.parse().map_err(|_| refused())
                } else {
                    Err(refused())
                }
            })
            .collect::<Result<Vec<u32>, _>>()?;
        if numbers.len() < 2 {
            return Err(refused());
        }
        let text = match digits {
            Some(_) => text.to_owned(),
            None => format!("D{text}"),
        };
        Ok(Self { text, numbers })
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firmware(text: &str) -> Firmware {
        text.parse().expect("a version")
    }

    #[test]
    fn one_letter_is_stripped_and_numbers_compare_as_numbers() {
        assert!(firmware("D8.3.5169").is_at_least(&[8, 3, 598]));
        assert!(firmware("R4.10.35").has_device_types());
        assert!(!firmware("M4.2.33").has_device_types());
        assert!(!firmware("R3.9.36").uses_tokens());
        assert_eq!(firmware("7.6.175").to_string(), "D7.6.175");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "8",
            "D",
            "DD8.1",
            "8.x",
            "8..1",
            "8.1 ",
            "+8.1",
            "8.99999999999",
        ] {
            assert!(text.parse::<Firmware>().is_err(), "{text}");
        }
    }
}
