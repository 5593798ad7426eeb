//! What can't be the token that firmware 7 and later wants, seen before any Envoy is asked.

/// Whether a text may be a token: the same rules for one that is given and for one in a file.
///
/// Every token of Enphase's is a JWT: three parts, of which the first is a JSON object in base64,
/// and so begins with `eyJ`. What else is in it the Envoy judges.
///
/// # Errors
/// What is wrong: the rest of a sentence about the token, which says nothing of it.
pub fn check_token(text: &str) -> Result<(), &'static str> {
    let text = text.trim();
    if text.starts_with("Bearer ") {
        Err("begins with the word Bearer; leave that out")
    } else if text.starts_with(['{', '"', '\'']) {
        Err("has more than the token; keep what begins with eyJ, without quotation marks")
    } else if !text.starts_with("eyJ") {
        Err("is no token: those begin with eyJ; a password of Enphase's site is none")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("has white space or letters in it that no token has; copy it once more")
    } else if text.split('.').count() != 3 {
        Err("is only a piece of a token, which has three parts between dots; copy the whole of it")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_instead_of_a_token_is_named() {
        for (text, said) in [
            ("hunter2", "begin with eyJ"),
            ("Bearer eyJh.b.c", "the word Bearer"),
            ("{\"token\":\"eyJh.b.c\"}", "more than the token"),
            ("\"eyJh.b.c\"", "quotation marks"),
            ("eyJh.b c.d", "white space"),
            ("eyJhbGciOiJF", "a piece of a token"),
            ("eyJh.b", "a piece of a token"),
        ] {
            let wrong = check_token(text).expect_err(text);
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
        assert_eq!(check_token(" eyJh.b.c "), Ok(()));
    }
}
