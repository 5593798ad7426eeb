//! Enlighten: the login, and a token for its cookie.

use hyper::StatusCode;
use hyper::header::{HeaderValue, SET_COOKIE};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::json;

use super::request::Request;
use super::{Cloud, Outcome, State, TooMany};
use crate::answer::Answer;

/// The cookie of a session.
const COOKIE: &str = "_enlighten_4_session";

impl Cloud {
    /// `POST /login/login.json`: the account's name and password for a session.
    pub(super) fn log_in(&self, state: &mut State, request: &Request) -> Outcome {
        let form = request.form().unwrap_or_default();
        let field = |name: &str| form.get(name).map(String::as_str);
        if !self.knows(state, field("user[email]"), field("user[password]")) {
            let body = json!({"message": "Invalid email or password"});
            return refused(StatusCode::UNAUTHORIZED, &body);
        }
        // Each of these four comes with status 200.
        if state.blocked {
            return refused(
                StatusCode::OK,
                &json!({"success": false, "isBlocked": true}),
            );
        }
        if state.mfa {
            // As recorded in home-assistant/core#155793: neither session nor message.
            let answer = answer(
                StatusCode::OK,
                &json!({"success": true, "isBlocked": false}),
            );
            let nonce = format!("{:064x}", rand::random::<u128>());
            return Outcome::refused(with_cookie(answer, "login_otp_nonce", &nonce));
        }
        if state.too_many_sessions != TooMany::Nowhere {
            let body = json!({"message": "Too many active sessions.."});
            return refused(StatusCode::OK, &body);
        }
        let id = state.enlighten.begin();
        let body = json!({
            "message": "success",
            "session_id": id,
            "user_id": 1_234_567,
            "user_name": self.username,
            "first_name": "Olivia",
            "is_consumer": true,
            "manager_token": format!("{:064x}", rand::random::<u128>()),
        });
        Outcome::granted(with_cookie(answer(StatusCode::OK, &body), COOKIE, &id))
    }

    /// `GET /entrez-auth-token?serial_num=`: a token for the cookie of a session.
    pub(super) fn token_json(&self, state: &State, request: &Request, now: Timestamp) -> Outcome {
        if !state.enlighten.has(request.cookie(COOKIE)) {
            let body = json!({"message": "Log in first"});
            return refused(StatusCode::UNAUTHORIZED, &body);
        }
        if !self.owns(request.parameter("serial_num").as_deref()) {
            let body = json!({"message": "This gateway is not one of this account's"});
            return refused(StatusCode::FORBIDDEN, &body);
        }
        let generated = now.as_second();
        let body = json!({
            "generation_time": generated,
            "token": self.token(state, now).expose_secret(),
            "expires_at": generated.saturating_add_unsigned(state.lifetime().as_secs()),
        });
        Outcome::granted(answer(StatusCode::OK, &body))
    }
}

fn refused(status: StatusCode, body: &serde_json::Value) -> Outcome {
    Outcome::refused(answer(status, body))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Answer {
    Answer::new(status, body.to_string()).content_type("application/json; charset=utf-8")
}

fn with_cookie(answer: Answer, name: &str, value: &str) -> Answer {
    let cookie = format!("{name}={value}; path=/; secure; HttpOnly");
    let cookie = HeaderValue::try_from(cookie).expect("hexadecimal digits are visible ASCII");
    answer.header(SET_COOKIE, cookie)
}
