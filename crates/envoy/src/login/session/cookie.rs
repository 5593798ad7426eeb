//! The cookie of a session.

use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};

/// The cookie of a session. It ends after ten minutes without a request; without it the Envoy
/// would open a session for each request.
const SESSION: &[u8] = b"sessionId=";

/// Of name and value; real ones have some 32 characters.
const LONGEST_COOKIE: usize = 1024;

/// The session that an answer opens, as it is sent back: `sessionId=…`.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<HeaderValue> {
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
mod tests;
