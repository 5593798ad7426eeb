//! Entrez: a token for a session of Enlighten, and the form for people.

use hyper::StatusCode;
use hyper::header::{HeaderValue, SET_COOKIE};
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::request::Request;
use super::{Cloud, Outcome, State, TooMany};
use crate::answer::Answer;

/// The cookie of a session.
const COOKIE: &str = "SESSION";

impl Cloud {
    /// `POST /tokens`: session, serial and name of the account for the bare token.
    pub(super) fn token_text(&self, state: &State, request: &Request, now: Timestamp) -> Outcome {
        // A form was good here until the middle of 2025; since then it is a 403.
        let Some(asked) = request.json() else {
            return text(StatusCode::FORBIDDEN, "Forbidden");
        };
        let field = |name: &str| asked.get(name).and_then(serde_json::Value::as_str);
        if !state.enlighten.has(field("session_id")) || !self.is_account(field("username")) {
            return text(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        if !self.owns(field("serial_num")) {
            let refusal = "This gateway is not one of this account's";
            return text(StatusCode::FORBIDDEN, refusal);
        }
        let token = self.token(state, now).expose_secret().to_owned();
        Outcome::granted(Answer::new(StatusCode::OK, token).content_type("text/plain"))
    }

    /// `POST /login`: name and password of the account for a cookie. Who is not let in sees the form
    /// again, with status 200 and without a cookie; so does who is asked for a code next,
    /// or is turned away.
    pub(super) fn log_in_to_entrez(&self, state: &mut State, request: &Request) -> Outcome {
        let form = request.form().unwrap_or_default();
        let field = |name: &str| form.get(name).map(String::as_str);
        let is_turned_away =
            state.mfa || state.blocked || state.too_many_sessions == TooMany::Everywhere;
        if !self.knows(state, field("username"), field("password")) || is_turned_away {
            let again = "<form action=\"/login\" method=\"post\"></form>";
            return Outcome::refused(page(again));
        }
        let cookie = format!(
            "{COOKIE}={}; Path=/; Secure; HttpOnly",
            state.entrez.begin()
        );
        let cookie = HeaderValue::try_from(cookie).expect("hexadecimal digits are visible ASCII");
        let next = "<form action=\"/entrez_tokens\" method=\"post\"></form>";
        Outcome::granted(page(next).header(SET_COOKIE, cookie))
    }

    /// `POST /entrez_tokens`: a serial for a page with the token, or with an error in its place.
    pub(super) fn token_page(&self, state: &State, request: &Request, now: Timestamp) -> Outcome {
        if !state.entrez.has(request.cookie(COOKIE)) {
            let answer = Answer::new(
                StatusCode::UNAUTHORIZED,
                "<html><body>Log in</body></html>\n",
            );
            return Outcome::refused(answer.content_type("text/html"));
        }
        let area = |content: &str| {
            page(&format!(
                "<textarea name=\"accessToken\" id=\"JWTToken\" cols=\"30\" rows=\"10\">{content}</textarea>"
            ))
        };
        let form = request.form().unwrap_or_default();
        if self.owns(form.get("serialNum").map(String::as_str)) {
            Outcome::granted(area(self.token(state, now).expose_secret()))
        } else {
            Outcome::refused(area("Error: this gateway is not one of this account's"))
        }
    }
}

fn text(status: StatusCode, body: &'static str) -> Outcome {
    Outcome::refused(Answer::new(status, body).content_type("text/plain"))
}

fn page(content: &str) -> Answer {
    let page = format!("<!DOCTYPE html>\n<html>\n<body>\n{content}\n</body>\n</html>\n");
    Answer::new(StatusCode::OK, page).content_type("text/html;charset=UTF-8")
}
