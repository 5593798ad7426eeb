//! HTTP digest as a server checks it: MD5, `qop=auth`, each nonce good for one answer.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use hyper::{Method, Uri};
use jiff::Timestamp;

use super::password::{REALM, hex_md5};

/// Challenges that may wait for their answer; a client has one or two at a time.
const OUTSTANDING: usize = 64;

/// What a firmware takes as nonce.
#[derive(Clone, Copy, Debug)]
pub(super) enum NonceStyle {
    /// The gateway's epoch second (firmware 3).
    EpochSecond,
    /// Random bytes as base64, with `+` and `=` (firmware 4 and 5).
    Base64,
}

/// Why an answer to a challenge is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is none, or it can't be read, or it is for another request.
    NoAnswer,
    /// Its nonce was never given out, or was used before.
    UnknownNonce,
    /// User or password is wrong.
    WrongPassword,
}

/// The users of a gateway and the challenges it has given out.
pub(super) struct Digest {
    users: [(&'static str, String); 2],
    style: NonceStyle,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    outstanding: VecDeque<String>,
    last_second: i64,
}

impl Digest {
    pub(super) fn new(users: [(&'static str, String); 2], style: NonceStyle) -> Self {
        Self {
            users,
            style,
            issued: Mutex::default(),
        }
    }

    /// A new challenge; `qop` comes first, as real gateways write it.
    pub(super) fn challenge(&self, now: Timestamp) -> HeaderValue {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = match self.style {
            NonceStyle::EpochSecond => {
                // Never the same twice, even within one second.
                issued.last_second = now.as_second().max(issued.last_second + 1);
                issued.last_second.to_string()
            }
            NonceStyle::Base64 => STANDARD.encode(rand::random::<[u8; 20]>()),
        };
        let challenge = format!(r#"Digest qop="auth", realm="{REALM}", nonce="{nonce}""#);
        if issued.outstanding.len() == OUTSTANDING {
            issued.outstanding.pop_front();
        }
        issued.outstanding.push_back(nonce);
        HeaderValue::try_from(challenge).expect("digits, base64 and quotes are visible ASCII")
    }

    /// Checks the answer to a challenge. Its nonce is used up, whatever comes out.
    pub(super) fn verify(
        &self,
        method: &Method,
        uri: &Uri,
        header: Option<&HeaderValue>,
    ) -> Result<(), Refused> {
        let header = header.and_then(|header| header.to_str().ok());
        let answer = header.and_then(parse).ok_or(Refused::NoAnswer)?;
        let field = |name| {
            answer
                .get(name)
                .map(String::as_str)
                .ok_or(Refused::NoAnswer)
        };
        let (user, nonce) = (field("username")?, field("nonce")?);
        let (nc, cnonce, response) = (field("nc")?, field("cnonce")?, field("response")?);
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let algorithm = answer.get("algorithm").map_or("MD5", String::as_str);
        // A nonce is good once, so the count of its uses is one.
        if field("uri")? != target
            || field("realm")? != REALM
            || field("qop")? != "auth"
            || nc != "00000001"
            || !algorithm.eq_ignore_ascii_case("MD5")
        {
            return Err(Refused::NoAnswer);
        }
        self.use_up(nonce)?;
        let (_, password) = self
            .users
            .iter()
            .find(|(name, _)| *name == user)
            .ok_or(Refused::WrongPassword)?;
        let secret = hex_md5(&format!("{user}:{REALM}:{password}"));
        let request = hex_md5(&format!("{method}:{target}"));
        let expected = hex_md5(&format!("{secret}:{nonce}:{nc}:{cnonce}:auth:{request}"));
        if expected.eq_ignore_ascii_case(response) {
            Ok(())
        } else {
            Err(Refused::WrongPassword)
        }
    }

    fn use_up(&self, nonce: &str) -> Result<(), Refused> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let known = issued.outstanding.iter().position(|given| given == nonce);
        issued
            .outstanding
            .remove(known.ok_or(Refused::UnknownNonce)?);
        Ok(())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest")
            .field("style", &self.style)
            .finish_non_exhaustive()
    }
}

/// The parameters of an `Authorization: Digest` header; none when it is not one.
fn parse(header: &str) -> Option<HashMap<String, String>> {
    let (scheme, mut rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("digest") {
        return None;
    }
    let mut parameters = HashMap::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(parameters);
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let end = after.find([',', ' ']).unwrap_or(after.len());
            (after[..end].to_owned(), &after[end..])
        };
        parameters.insert(name.trim().to_ascii_lowercase(), value);
        rest = after;
    }
}

/// The text up to the closing quote, and what follows it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_may_hold_commas_and_equal_signs() {
        let answer = parse(r#"Digest username="a\"b", nonce="x+,=" ,nc=00000001, qop=auth"#)
            .expect("parameters");
        assert_eq!(answer["username"], "a\"b");
        assert_eq!(answer["nonce"], "x+,=");
        assert_eq!(answer["nc"], "00000001");
        assert_eq!(answer["qop"], "auth");
    }

    #[test]
    fn what_is_no_digest_is_no_answer() {
        for header in [
            "Basic abc",
            "Digest",
            "Digest nonce=\"open",
            "Digest nonsense",
        ] {
            assert!(parse(header).is_none(), "{header}");
        }
    }

    #[test]
    fn no_two_challenges_are_the_same_even_within_one_second() {
        let digest = Digest::new(
            [("a", String::new()), ("b", String::new())],
            NonceStyle::EpochSecond,
        );
        let now = Timestamp::from_second(1_703_033_831).expect("a time");
        assert_eq!(
            digest.challenge(now),
            r#"Digest qop="auth", realm="enphaseenergy.com", nonce="1703033831""#
        );
        assert_ne!(digest.challenge(now), digest.challenge(now));
    }
}
