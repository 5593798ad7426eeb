//! The parsers of what a gateway says, for fuzz targets and the tests of their seeds (`tests/properties`): no part
//! of this crate's interface.
//!
//! A hidden module and no feature: with a feature, all that depends on this crate would be built once more.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;

use crate::endpoints::inverters::{self, Inverters};
use crate::endpoints::{Asked, Malformed, UPDATERS};
use crate::error::Credentials;
use crate::excerpt::Excerpt;
use crate::info::Info;
use crate::measured::Poll;
use crate::measured::choice::choose;
use crate::measured::counters::Counters;
use crate::measured::readings::{Kept, Readings};
use crate::token::Token;
use crate::{certificate, cloud, digest, login, token};

/// The polls of one gateway, one after the other, without a network between.
#[derive(Debug, Default)]
pub struct Polls {
    counters: Counters,
    kept: Kept,
}

impl Polls {
    /// What becomes of these bodies, and how many of `answers` were understood. They are by path; what is not wanted of
    /// this gateway is not read.
    pub fn poll(&mut self, info: &Info, list: &[u8], answers: &[(&str, &[u8])]) -> (Poll, usize) {
        let mut understood = 0;
        let mut inverters =
            inverters::parse(list).unwrap_or_else(|_: Malformed| Inverters::default());
        if let Some(now) = info.time {
            inverters.refuse_later_than(now);
        }
        let mut readings = Readings::new(std::mem::take(&mut self.kept));
        let asked = Asked {
            info,
            inverters: &inverters,
        };
        for updater in UPDATERS {
            let answer = answers.iter().find(|(path, _)| *path == updater.path);
            if let Some((_, body)) = answer
                && (updater.is_wanted)(&asked, &readings)
            {
                // What is malformed changes nothing.
                let updated = (updater.update)(body, &asked, &mut readings);
                understood += usize::from(updated.is_ok());
            }
        }
        self.kept = readings.kept.clone();
        let poll = choose(inverters, readings, &mut self.counters);
        (poll, understood)
    }
}

/// The answer to the challenges of a 401, or what is said of them.
pub fn digest(challenges: &[&[u8]], password: &str) -> Result<String, String> {
    let header = |challenge: &&[u8]| {
        let value = HeaderValue::from_bytes(challenge).ok()?;
        Some((WWW_AUTHENTICATE, value))
    };
    let headers: HeaderMap = challenges.iter().filter_map(header).collect();
    let password = SecretString::from(password);
    match digest::answer(&headers, "installer", &password, "/api/v1/production") {
        Ok(answer) => Ok(String::from_utf8_lossy(answer.as_bytes()).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The cookie that these `Set-Cookie` headers open a session with, as it is sent back.
#[must_use]
pub fn session_cookie(headers: &[&[u8]]) -> Option<HeaderValue> {
    let header = |cookie: &&[u8]| {
        let value = HeaderValue::from_bytes(cookie).ok()?;
        Some((SET_COOKIE, value))
    };
    login::session_cookie(&headers.iter().filter_map(header).collect())
}

/// The public key of a certificate as a gateway shows it, DER in DER, or what is said of one that has none of use.
pub fn certificate_key(certificate: &[u8]) -> Result<Vec<u8>, String> {
    let certificate = CertificateDer::from(certificate);
    match certificate::key_of(&certificate) {
        Ok(key) => Ok(key.to_vec()),
        Err(error) => Err(error.to_string()),
    }
}

/// All that is said of a token that the Envoy with this serial refuses, or of what is no token: nothing of its text may
/// be in that.
pub fn refused_token(text: &str, serial: &str, now: i64) -> Result<String, String> {
    match Token::parse(&SecretString::from(text)) {
        Ok(token) => {
            let claims = &token.claims;
            let why: Credentials = claims.explain_refusal(serial, now);
            let ahead = claims
                .expires_at
                .map(|at| token::ahead(claims.issued_at, at));
            Ok(format!("{token:?} {why} {ahead:?}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// What is made of an answer of Enphase's cloud, wherever it may come: a token, or what is said of it.
///
/// # Panics
/// There is no such status.
#[must_use]
pub fn cloud(status: u16, body: &str, serial: &str, password: &str) -> Vec<Result<String, String>> {
    let status = StatusCode::from_u16(status).expect("a status");
    cloud::fuzzing::read(status, body, serial, password)
}

/// How a body begins, as a message says it.
#[must_use]
pub fn excerpt(body: &[u8]) -> String {
    Excerpt::of(body).to_string()
}
