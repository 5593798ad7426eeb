//! What Enlighten answers to a login.

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::error::CloudError;
use crate::excerpt::Excerpt;

/// The session that a login with this password began.
///
/// Without one the status is 200 as well: with a second factor the answer has neither session nor
/// message (home-assistant/core#155793, pyenphase#386), with too many sessions just a message
/// (domoticz#6092). What else it may say is passed on.
pub(super) fn session(
    url: &Url,
    status: StatusCode,
    body: &SecretString,
    password: &SecretString,
) -> Result<SecretString, CloudError> {
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(CloudError::BadCredentials);
    }
    if !status.is_success() {
        return Err(CloudError::unexpected(url, status));
    }
    let answer: Value = serde_json::from_str(body.expose_secret())
        .map_err(|_| CloudError::unexpected(url, status))?;
    let session = answer["session_id"].as_str().filter(|id| !id.is_empty());
    if let Some(session) = session {
        return Ok(session.into());
    }
    if !answer.is_object() {
        return Err(CloudError::unexpected(url, status));
    }
    let message = answer["message"].as_str().unwrap_or_default();
    let is_blocked = answer["isBlocked"].as_bool() == Some(true);
    let lower = message.to_ascii_lowercase();
    Err(if lower.contains("too many") && lower.contains("session") {
        CloudError::TooManySessions
    } else if lower.contains("invalid") {
        CloudError::BadCredentials
    } else if matches!(&*lower, "" | "success") && !is_blocked {
        CloudError::SecondFactor
    } else {
        let said = if message.is_empty() {
            "isBlocked"
        } else {
            message
        };
        CloudError::TurnedAway {
            said: harmless(said, password),
        }
    })
}

/// The token in the JSON that answers `GET /entrez-auth-token` with the cookie of a session (homebridge-enphase-envoy).
pub(super) fn token(
    url: &Url,
    status: StatusCode,
    body: &SecretString,
) -> Result<SecretString, CloudError> {
    let answer: Option<Value> = serde_json::from_str(body.expose_secret()).ok();
    let token = answer.as_ref().and_then(|answer| answer["token"].as_str());
    token
        .filter(|_| status.is_success())
        .and_then(super::entrez::token)
        .ok_or_else(|| CloudError::unexpected(url, status))
}

/// How a message begins. It may repeat what was sent.
fn harmless(message: &str, password: &SecretString) -> String {
    // Both with single spaces, as they are shown: a password may have some.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (message, password) = (words(message), words(password.expose_secret()));
    let message = if password.is_empty() {
        message
    } else {
        message.replace(&password, "***")
    };
    Excerpt::of(message.as_bytes()).into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<SecretString, CloudError> {
        let url = "https://enlighten.example".parse().expect("a URL");
        let status = StatusCode::from_u16(status).expect("a status");
        session(&url, status, &body.into(), &"hush".into())
    }

    #[test]
    fn the_session_of_a_login_is_read() {
        let session = read(
            200,
            r#"{"message":"success","session_id":"abc","user_id":1}"#,
        );
        assert_eq!(session.expect("a session").expose_secret(), "abc");
    }

    #[test]
    fn each_way_to_be_turned_away_is_told_apart() {
        for (status, body, expected) in [
            (401, "", "does not let this account in"),
            (
                200,
                r#"{"message":"Invalid email or password"}"#,
                "does not let this account in",
            ),
            (
                200,
                r#"{"success":true,"isBlocked":false}"#,
                "second factor",
            ),
            (200, r#"{"session_id":"","success":true}"#, "second factor"),
            (
                200,
                r#"{"message":"Too many active sessions.."}"#,
                "too many sessions",
            ),
            (
                200,
                r#"{"message":"Too many attempts, wait an hour"}"#,
                "turns this account away and says \"Too many attempts, wait an hour\"",
            ),
            (
                200,
                r#"{"success":false,"isBlocked":true}"#,
                "turns this account away and says \"isBlocked\"",
            ),
            (
                200,
                r#"{"message":"Accept the new terms first"}"#,
                "says \"Accept the new terms first\": log in at https://enlighten.enphaseenergy.com in a browser",
            ),
            (200, "<html>Sign in</html>", "no token"),
            (200, "[]", "no token"),
            (302, "", "no token"),
        ] {
            let error = read(status, body).expect_err(body).to_string();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }

    #[test]
    fn what_a_message_repeats_of_the_login_is_not_passed_on() {
        let body = r#"{"message":"no account me with hush, eyJhbGciOiJFUzI1NiJ9.e30.c2ln\n"}"#;
        let error = read(200, body).expect_err("no session").to_string();
        assert!(error.contains("\"no account me with ***, ***\""), "{error}");
        let body: SecretString = r#"{"message":"no account with two\twords"}"#.into();
        let url = "https://enlighten.example".parse().expect("a URL");
        let error = session(&url, StatusCode::OK, &body, &"two words".into());
        let error = error.expect_err("no session").to_string();
        assert!(error.contains("\"no account with ***\""), "{error}");
    }
}
