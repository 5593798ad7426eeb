//! A certificate in one line.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// The SHA-256 of a certificate's DER form, as browsers and `openssl x509 -fingerprint -sha256` show
/// it: 32 bytes in hexadecimal digits, with colons between them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; SHA256_OUTPUT_LEN]);

/// A text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no SHA-256 fingerprint: it has 64 hexadecimal digits, with or without colons")]
pub struct NotAFingerprint;

impl Fingerprint {
    /// That of a certificate in DER form.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u8>> = text
            .bytes()
            .filter(|&byte| byte != b':')
            .map(|byte| char::from(byte).to_digit(16)?.try_into().ok())
            .collect();
        let digits = digits.ok_or(NotAFingerprint)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect();
        if digits.len() != 2 * SHA256_OUTPUT_LEN {
            return Err(NotAFingerprint);
        }
        bytes.try_into().map(Self).map_err(|_| NotAFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_as_openssl_shows_it_and_read_back() {
        // Of no bytes at all, as FIPS 180-4's examples give it.
        let shown = "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:\
                     27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";
        let fingerprint = Fingerprint::of(b"");
        assert_eq!(fingerprint.to_string(), shown);
        for text in [shown.to_owned(), shown.replace(':', "").to_lowercase()] {
            assert_eq!(text.parse(), Ok(fingerprint));
        }
    }

    #[test]
    fn anything_else_is_none() {
        let long = "ab".repeat(33);
        let odd = "a".repeat(63);
        let foreign = "g".repeat(64);
        for text in ["", "AB:CD", &long, &odd, &foreign, "é"] {
            assert_eq!(
                text.parse::<Fingerprint>(),
                Err(NotAFingerprint),
                "{text:?}"
            );
        }
    }
}
