//! The session of firmware 7 and above: a token, and the cookie that the Envoy gives for it.

mod cookie;

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};
use url::Url;

use crate::clock::Clock;
use crate::error::{Credentials, Error};
use crate::exchange::{Answer, Connections, Transport, join};
use crate::token::{Claims, Token, TokenSource};
pub(crate) use cookie::session_cookie;

/// The page that checks a token and opens a session for it.
const LOGIN: &str = "/auth/check_jwt";

/// How many refused tokens are remembered.
const MOST: usize = 4;

/// The tokens that an Envoy was shown.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    /// The last one that the Envoy took.
    accepted: Option<Token>,
    /// The one that came in its place, and that the Envoy did not take.
    refused: Option<Token>,
    /// Those that it refused while it took none.
    hopeless: Vec<Token>,
    /// The one that was tried last.
    last: Token,
}

/// What an Envoy says no to.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    /// The token: its login page does not take it, either.
    OfToken,
    /// What was asked for: it takes the token.
    OfRole,
}

#[derive(Debug)]
pub(crate) struct Session {
    source: TokenSource,
    clock: Clock,
    serial: String,
    token: Token,
    /// The last one that the Envoy took.
    accepted: Option<Token>,
    /// One that came in its place, and that the Envoy did not take.
    refused: Option<Token>,
    /// Those that the Envoy refused while it took none: from then on only one of them is tried at a time, since
    /// some firmwares lock out who guesses.
    hopeless: Vec<Token>,
    cookie: Option<HeaderValue>,
}

impl Session {
    /// Begins with the token that the Envoy with this serial took last, as long as it is good, otherwise with
    /// the one that there is; one that is for another Envoy is never sent to it. A newer one is tried first by
    /// [`get`](Self::get), which then still has the one that worked.
    pub(crate) async fn open(
        source: &TokenSource,
        serial: &str,
        clock: &Clock,
        before: Option<&Tried>,
    ) -> Result<Self, Error> {
        let accepted = before.and_then(|before| before.accepted.clone());
        let accepted = accepted.filter(|token| {
            !token.has_expired(clock.now()) && token.claims.other_audience(serial).is_none()
        });
        let mut token = match &accepted {
            Some(accepted) => accepted.clone(),
            None => source.read(serial).await?,
        };
        let hopeless = before.map_or(Vec::new(), |before| before.hopeless.clone());
        // In turns with the newest one.
        if before.is_some_and(|before| before.last == token)
            && let Some(newest) = source.newest(serial).await
            && hopeless.contains(&newest)
        {
            token = newest;
        }
        token.claims.check_audience(serial)?;
        Ok(Self {
            source: source.clone(),
            clock: clock.clone(),
            serial: serial.to_owned(),
            token,
            accepted,
            refused: before.and_then(|before| before.refused.clone()),
            hopeless,
            cookie: None,
        })
    }

    /// What a session that follows this one has to know.
    pub(crate) fn tried(&self) -> Tried {
        Tried {
            accepted: self.accepted.clone(),
            refused: self.refused.clone(),
            hopeless: self.hopeless.clone(),
            last: self.token.clone(),
        }
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.token.claims
    }

    /// Asks with the newest token that there is. Refused, with the one before; then with another one, if one
    /// can be had. Never with one that was refused just now.
    pub(crate) async fn get(
        &mut self,
        transport: &Transport,
        url: &Url,
        connections: Connections,
    ) -> Result<Answer, Error> {
        let before = self.take_newest().await;
        let mut asked = self.ask_as_it_wants(transport, url, connections).await?;
        let mut refused = vec![self.token.clone()];
        if let (Err(_), Some(before)) = (&asked, before) {
            let newest = std::mem::replace(&mut self.token, before);
            self.cookie = None;
            asked = self.ask_as_it_wants(transport, url, connections).await?;
            match &asked {
                Ok(answer) if answer.status.is_success() => self.leave_out(newest).await,
                _ => refused.push(self.token.clone()),
            }
        }
        let mut because = None;
        if asked.is_err() {
            self.give_up(&refused);
            let refused = self.hopeless.clone();
            match self.another(&refused).await {
                Ok(Some(other)) => {
                    other.claims.check_audience(&self.serial)?;
                    self.take(other);
                    asked = self.ask_as_it_wants(transport, url, connections).await?;
                    if asked.is_err() {
                        let other = self.token.clone();
                        self.give_up(std::slice::from_ref(&other));
                    }
                }
                Ok(None) => {}
                Err(error) => because = Some(error),
            }
        }
        match asked {
            Ok(answer) => {
                if answer.status.is_success() {
                    self.hopeless.clear();
                    let before = self.accepted.replace(self.token.clone());
                    if before.is_some_and(|before| before != self.token) {
                        tracing::info!(
                            serial = self.serial,
                            "another token is used for the Envoy from now on"
                        );
                    }
                    self.source.accepted(&self.serial, &self.token).await;
                }
                Ok(answer)
            }
            Err(refusal) => Err(self.explain(refusal, url, because).into()),
        }
    }

    /// Asks with the token at hand in the ways that there are. With the cookie; without it, since that ends
    /// after ten minutes without a request; after a login by the page that is there for that, which some
    /// firmwares insist on.
    async fn ask_as_it_wants(
        &mut self,
        transport: &Transport,
        url: &Url,
        connections: Connections,
    ) -> Result<Result<Answer, Refusal>, Error> {
        let had_session = self.cookie.is_some();
        let answer = self.ask(transport, url, connections).await?;
        if !answer.is_refusal() {
            return Ok(Ok(answer));
        }
        if had_session {
            tracing::debug!("the Envoy refuses the session; asking with the token alone");
            self.cookie = None;
            let answer = self.ask(transport, url, connections).await?;
            if !answer.is_refusal() {
                return Ok(Ok(answer));
            }
        }
        self.cookie = None;
        let login = join(url, LOGIN);
        let answer = self.ask(transport, &login, connections).await?;
        if answer.status.is_server_error() {
            // It is busy, as after a start, and says nothing of the token.
            return Ok(Ok(answer));
        }
        if !answer.status.is_success() {
            return Ok(Err(Refusal::OfToken));
        }
        let answer = self.ask(transport, url, connections).await?;
        if answer.is_refusal() {
            return Ok(Err(Refusal::OfRole));
        }
        Ok(Ok(answer))
    }

    fn give_up(&mut self, refused: &[Token]) {
        for token in refused {
            if !self.hopeless.contains(token) {
                self.hopeless.push(token.clone());
            }
        }
        let spare = self.hopeless.len().saturating_sub(MOST);
        self.hopeless.drain(..spare);
    }

    /// Another token than those that were refused.
    async fn another(&self, refused: &[Token]) -> Result<Option<Token>, Credentials> {
        let other = self.source.after_refusal(&self.serial, refused).await;
        if let Err(error) = &other {
            // That the Envoy refuses is what counts, also for how soon it is asked again.
            tracing::debug!(serial = self.serial, %error, "there is no other token");
        }
        other
    }

    /// Why the token at hand was refused; `because` is why there is no other.
    fn explain(&self, refusal: Refusal, url: &Url, because: Option<Credentials>) -> Credentials {
        let claims = self.claims();
        match refusal {
            Refusal::OfRole => Credentials::TokenRole {
                role: claims.role.clone(),
                path: url.path().to_owned(),
            },
            Refusal::OfToken if self.source.renews() => Credentials::FetchedTokenRejected {
                role: claims.role.clone(),
                because: because.map(Box::new),
            },
            Refusal::OfToken => claims.explain_refusal(&self.serial, self.clock.now().as_second()),
        }
    }

    /// Goes on with the newest token; the one before, if there is another one now.
    async fn take_newest(&mut self) -> Option<Token> {
        let newest = self.source.newest(&self.serial).await?;
        let is_known = Some(&newest) == self.refused.as_ref() || self.hopeless.contains(&newest);
        if newest == self.token || is_known {
            return None;
        }
        if let Err(error) = newest.claims.check_audience(&self.serial) {
            tracing::warn!(serial = self.serial, %error, "the Envoy's new token is not used");
            self.refused = Some(newest);
            return None;
        }
        let before = self.token.clone();
        self.take(newest);
        Some(before)
    }

    /// The Envoy takes the token before, but not the newest one, which is not tried again while that works.
    async fn leave_out(&mut self, newest: Token) {
        tracing::warn!(
            serial = self.serial,
            "the Envoy refuses its new token; the one before is used as long as it works"
        );
        self.source.refused(&self.serial, &newest).await;
        self.refused = Some(newest);
    }

    fn take(&mut self, token: Token) {
        self.token = token;
        // It belongs to the token before.
        self.cookie = None;
    }

    /// Asks once, with the token at hand and its cookie.
    pub(super) async fn ask(
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
