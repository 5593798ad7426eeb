//! The answer to the Envoy's demand for a password: HTTP digest, as firmware below 7 wants it.

use http_auth::{PasswordClient, PasswordParams};
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use secrecy::{ExposeSecret, SecretString};

use crate::excerpt::Excerpt;

/// A demand for a password that can't be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswerable {
    /// A 401 without a challenge.
    #[error("the Envoy does not say how it wants the password")]
    NoChallenge,
    /// A challenge that is no text: so the oldest firmware answers after a wrong password.
    #[error(
        "its demand for a password is unreadable, as that of firmware 3 is after a wrong one: leave it alone for some \
         minutes before the next attempt"
    )]
    Unreadable,
    /// Not a digest challenge. One for Basic is among these: it would give the password away.
    #[error("the Envoy does not ask for a digest of the password ({0})")]
    NotDigest(Excerpt),
    /// A challenge whose parts make no sense together.
    #[error("the Envoy's demand for a password can't be understood ({0})")]
    Unusable(Excerpt),
}

/// The `Authorization` of one GET request to `path`, in answer to the challenge in `headers`.
///
/// A challenge is answered once and not kept: the nonce of the oldest firmware is the time in
/// seconds.
pub(crate) fn answer(
    headers: &HeaderMap,
    user: &str,
    password: &SecretString,
    path: &str,
) -> Result<HeaderValue, Unanswerable> {
    let challenges = headers.get_all(WWW_AUTHENTICATE);
    let Ok(PasswordClient::Digest(mut client)) = PasswordClient::try_from(challenges) else {
        return Err(refuse(headers));
    };
    if client.session() && client.rfc2069_compat() {
        // The answer to a challenge without qop does not name what the session's key is made of: nobody could check it.
        return Err(Unanswerable::Unusable(Excerpt::of(
            b"a session without qop",
        )));
    }
    let answer = client
        .respond(&PasswordParams {
            username: user,
            password: password.expose_secret(),
            uri: path,
            method: "GET",
            body: None,
        })
        .map_err(|error| Unanswerable::Unusable(Excerpt::of(error.as_bytes())))?;
    let mut answer = HeaderValue::try_from(answer)
        .map_err(|error| Unanswerable::Unusable(Excerpt::of(error.to_string().as_bytes())))?;
    answer.set_sensitive(true);
    Ok(answer)
}

fn refuse(headers: &HeaderMap) -> Unanswerable {
    match headers.get(WWW_AUTHENTICATE) {
        None => Unanswerable::NoChallenge,
        Some(challenge) if challenge.to_str().is_err() => Unanswerable::Unreadable,
        Some(challenge) => Unanswerable::NotDigest(Excerpt::of(challenge.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use http_auth::DigestClient;

    use super::*;

    fn challenges(values: &[&[u8]]) -> HeaderMap {
        values
            .iter()
            .map(|value| {
                (
                    WWW_AUTHENTICATE,
                    HeaderValue::from_bytes(value).expect("a header"),
                )
            })
            .collect()
    }

    fn answered(challenge: &str) -> Result<String, Unanswerable> {
        let headers = challenges(&[challenge.as_bytes()]);
        let answer = answer(&headers, "installer", &"secret".into(), "/a/b")?;
        Ok(answer.to_str().expect("a readable answer").to_owned())
    }

    /// The response parameter for a fixed client nonce, which only the RFCs' examples have.
    fn with_cnonce(challenge: &str, password: &str, cnonce: &str) -> String {
        let Ok(PasswordClient::Digest(mut client)) = PasswordClient::try_from(challenge) else {
            panic!("not a digest challenge: {challenge}");
        };
        let client: &mut DigestClient = &mut client;
        client
            .respond_with_testing_cnonce(
                &PasswordParams {
                    username: "Mufasa",
                    password,
                    uri: "/dir/index.html",
                    method: "GET",
                    body: None,
                },
                cnonce,
            )
            .expect("an answer")
    }

    #[test]
    fn the_example_of_rfc_2617_comes_out() {
        let answer = with_cnonce(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
             nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
            "Circle Of Life",
            "0a4f113b",
        );
        assert!(
            answer.contains("response=\"6629fae49393a05397450978507c4ef1\""),
            "{answer}"
        );
        assert!(
            answer.contains("nc=00000001") && answer.contains("qop=auth,"),
            "{answer}"
        );
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let answer = with_cnonce(
                &format!(
                    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                     algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                     opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
                ),
                "Circle of Life",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            );
            assert!(
                answer.contains(&format!("response=\"{response}\"")),
                "{answer}"
            );
        }
    }

    #[test]
    fn challenges_of_real_envoys_are_answered() {
        for nonce in ["1703033831", "Kz8MZRV4a9h25Ea4+ikZbKDannY="] {
            let challenge =
                format!("Digest qop=\"auth\", realm=\"enphaseenergy.com\", nonce=\"{nonce}\"");
            let answer = answered(&challenge).expect("an answer");
            for part in [
                "username=\"installer\"",
                "realm=\"enphaseenergy.com\"",
                "uri=\"/a/b\"",
                "qop=auth",
                "nc=00000001",
                &format!("nonce=\"{nonce}\""),
            ] {
                assert!(answer.contains(part), "{part}: {answer}");
            }
        }
    }

    #[test]
    fn a_session_without_qop_is_not_answered_since_nobody_could_check_that() {
        let session = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess";
        assert!(matches!(answered(session), Err(Unanswerable::Unusable(_))));
        let usual = format!("{session}, qop=\"auth\"");
        assert!(answered(&usual).expect("an answer").contains("cnonce="));
    }

    #[test]
    fn basic_is_never_answered() {
        let basic = "Basic realm=\"enphaseenergy.com\"";
        assert!(matches!(answered(basic), Err(Unanswerable::NotDigest(_))));
        let both = challenges(&[basic.as_bytes(), b"Digest realm=\"r\", nonce=\"n\""]);
        let answer = answer(&both, "installer", &"secret".into(), "/").expect("an answer");
        assert!(answer.to_str().expect("text").starts_with("Digest "));
    }

    #[test]
    fn binary_bytes_are_no_challenge() {
        let headers = challenges(&[b"\xd8\xc9\xc6A"]);
        let refusal = answer(&headers, "installer", &"secret".into(), "/").expect_err("bytes");
        assert!(matches!(refusal, Unanswerable::Unreadable), "{refusal}");
        let none = answer(&HeaderMap::new(), "installer", &"secret".into(), "/");
        assert!(matches!(none, Err(Unanswerable::NoChallenge)));
    }

    #[test]
    fn the_answer_is_not_shown_by_debug() {
        let headers = challenges(&[b"Digest realm=\"r\", nonce=\"n\""]);
        let answer = answer(&headers, "installer", &"secret".into(), "/").expect("an answer");
        assert_eq!(format!("{answer:?}"), "Sensitive");
    }

    proptest::proptest! {
        #[test]
        fn no_challenge_brings_us_down(parts in proptest::collection::vec(
            proptest::sample::select(&["Digest", "Basic", " ", ",", "=", "\"", "\\", "realm",
                "nonce", "qop", "auth", "algorithm", "MD5-sess", "\u{e9}", "x", "\t", "opaque"][..]),
            0..30,
        )) {
            let challenge = parts.concat();
            if let Ok(value) = HeaderValue::from_bytes(challenge.as_bytes()) {
                let headers: HeaderMap = [(WWW_AUTHENTICATE, value)].into_iter().collect();
                let _ = answer(&headers, "installer", &"secret".into(), "/");
            }
        }
    }
}
