//! Enphase's cloud, as far as a token needs it: Enlighten, where an owner logs in, and Entrez, which
//! signs tokens. One server stands for both.
//!
//! Three ways lead to a token, as clients in the wild go them:
//!
//! ```text
//!  POST /login/login.json ──session_id──► POST /tokens                             the bare token
//!                        └──cookie──────► GET /entrez-auth-token?serial_num=…      JSON
//!  POST /login ──cookie SESSION──► POST /entrez_tokens                             a text area in HTML
//! ```
//!
//! Statuses and pages of refusals were hardly ever recorded; where they were not, they are ours.
//! Its clock is the gateway's, but is never set back: a year passes for both at the same speed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::access::{Claim, Role, Signer};
use crate::answer::Answer;
use crate::clock::Clock;
use crate::serial::Serial;

mod enlighten;
mod entrez;
mod options;
mod request;
mod requests;
mod running;
mod server;
mod sessions;
mod switch;

pub use options::CloudOptions;
use request::Request;
use requests::Requests;
pub use requests::{CloudRequest, CloudRequestsError};
pub(crate) use running::RunningCloud;
use sessions::Sessions;
pub use switch::{CloudSwitch, NotACloudSwitch, TooMany};

/// The simulated cloud, with one account, which owns one gateway.
#[derive(Debug)]
pub(crate) struct Cloud {
    serial: Serial,
    username: String,
    clock: Clock,
    signer: Signer,
    requests: Requests,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    password: SecretString,
    role: Role,
    /// Of tokens from now on; none for that of the role.
    lifetime: Option<Duration>,
    mfa: bool,
    too_many_sessions: TooMany,
    blocked: bool,
    down: bool,
    enlighten: Sessions,
    entrez: Sessions,
}

/// What came of a request.
#[derive(Debug)]
struct Outcome {
    answer: Answer,
    /// A session or a token was given.
    granted: bool,
}

impl Outcome {
    fn granted(answer: Answer) -> Self {
        let granted = true;
        Self { answer, granted }
    }

    fn refused(answer: Answer) -> Self {
        let granted = false;
        Self { answer, granted }
    }
}

impl Cloud {
    pub(crate) fn new(
        options: &CloudOptions,
        serial: Serial,
        clock: Clock,
        requests: Requests,
    ) -> Self {
        Self {
            serial,
            username: options.username.clone(),
            clock,
            signer: Signer::new(),
            requests,
            state: Mutex::new(State {
                password: options.password.clone(),
                role: options.role,
                lifetime: options.token_lifetime,
                mfa: false,
                too_many_sessions: TooMany::Nowhere,
                blocked: false,
                down: false,
                enlighten: Sessions::default(),
                entrez: Sessions::default(),
            }),
        }
    }

    /// Changes how it behaves from now on.
    pub(crate) fn switch(&self, switch: CloudSwitch) {
        let mut state = self.state();
        match switch {
            CloudSwitch::Mfa(on) => state.mfa = on,
            CloudSwitch::TooManySessions(place) => state.too_many_sessions = place,
            CloudSwitch::Blocked(on) => state.blocked = on,
            CloudSwitch::Down(on) => state.down = on,
            CloudSwitch::Role(role) => state.role = role,
            CloudSwitch::Lifetime(lifetime) => state.lifetime = lifetime,
            CloudSwitch::Password(password) => {
                state.password = password;
                state.enlighten = Sessions::default();
                state.entrez = Sessions::default();
            }
        }
    }

    /// What it was asked, from the first request on.
    pub(crate) fn requests(&self) -> Vec<CloudRequest> {
        self.requests.all()
    }

    /// The answer to a request, which is noted.
    fn respond(&self, request: &Request) -> Answer {
        let now = self.clock.now();
        let outcome = self.outcome(request, now);
        self.requests.note(CloudRequest {
            at: now,
            path: request.path.clone(),
            status: outcome.answer.status.as_u16(),
            granted: outcome.granted,
        });
        outcome.answer
    }

    fn outcome(&self, request: &Request, now: Timestamp) -> Outcome {
        let mut state = self.state();
        if state.down {
            let page = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n\
                        <body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n\
                        </body>\r\n</html>\r\n";
            let answer = Answer::new(StatusCode::SERVICE_UNAVAILABLE, page);
            return Outcome::refused(answer.content_type("text/html"));
        }
        let (post, get) = (Method::POST, Method::GET);
        match request.path.as_str() {
            "/login/login.json" if request.method == post => self.log_in(&mut state, request),
            "/entrez-auth-token" if request.method == get => self.token_json(&state, request, now),
            "/tokens" if request.method == post => self.token_text(&state, request, now),
            "/login" if request.method == post => self.log_in_to_entrez(&mut state, request),
            "/entrez_tokens" if request.method == post => self.token_page(&state, request, now),
            "/login/login.json" | "/entrez-auth-token" | "/tokens" | "/login"
            | "/entrez_tokens" => Outcome::refused(Answer::new(StatusCode::METHOD_NOT_ALLOWED, "")),
            _ => Outcome::refused(Answer::new(StatusCode::NOT_FOUND, "")),
        }
    }

    /// Whether these are the account's.
    fn knows(&self, state: &State, username: Option<&str>, password: Option<&str>) -> bool {
        self.is_account(username)
            && password.is_some_and(|password| password == state.password.expose_secret())
    }

    fn is_account(&self, username: Option<&str>) -> bool {
        username.is_some_and(|username| username.eq_ignore_ascii_case(&self.username))
    }

    fn owns(&self, serial: Option<&str>) -> bool {
        serial == Some(self.serial.as_str())
    }

    /// A token for the account's gateway.
    fn token(&self, state: &State, now: Timestamp) -> SecretString {
        self.signer.token(
            &Claim {
                serial: &self.serial,
                role: state.role,
                username: &self.username,
                lifetime: state.lifetime(),
            },
            now,
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lifetime(&self) -> Duration {
        self.lifetime.unwrap_or_else(|| self.role.token_lifetime())
    }
}
