//! Whose certificate is good enough.

use std::str::FromStr;

use super::fingerprint::Fingerprint;

/// Which certificates of an Envoy are accepted. Below firmware 7 there are none.
///
/// A gateway signs its certificate itself, for a name by which nobody calls it, and makes a new one
/// with firmware updates and about once a year. So there is nothing to check it against at a first
/// contact; what can be done is to remember it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificatePolicy {
    /// The first one is pinned. Another one is pinned in its place, with a warning, when it comes with
    /// the serial that is expected. Keeps out who listens, and shows who takes the Envoy's place.
    #[default]
    AcceptNew,
    /// The first one is pinned, and no other is accepted. Keeps out who takes the Envoy's place later.
    Pinned,
    /// Only this one is accepted.
    PinnedTo(Fingerprint),
    /// One that a CA of the system has signed for the address that is asked: for an Envoy behind a
    /// reverse proxy of one's own.
    System,
    /// Any. Keeps out who only listens.
    Insecure,
}

/// A text names no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPolicy {
    /// There is none of this name.
    #[error(
        "is no policy for certificates; write accept-new, pinned, pinned:FINGERPRINT (SHA-256), system or \
         insecure"
    )]
    Unknown,
    /// What stands behind `pinned:` is no fingerprint.
    #[error(
        "has no SHA-256 fingerprint behind pinned: that has 64 hexadecimal digits, with or without colons; \
         openssl x509 -noout -fingerprint -sha256 shows it"
    )]
    Fingerprint,
}

impl FromStr for CertificatePolicy {
    type Err = NotAPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "accept-new" => Ok(Self::AcceptNew),
            "pinned" => Ok(Self::Pinned),
            "system" => Ok(Self::System),
            "insecure" => Ok(Self::Insecure),
            _ => {
                let pinned = text.strip_prefix("pinned:").ok_or(NotAPolicy::Unknown)?;
                // Pasted as openssl prints it: `sha256 Fingerprint=AB:CD:…`.
                let fingerprint = match pinned.split_once('=') {
                    Some((name, value)) if name.eq_ignore_ascii_case("sha256 Fingerprint") => value,
                    _ => pinned,
                };
                fingerprint
                    .trim()
                    .parse()
                    .map(Self::PinnedTo)
                    .map_err(|_| NotAPolicy::Fingerprint)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_is_read_as_it_is_written_in_the_documentation() {
        let fingerprint = Fingerprint::of(b"a certificate");
        let policies = [
            ("accept-new".to_owned(), CertificatePolicy::AcceptNew),
            ("pinned".to_owned(), CertificatePolicy::Pinned),
            (
                format!("pinned:{fingerprint}"),
                CertificatePolicy::PinnedTo(fingerprint),
            ),
            (
                format!("pinned:sha256 Fingerprint={fingerprint}"),
                CertificatePolicy::PinnedTo(fingerprint),
            ),
            ("system".to_owned(), CertificatePolicy::System),
            ("insecure".to_owned(), CertificatePolicy::Insecure),
        ];
        for (text, policy) in policies {
            assert_eq!(text.parse(), Ok(policy));
        }
        for text in ["", "Pinned", "accept", "pin:12"] {
            let policy = text.parse::<CertificatePolicy>();
            assert_eq!(policy, Err(NotAPolicy::Unknown), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_with_a_slip_is_told_apart_from_a_policy_that_there_is_not() {
        let sha1 = "ab".repeat(20);
        let sha1_of_openssl = format!("sha1 Fingerprint={sha1}");
        for text in ["", "12", &sha1, &sha1_of_openssl] {
            let policy = format!("pinned:{text}").parse::<CertificatePolicy>();
            assert_eq!(policy, Err(NotAPolicy::Fingerprint), "{text}");
        }
    }
}
