//! The password that Enphase's installers use below firmware 7, computed from the gateway's serial.

use md5::{Digest, Md5};

use crate::serial::Serial;

/// The realm of every gateway.
pub(super) const REALM: &str = "enphaseenergy.com";

/// The computed password of a user.
pub(super) fn installer(serial: &Serial, user: &str) -> String {
    from_digest(&hex_md5(&format!(
        "[e]{user}@{REALM}#{serial} EnPhAsE eNeRgY "
    )))
}

/// Lower-case hexadecimal MD5 of a text.
pub(super) fn hex_md5(text: &str) -> String {
    let digest = u128::from_be_bytes(Md5::digest(text).into());
    format!("{digest:032x}")
}

/// The last eight digits backwards, each `0` and `1` replaced by a letter that depends on how many
/// of them the whole digest has.
fn from_digest(hex: &str) -> String {
    let count = |digit: char| u8::try_from(hex.matches(digit).count()).unwrap_or(u8::MAX);
    let (mut zeros, mut ones) = (Counter(count('0')), Counter(count('1')));
    hex.chars()
        .rev()
        .take(8)
        .map(|digit| {
            // Both counters move for every digit, whichever it is.
            zeros.adjust(&[3, 6, 9], 20);
            ones.adjust(&[9, 15], 26);
            match digit {
                '0' => zeros.letter_from(b'f'),
                '1' => ones.letter_from(b'@'),
                other => other,
            }
        })
        .collect()
}

/// How far into the alphabet the next replacement lies.
struct Counter(u8);

impl Counter {
    fn adjust(&mut self, skipped: &[u8], highest: u8) {
        if skipped.contains(&self.0) {
            self.0 -= 1;
        }
        self.0 = self.0.min(highest);
    }

    fn letter_from(&mut self, first: u8) -> char {
        let letter = char::from(first + self.0);
        // One below zero counts as zero again.
        self.0 = self.0.saturating_sub(1);
        letter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_published_examples() {
        for (serial, password) in [
            ("122112123456", "d525d2jh"),
            ("121430030548", "34Be4859"),
            ("012345678901", "ffc6e2c2"),
            ("121938119871", "be84Abe8"),
            ("121621012167", "2eDhg4Ce"),
        ] {
            assert_eq!(
                installer(&serial.parse().expect("a serial"), "installer"),
                password
            );
        }
    }

    #[test]
    fn every_branch_of_the_replacement_is_as_published() {
        assert_eq!(from_digest(&"0".repeat(32)), "zyxwvuts");
        assert_eq!(from_digest(&"1".repeat(32)), "ZYXWVUTS");
        assert_eq!(from_digest("7c60b191a3f45f42c8b99d209a5c60cb"), "bch6c5a9");
        assert_eq!(from_digest("5bab74732cca8faf481303b664045ce9"), "9ec54h46");
    }
}
