//! Where secrets are at stake.

use envoy::fuzzing;

use crate::{Input, logged};

const PASSWORD: &str = "correct-horse-battery-staple";

/// In each line a challenge of a 401: it is answered by a digest or not at all, and nobody sees the password.
pub(crate) fn digest(data: &[u8]) -> Input {
    let challenges: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let answer = fuzzing::digest(&challenges, PASSWORD);
    let input = Input::understood_if(answer.is_ok());
    let said = match answer {
        Ok(answer) => {
            // A tab that the challenge has may come back in it; it is in no log.
            assert!(answer.starts_with("Digest "), "{answer}");
            assert!(!answer.contains(['\r', '\n']), "{answer}");
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

/// What is in the place of a token: whatever it is, nothing of it is shown, also where an Envoy repeats it.
pub(crate) fn token(data: &[u8]) -> Input {
    let text = String::from_utf8_lossy(data);
    let refused = fuzzing::refused_token(&text, "122012345678", 1_800_000_000);
    let input = Input::understood_if(refused.is_ok());
    let said = refused.unwrap_or_else(|no_token| no_token);
    logged::is_fit(&said);
    let pieces = text.trim().split('.');
    for piece in pieces.filter(|piece| piece.len() >= 16) {
        assert!(!said.contains(piece), "{said}");
    }
    let shown = fuzzing::excerpt(data);
    logged::is_fit(&shown);
    assert!(!shown.contains("eyJ"), "{shown}");
    input
}
