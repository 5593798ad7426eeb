//! Sessions of clients that have shown a token: a cookie that lives as long as it is used.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::header::HeaderValue;
use jiff::{SignedDuration, Timestamp};

use super::role::Role;

/// A session that is not used for this long, by the gateway's clock, is over.
const IDLE: SignedDuration = SignedDuration::from_mins(10);
/// A client without a memory for cookies makes a session with each request; the oldest gives way.
const SESSIONS: usize = 1_000;

/// The sessions of one gateway.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

#[derive(Debug)]
struct Session {
    role: Role,
    used: Timestamp,
}

impl Sessions {
    /// Begins a session and returns its `Set-Cookie`.
    pub(super) fn begin(&self, role: Role, now: Timestamp) -> HeaderValue {
        let id = format!("{:032x}", rand::random::<u128>());
        let cookie = set_cookie(&id);
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.lives(now));
        if sessions.len() >= SESSIONS {
            let oldest = sessions
                .iter()
                .min_by_key(|(_, session)| session.used)
                .map(|(id, _)| id.clone());
            oldest.and_then(|id| sessions.remove(&id));
        }
        sessions.insert(id, Session { role, used: now });
        cookie
    }

    /// The `Set-Cookie` of a living session named by a `Cookie` header, begun by one who is at least
    /// this, which counts as a use.
    pub(super) fn find(
        &self,
        header: &HeaderValue,
        least: Role,
        now: Timestamp,
    ) -> Option<HeaderValue> {
        let mut cookies = header.to_str().ok()?.split(';');
        let id = cookies.find_map(|cookie| cookie.trim().strip_prefix("sessionId="))?;
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(id)?;
        if !session.lives(now) || session.role < least {
            return None;
        }
        session.used = now;
        Some(set_cookie(id))
    }
}

impl Session {
    fn lives(&self, now: Timestamp) -> bool {
        now.duration_since(self.used) <= IDLE
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
        let (sessions, begin) = (Sessions::default(), Timestamp::UNIX_EPOCH);
        let cookie = sessions.begin(Role::Owner, begin);
        let find = |at| sessions.find(&cookie, Role::Owner, at);
        assert!(find(begin + IDLE).is_some());
        assert!(find(begin + IDLE * 2).is_some(), "the last use counts");
        assert!(find(begin + IDLE * 4).is_none());
    }

    #[test]
    fn a_session_is_worth_what_the_token_was_that_began_it() {
        let (sessions, now) = (Sessions::default(), Timestamp::UNIX_EPOCH);
        let owners = sessions.begin(Role::Owner, now);
        let installers = sessions.begin(Role::Installer, now);
        assert!(sessions.find(&owners, Role::Installer, now).is_none());
        assert!(sessions.find(&owners, Role::Owner, now).is_some());
        assert!(sessions.find(&installers, Role::Installer, now).is_some());
        assert!(sessions.find(&installers, Role::Owner, now).is_some());
    }

    #[test]
    fn an_invented_session_is_unknown() {
        let (sessions, now) = (Sessions::default(), Timestamp::UNIX_EPOCH);
        sessions.begin(Role::Owner, now);
        for cookie in ["sessionId=0011", "other=1"] {
            let cookie = HeaderValue::from_static(cookie);
            assert!(sessions.find(&cookie, Role::Owner, now).is_none());
        }
    }
}
