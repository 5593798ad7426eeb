//! Where secrets are at stake.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy::fuzzing;
use serde_json::Value;

use crate::{Input, challenged, logged};

/// The user and what is asked for, as [`fuzzing::digest`] has them.
const ASKED: (&str, &str) = ("installer", "/api/v1/production");
/// With a space in it, as a password of people's may have one.
const PASSWORD: &str = "correct horse-battery-staple";

/// The Envoy's serial number, and its clock.
const SERIAL: &str = "122012345678";
const NOW: i64 = 1_800_000_000;

/// In each line a challenge of a 401: it is answered by a digest that whoever knows the password finds right, or not at
/// all, and nobody sees the password.
pub(crate) fn digest(data: &[u8]) -> Input {
    if spells_password(data) {
        return Input::Refused;
    }
    let challenges: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let answer = fuzzing::digest(&challenges, PASSWORD);
    let input = Input::understood_if(answer.is_ok());
    let said = match answer {
        Ok(answer) => {
            // A tab that the challenge has may come back in it; it is in no log.
            assert!(!answer.contains(['\r', '\n']), "{answer}");
            challenged::is_right(&answer, ASKED, PASSWORD, &challenges);
            answer
        }
        Err(error) => {
            logged::is_fit(&error);
            error
        }
    };
    assert!(!said.contains(PASSWORD), "{said}");
    input
}

/// In each line a cookie that an answer sets: what is sent back is the last session's that is of use, alone, and is not shown.
pub(crate) fn cookie(data: &[u8]) -> Input {
    let headers: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let Some(cookie) = fuzzing::session_cookie(&headers) else {
        return Input::Refused;
    };
    let sent = cookie.as_bytes();
    let taken = headers.iter().filter(|header| is_a_header(header));
    let pairs = taken.map(|cookie| {
        cookie
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
    });
    let mut sessions = pairs.map(<[u8]>::trim_ascii).filter(|pair| {
        let session = pair.strip_prefix(b"sessionId=");
        session.is_some_and(|session| !session.is_empty()) && pair.len() <= 1024
    });
    assert_eq!(sessions.next_back(), Some(sent));
    assert_eq!(format!("{cookie:?}"), "Sensitive");
    Input::Understood
}

/// Whether HTTP lets this be the value of a header (RFC 9110, section 5.5).
fn is_a_header(value: &[u8]) -> bool {
    let is_fit = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    value.iter().all(is_fit)
}

/// What is in the place of a token, or the claims of one (an object of JSON): whatever it is, nothing of it is shown, also
/// where an Envoy or the cloud repeats it. What its claims say is what is said of it.
pub(crate) fn token(data: &[u8]) -> Input {
    if spells_password(data) {
        return Input::Refused;
    }
    let text = if data.starts_with(b"{") {
        let part = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
        let head = part(br#"{"typ": "JWT", "alg": "ES256"}"#);
        format!("{head}.{}.{}", part(data), part(b"no signature"))
    } else {
        String::from_utf8_lossy(data).into_owned()
    };
    let refused = fuzzing::refused_token(&text, SERIAL, NOW);
    let input = Input::understood_if(refused.is_ok());
    if let (Ok(said), Ok(claims)) = (&refused, serde_json::from_slice(data)) {
        tells(said, &claims);
    }
    let said = refused.unwrap_or_else(|no_token| no_token);
    logged::is_fit(&said);
    let pieces = text.trim().split('.');
    for piece in pieces.filter(|piece| piece.len() >= 16) {
        assert!(!said.contains(piece), "{said}");
    }
    let shown = fuzzing::excerpt(data);
    logged::is_fit(&shown);
    assert!(!shown.contains("eyJ"), "{shown}");
    cloud(data);
    input
}

/// Whether what is said of a refused token is what it says of itself.
fn tells(said: &str, claims: &Value) {
    let expired = claims["exp"].as_i64().is_some_and(|at| at <= NOW);
    let other = claims["aud"].as_str().is_some_and(|audience| {
        audience != SERIAL
            && audience != "un-commissioned"
            && (1..=32).contains(&audience.len())
            && audience.bytes().all(|byte| byte.is_ascii_graphic())
    });
    assert!(!expired || said.contains("token expired at"), "{said}");
    assert!(
        expired || !other || said.contains("for the Envoy") || said.contains("token expired at"),
        "{said}"
    );
}

/// The same bytes as an answer of Enphase's cloud: a token that is taken from it is one, and nothing of it or of the
/// password is in what is said of others.
fn cloud(data: &[u8]) {
    let body = String::from_utf8_lossy(data);
    for status in [200, 401] {
        for answer in fuzzing::cloud(status, &body, SERIAL, PASSWORD) {
            match answer {
                Ok(token) => {
                    assert!(fuzzing::refused_token(&token, SERIAL, NOW).is_ok());
                    assert!(body.contains(&token) || body.contains('\\'));
                }
                Err(said) => {
                    logged::is_fit(&said);
                    assert!(!said.contains("eyJ"), "{said}");
                    assert!(!said.contains(PASSWORD), "{said}");
                }
            }
        }
    }
}

/// Whether the password comes with the input, also with backslashes in it, so that it may be said.
fn spells_password(data: &[u8]) -> bool {
    let plain: Vec<u8> = data.iter().copied().filter(|byte| *byte != b'\\').collect();
    String::from_utf8_lossy(&plain).contains(PASSWORD)
}
