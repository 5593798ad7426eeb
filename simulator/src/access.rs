//! Who may read what: digest below firmware 7, tokens from 7 on.

use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode, Uri};
use jiff::Timestamp;

use crate::answer::Answer;
use crate::firmware::Firmware;
use crate::resource::Resource;
use crate::serial::Serial;

mod digest;
mod pages;
mod password;
mod role;
mod session;
mod token;

use digest::{Digest, NonceStyle, Refused};
pub use role::{NotARole, Role};
use session::Sessions;
pub(crate) use token::{Claim, Signer};

/// The doorkeeper of one gateway.
#[derive(Debug)]
pub(crate) struct Access {
    firmware: Firmware,
    serial: Serial,
    guard: Guard,
}

#[derive(Debug)]
enum Guard {
    Digest(Digest),
    Token { signer: Signer, sessions: Sessions },
}

/// What a request says about who sends it.
#[derive(Debug)]
pub(crate) struct Credentials<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

/// The doorkeeper's decision.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Go on; the header belongs to the answer.
    Granted { set_cookie: Option<HeaderValue> },
    /// This is the answer.
    Refused(Answer),
}

impl Access {
    pub(crate) fn new(firmware: Firmware, serial: Serial) -> Self {
        let guard = if firmware.uses_tokens() {
            Guard::Token {
                signer: Signer::new(),
                sessions: Sessions::default(),
            }
        } else {
            let style = match firmware.major() {
                ..4 => NonceStyle::EpochSecond,
                _ => NonceStyle::Base64,
            };
            let installer = password::installer(&serial, "installer");
            let users = [
                ("installer", installer),
                ("envoy", serial.last_six().to_owned()),
            ];
            Guard::Digest(Digest::new(users, style))
        };
        Self {
            firmware,
            serial,
            guard,
        }
    }

    /// Whether who asks matters for this at all.
    pub(crate) fn concerns(&self, resource: Option<&Resource>) -> bool {
        match &self.guard {
            Guard::Digest(_) => resource.is_some_and(|resource| self.asks_for_password(resource)),
            Guard::Token { .. } => !resource.is_some_and(Resource::is_info),
        }
    }

    /// What anybody hears who is not let in.
    pub(crate) fn refusal(&self, resource: Option<&Resource>, now: Timestamp) -> Answer {
        match (&self.guard, resource) {
            (Guard::Digest(digest), Some(resource)) => {
                let page = pages::password_wanted(&self.firmware, resource);
                page.header(WWW_AUTHENTICATE, digest.challenge(now))
            }
            _ => pages::token_wanted(&self.firmware),
        }
    }

    /// Decides on a request at `now`, the gateway's time.
    pub(crate) fn admit(
        &self,
        resource: Option<&Resource>,
        credentials: &Credentials<'_>,
        now: Timestamp,
    ) -> Admission {
        match &self.guard {
            Guard::Digest(digest) => match resource {
                Some(resource) if self.asks_for_password(resource) => {
                    self.admit_user(digest, resource, credentials, now)
                }
                _ => Admission::Granted { set_cookie: None },
            },
            Guard::Token { .. } if resource.is_some_and(Resource::is_info) => {
                Admission::Granted { set_cookie: None }
            }
            Guard::Token { signer, sessions } => {
                let least = self.least_role(resource);
                self.admit_bearer(signer, sessions, credentials, least, now)
            }
        }
    }

    /// Below 7 most of a gateway is open. `/production` became closed with 4, although
    /// `/production.json` stayed open.
    fn asks_for_password(&self, resource: &Resource) -> bool {
        match resource.name() {
            "api_v1_production_inverters" | "stream_meter" => true,
            "production" => self.firmware.major() >= 4,
            _ => false,
        }
    }

    /// From 7 on an owner may read everything but, from 7.6.175 on, the stream of the meters. Whether a token is
    /// good may be asked with any.
    fn least_role(&self, resource: Option<&Resource>) -> Role {
        let is = |name| resource.is_some_and(|resource| resource.name() == name);
        if is("auth_check_jwt") {
            Role::Anybody
        } else if is("stream_meter") && self.firmware.is_at_least(&[7, 6, 175]) {
            Role::Installer
        } else {
            Role::Owner
        }
    }

    fn admit_user(
        &self,
        digest: &Digest,
        resource: &Resource,
        credentials: &Credentials<'_>,
        now: Timestamp,
    ) -> Admission {
        let header = credentials.headers.get(AUTHORIZATION);
        let refused = match digest.verify(credentials.method, credentials.uri, header) {
            Ok(()) => return Admission::Granted { set_cookie: None },
            Err(refused) => refused,
        };
        // 3.9.36 answers a wrong password with four bytes that are no challenge at all.
        let garbage = refused == Refused::WrongPassword && !self.firmware.is_at_least(&[3, 10]);
        let challenge = if garbage {
            HeaderValue::from_bytes(b"\xd8\xc9\xc6A").expect("bytes above 0x7f are allowed")
        } else {
            digest.challenge(now)
        };
        let page = pages::password_wanted(&self.firmware, resource);
        Admission::Refused(page.header(WWW_AUTHENTICATE, challenge))
    }

    fn admit_bearer(
        &self,
        signer: &Signer,
        sessions: &Sessions,
        credentials: &Credentials<'_>,
        least: Role,
        now: Timestamp,
    ) -> Admission {
        let cookies = credentials.headers.get_all(COOKIE);
        let known = cookies
            .iter()
            .find_map(|cookies| sessions.find(cookies, least, now));
        let bearer = || {
            let header = credentials.headers.get(AUTHORIZATION)?.to_str().ok()?;
            let (scheme, token) = header.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim())
        };
        let session = known.or_else(|| {
            let verified = signer.verify(bearer()?, &self.serial, now);
            match verified {
                Ok(role) if role >= least => Some(sessions.begin(role, now)),
                Ok(role) => {
                    tracing::debug!(%role, %least, "token refused: its role is too low");
                    None
                }
                Err(reason) => {
                    tracing::debug!(%reason, "token refused");
                    None
                }
            }
        });
        match session {
            Some(cookie) => Admission::Granted {
                set_cookie: Some(cookie),
            },
            None => Admission::Refused(pages::token_wanted(&self.firmware)),
        }
    }

    /// The answer of `/auth/check_jwt` to a request that was admitted; none for other resources
    /// and where there are no tokens.
    pub(crate) fn check_jwt(&self, resource: &Resource) -> Option<Answer> {
        let asked = self.firmware.uses_tokens() && resource.name() == "auth_check_jwt";
        asked.then(|| {
            Answer::new(StatusCode::OK, "<!DOCTYPE html><h2>Valid token.</h2>\n")
                .content_type("text/html")
        })
    }
}

/// Puts the session's cookie on an answer, in place of any recorded one.
pub(crate) fn with_session(mut answer: Answer, set_cookie: Option<HeaderValue>) -> Answer {
    if let Some(cookie) = set_cookie {
        answer.headers.insert(SET_COOKIE, cookie);
    }
    answer
}
