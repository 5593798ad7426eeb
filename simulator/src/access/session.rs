//! Sessions of clients that have shown a token: a cookie that lives as long as it is used.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::time::Instant;

/// A session that is not used for this long is over.
const IDLE: Duration = Duration::from_mins(10);
/// A client without a memory for cookies makes a session with each request; the oldest gives way.
const SESSIONS: usize = 1_000;

/// The sessions of one gateway, with the time of their last use.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Instant>>);

impl Sessions {
    /// Begins a session and returns its `Set-Cookie`.
    pub(super) fn begin(&self, now: Instant) -> HeaderValue {
        let id = format!("{:032x}", rand::random::<u128>());
        let cookie = set_cookie(&id);
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, used| now.duration_since(*used) <= IDLE);
        if sessions.len() >= SESSIONS {
            let oldest = sessions
                .iter()
                .min_by_key(|(_, used)| **used)
                .map(|(id, _)| id.clone());
            oldest.and_then(|id| sessions.remove(&id));
        }
        sessions.insert(id, now);
        cookie
    }

    /// The `Set-Cookie` of a living session named by a `Cookie` header, which counts as a use.
    pub(super) fn find(&self, header: &HeaderValue, now: Instant) -> Option<HeaderValue> {
        let mut cookies = header.to_str().ok()?.split(';');
        let id = cookies.find_map(|cookie| cookie.trim().strip_prefix("sessionId="))?;
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = sessions.get_mut(id)?;
        if now.duration_since(*used) > IDLE {
            return None;
        }
        *used = now;
        Some(set_cookie(id))
    }
}

fn set_cookie(id: &str) -> HeaderValue {
    HeaderValue::try_from(format!("sessionId={id}; Secure; HttpOnly; path=/"))
        .expect("hexadecimal digits are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_after_ten_idle_minutes() {
        let (sessions, begin) = (Sessions::default(), Instant::now());
        let cookie = sessions.begin(begin);
        assert!(sessions.find(&cookie, begin + IDLE).is_some());
        assert!(
            sessions.find(&cookie, begin + 2 * IDLE).is_some(),
            "the last use counts"
        );
        assert!(sessions.find(&cookie, begin + 4 * IDLE).is_none());
    }

    #[test]
    fn an_invented_session_is_unknown() {
        let sessions = Sessions::default();
        let now = Instant::now();
        sessions.begin(now);
        assert!(
            sessions
                .find(&HeaderValue::from_static("sessionId=0011"), now)
                .is_none()
        );
        assert!(
            sessions
                .find(&HeaderValue::from_static("other=1"), now)
                .is_none()
        );
    }
}
