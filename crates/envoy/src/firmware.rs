//! Which firmware an Envoy runs, as it says so itself.

use std::fmt;
use std::str::FromStr;

/// The longest version text that is kept; the longest seen has ten characters.
const LONGEST: usize = 32;

/// A firmware version such as `D8.3.5433`.
///
/// One letter and numbers with dots between them. Compared by the numbers (`D8.3.5433` is newer
/// than `D8.3.999`); the original text is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Firmware {
    // The order of the fields is the order of comparison.
    numbers: Vec<u32>,
    text: String,
}

/// A version that is not a letter followed by numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a firmware version such as D8.3.5433")]
pub struct FirmwareError(String);

impl Firmware {
    /// Whether this is the given version or a newer one: `firmware.is_at_least(&[8, 2, 4264])`.
    #[must_use]
    pub fn is_at_least(&self, version: &[u32]) -> bool {
        self.numbers.as_slice() >= without_final_zeros(version)
    }

    /// Whether this one is asked with a token; those below 7 want a user and password.
    pub(crate) fn takes_tokens(&self) -> bool {
        self.is_at_least(&[7])
    }

    /// Whether this one can write the net consumption where the total one belongs.
    pub(crate) fn takes_net_for_total(&self) -> bool {
        self.is_at_least(&[8, 3, 5433])
    }

    /// Whether the inverters' lifetime counter in `/production.json` wraps at 2^32 joules.
    pub(crate) fn wraps_lifetime(&self) -> bool {
        self.is_at_least(&[7]) && !self.is_at_least(&[8, 2, 4264])
    }
}

impl FromStr for Firmware {
    type Err = FirmwareError;

    fn from_str(text: &str) -> Result<Self, FirmwareError> {
        let text = text.trim();
        let refused = || FirmwareError(text.chars().take(LONGEST).collect());
        if text.len() > LONGEST {
            return Err(refused());
        }
        let digits = text
            .strip_prefix(|first: char| first.is_ascii_alphabetic())
            .unwrap_or(text);
        let numbers = digits
            .split('.')
            .map(|part| part.parse().map_err(|_| refused()))
            .collect::<Result<Vec<u32>, _>>()?;
        Ok(Self {
            numbers: without_final_zeros(&numbers).to_vec(),
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `8.3` and `8.3.0` are the same version.
fn without_final_zeros(mut numbers: &[u32]) -> &[u32] {
    while let [rest @ .., 0] = numbers {
        numbers = rest;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firmware(text: &str) -> Firmware {
        text.parse().expect(text)
    }

    #[test]
    fn versions_are_compared_by_number() {
        let ascending = [
            "R3.9.36",
            "D3.18.10",
            "M4.2.33",
            "R4.10.35",
            "D5.0.62",
            "D7.3.130",
            "D7.6.175",
            "D8.2.4264",
            "D8.3.999",
            "D8.3.5433",
        ];
        for pair in ascending.windows(2) {
            assert!(firmware(pair[0]) < firmware(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn the_original_text_is_kept() {
        assert_eq!(firmware(" D8.3.5433\n").to_string(), "D8.3.5433");
        assert_eq!(firmware("8.03.5433").to_string(), "8.03.5433");
    }

    #[test]
    fn tokens_begin_with_version_7() {
        assert!(!firmware("D5.0.62").takes_tokens());
        assert!(!firmware("R6.99.9999").takes_tokens());
        assert!(firmware("D7").takes_tokens());
        assert!(firmware("D7.0.0").takes_tokens());
        assert!(firmware("D10.0.1").takes_tokens());
        assert!(firmware("D8.2.4264").is_at_least(&[8, 2, 4264]));
        assert!(!firmware("D8.2.4263").is_at_least(&[8, 2, 4264]));
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for text in [
            "",
            "D",
            "DD7.1",
            "7.x",
            "7..1",
            "D7.1 (abc)",
            "-7",
            "D99999999999",
        ] {
            assert!(text.parse::<Firmware>().is_err(), "{text}");
        }
    }
}
