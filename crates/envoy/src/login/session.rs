//! The session of firmware 7 and above: a token, and the cookie that the Envoy gives for it.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

use crate::clock::Clock;
use crate::error::Error;
use crate::exchange::{Answer, Connections, Transport};
use crate::token::{Claims, Token, TokenSource};

/// The cookie of a session. It ends after ten minutes without a request; without it the Envoy
/// would open a session for each request.
const SESSION: &[u8] = b"sessionId=";

/// Real ones have some 32 characters.
const LONGEST_COOKIE: usize = 1024;

#[derive(Debug)]
pub(crate) struct Session {
    source: TokenSource,
    clock: Clock,
    serial: String,
    token: Token,
    cookie: Option<HeaderValue>,
}

impl Session {
    /// Reads the token for the Envoy with this serial.
    pub(crate) async fn open(
        source: &TokenSource,
        serial: &str,
        clock: &Clock,
    ) -> Result<Self, Error> {
        Ok(Self {
            source: source.clone(),
            clock: clock.clone(),
            serial: serial.to_owned(),
            token: source.read().await?,
            cookie: None,
        })
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.token.claims
    }

    /// Asks with token and cookie. Refused, it logs in again, with the token alone, which is read
    /// anew; but not with exactly what was refused just now.
    pub(crate) async fn get(
        &mut self,
        transport: &Transport,
        url: &Url,
        connections: Connections,
    ) -> Result<Answer, Error> {
        let answer = self.ask(transport, url, connections).await?;
        if !answer.is_refusal() {
            return Ok(answer);
        }
        let had_cookie = self.cookie.take().is_some();
        let token = self.source.read().await?;
        if had_cookie || token != self.token {
            tracing::debug!("the Envoy refuses the session; logging in again");
            self.token = token;
            let answer = self.ask(transport, url, connections).await?;
            if !answer.is_refusal() {
                return Ok(answer);
            }
        }
        let now = self.clock.now().as_second();
        Err(self.claims().explain_refusal(&self.serial, now).into())
    }

    async fn ask(
        &mut self,
        transport: &Transport,
        url: &Url,
        connections: Connections,
    ) -> Result<Answer, Error> {
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, self.token.bearer.clone())]);
        if let Some(cookie) = &self.cookie {
            headers.insert(COOKIE, cookie.clone());
        }
        let answer = transport.get(url, headers, connections).await?;
        if let Some(cookie) = session_cookie(&answer.headers) {
            self.cookie = Some(cookie);
        }
        Ok(answer)
    }
}

/// The session that an answer opens, as it is sent back: `sessionId=…`.
fn session_cookie(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get_all(SET_COOKIE).iter().rev().find_map(|cookie| {
        let pair = cookie.as_bytes().split(|&byte| byte == b';').next()?;
        let pair = pair.trim_ascii();
        let usable =
            pair.starts_with(SESSION) && (SESSION.len() + 1..=LONGEST_COOKIE).contains(&pair.len());
        let mut value = HeaderValue::from_bytes(usable.then_some(pair)?).ok()?;
        value.set_sensitive(true);
        Some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(values: &[&str]) -> Option<HeaderValue> {
        let headers = values
            .iter()
            .map(|value| (SET_COOKIE, HeaderValue::from_str(value).expect("a header")))
            .collect();
        session_cookie(&headers)
    }

    #[test]
    fn only_the_sessions_cookie_is_kept() {
        assert_eq!(
            cookie(&["sessionId=abc123; Secure; HttpOnly; path=/"]),
            Some(HeaderValue::from_static("sessionId=abc123"))
        );
        assert_eq!(
            cookie(&["sessionId=old", "x=y"]),
            Some(HeaderValue::from_static("sessionId=old"))
        );
        assert_eq!(cookie(&["other=1; sessionId=2"]), None);
        assert_eq!(cookie(&["sessionId=; Max-Age=0"]), None);
        assert_eq!(cookie(&[&format!("sessionId={}", "x".repeat(5_000))]), None);
        assert_eq!(cookie(&[]), None);
    }

    #[test]
    fn the_cookie_is_not_shown_by_debug() {
        assert_eq!(
            format!("{:?}", cookie(&["sessionId=abc"])),
            "Some(Sensitive)"
        );
    }
}
