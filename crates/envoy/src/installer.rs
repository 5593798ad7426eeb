//! The password of the user `installer`, which follows from the Envoy's serial number.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use secrecy::SecretString;

/// The realm of every Envoy below firmware 7.
const REALM: &str = "enphaseenergy.com";

/// The password of `user` (usually `installer`) on the Envoy with this serial, for firmware
/// below 7. Eight characters.
///
/// The algorithm is that of Enphase's own installer tool, as public clients reproduce it: the
/// MD5 of a fixed phrase, of which the last eight hexadecimal digits are taken backwards, zeros
/// and ones replaced by letters.
#[must_use]
pub fn installer_password(serial: &str, user: &str) -> SecretString {
    let phrase = format!("[e]{user}@{REALM}#{serial} EnPhAsE eNeRgY ");
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(phrase) {
        write!(hex, "{byte:02x}").expect("writing to a String can't fail");
    }
    SecretString::from(scramble(&hex))
}

/// The last eight digits of `hex` backwards, with `0` and `1` replaced by letters that depend on
/// how many of each the whole of it has, fewer after each use.
fn scramble(hex: &str) -> String {
    let mut zeros = count(hex, '0');
    let mut ones = count(hex, '1');
    let digits = hex.chars().rev().take(8);
    digits
        .map(|digit| {
            // These adjustments happen at every digit, also at those that stay as they are.
            if matches!(zeros, 3 | 6 | 9) {
                zeros -= 1;
            }
            zeros = zeros.clamp(0, 20);
            if matches!(ones, 9 | 15) {
                ones -= 1;
            }
            ones = ones.clamp(0, 26);
            match digit {
                '0' => {
                    zeros -= 1;
                    letter(b'f', zeros + 1)
                }
                '1' => {
                    ones -= 1;
                    letter(b'@', ones + 1)
                }
                other => other,
            }
        })
        .collect()
}

/// How often a digit occurs; signed, since the counts go below zero before they are clamped.
fn count(hex: &str, digit: char) -> i16 {
    hex.chars()
        .fold(0, |count, other| count + i16::from(other == digit))
}

fn letter(first: u8, steps: i16) -> char {
    let steps = u8::try_from(steps).expect("a count is clamped to 0..=26 before its use");
    char::from(first + steps)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn known_serials_give_their_passwords() {
        for (serial, password) in [
            ("122112123456", "d525d2jh"),
            ("121430030548", "34Be4859"),
            ("012345678901", "ffc6e2c2"),
            ("121426016034", "B285db82"),
            ("121938119871", "be84Abe8"),
            ("121621012167", "2eDhg4Ce"),
            ("999999999999", "522cd7De"),
            ("122027033238", "9da59d2b"),
        ] {
            let computed = installer_password(serial, "installer");
            assert_eq!(computed.expose_secret(), password, "{serial}");
        }
    }

    #[test]
    fn extreme_digests_are_scrambled_as_known() {
        assert_eq!(scramble(&"0".repeat(32)), "zyxwvuts");
        assert_eq!(scramble(&"1".repeat(32)), "ZYXWVUTS");
        assert_eq!(scramble("7c60b191a3f45f42c8b99d209a5c60cb"), "bch6c5a9");
        assert_eq!(scramble("5bab74732cca8faf481303b664045ce9"), "9ec54h46");
    }

    #[test]
    fn the_password_is_not_shown_by_debug() {
        let shown = format!("{:?}", installer_password("122112123456", "installer"));
        assert!(!shown.contains("d525d2jh"), "{shown}");
    }
}
