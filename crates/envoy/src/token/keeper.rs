//! The token of an account: fetched, kept on disk, renewed before it expires.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::renewal::{Attempts, NotYet, is_due};
use super::{Token, moment};
use crate::clock::Clock;
use crate::cloud::Account;
use crate::error::Credentials;
use crate::state_files::{Kind, StateFiles};

/// Fetches tokens, and remembers the newest.
#[derive(Debug)]
pub(super) struct Keeper {
    account: Account,
    files: StateFiles,
    clock: Clock,
    current: Mutex<Option<Token>>,
    /// Whoever has it may fetch one: never two at once.
    attempts: Arc<Turn<Attempts>>,
}

impl Keeper {
    pub(super) fn new(account: Account, files: StateFiles, clock: Clock) -> Self {
        Self {
            account,
            files,
            clock,
            current: Mutex::default(),
            attempts: Arc::default(),
        }
    }

    /// A token that has not expired: the one at hand, the one on disk, or a new one.
    pub(super) async fn token(&self, serial: &str) -> Result<Token, Credentials> {
        let at_hand = self.current().clone().or_else(|| self.kept(serial));
        if let Some(token) = at_hand.filter(|token| !token.has_expired(self.clock.now())) {
            *self.current() = Some(token.clone());
            return Ok(token);
        }
        let turn = Arc::clone(&self.attempts).lock_owned().await;
        match self.fetch(serial, turn).await? {
            Some(token) => Ok(token),
            // It expired within half an hour.
            None => Err(Credentials::NotAToken),
        }
    }

    /// The newest token. Begins to renew it when that is due, and does not wait for it.
    pub(super) fn newest(self: &Arc<Self>, serial: &str) -> Option<Token> {
        let current = self.current().clone();
        let now = self.clock.now();
        // Who only looks leaves that to the one who goes on, and whose file it is.
        let is_due =
            !self.files.is_read_only() && current.as_ref().is_some_and(|token| token.is_due(now));
        if is_due
            && let Ok(turn) = Arc::clone(&self.attempts).try_lock_owned()
            && turn.may(now).is_ok()
        {
            let (keeper, serial) = (Arc::clone(self), serial.to_owned());
            tokio::spawn(async move { keeper.renew(&serial, turn).await });
        }
        current
    }

    /// Another token than the one that the Envoy refused, if one can be had.
    pub(super) async fn after_refusal(
        &self,
        serial: &str,
        refused: &Token,
    ) -> Result<Option<Token>, Credentials> {
        let mut turn = Arc::clone(&self.attempts).lock_owned().await;
        let newer = self.current().clone().filter(|token| token != refused);
        if newer.is_some() {
            return Ok(newer);
        }
        turn.refused(self.clock.now());
        self.fetch(serial, turn).await
    }

    async fn renew(&self, serial: &str, turn: OwnedMutexGuard<Attempts>) {
        if let Err(error) = self.fetch(serial, turn).await {
            let expires_at = self
                .current()
                .as_ref()
                .and_then(|token| token.claims.expires_at);
            tracing::warn!(
                serial,
                expires_at = expires_at.map(moment),
                error = &error as &dyn std::error::Error,
                "the Envoy's token could not be renewed; the old one is used until it expires"
            );
        }
    }

    /// Fetches one, unless it is too early for that: then `None` where the last attempt gave one.
    async fn fetch(
        &self,
        serial: &str,
        mut attempts: OwnedMutexGuard<Attempts>,
    ) -> Result<Option<Token>, Credentials> {
        if let Err(not_yet) = attempts.may(self.clock.now()) {
            return not_fetched(not_yet).map_or(Ok(None), Err);
        }
        match self.account.fetch_token(serial).await {
            Ok(fetched) => {
                attempts.succeeded(self.clock.now());
                let token = Token::parse(&fetched.token)?;
                tracing::info!(
                    serial,
                    role = fetched.role,
                    expires_at = fetched.expires_at.map(moment),
                    "fetched a token for the Envoy from Enphase's cloud"
                );
                self.keep(serial, fetched.token.expose_secret());
                *self.current() = Some(token.clone());
                Ok(Some(token))
            }
            Err(error) => {
                let not_yet = attempts.failed(error, self.clock.now(), rand::random());
                tracing::debug!(serial, again_at = %not_yet.again_at, "the next attempt to fetch a token");
                not_fetched(not_yet).map_or(Ok(None), Err)
            }
        }
    }

    fn keep(&self, serial: &str, token: &str) {
        if let Err(error) = self.files.write(Kind::Token, serial, token) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                path = %self.files.path(Kind::Token, serial).unwrap_or_default().display(),
                "the Envoy's token can't be kept on disk; after a restart another one is fetched"
            );
        }
    }

    /// What an earlier process fetched, unless it is damaged or another Envoy's.
    fn kept(&self, serial: &str) -> Option<Token> {
        let path = self.files.path(Kind::Token, serial).unwrap_or_default();
        let text = match self.files.read(Kind::Token, serial) {
            Ok(text) => text?,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    path = %path.display(),
                    "the token that was kept can't be read; another one is fetched"
                );
                return None;
            }
        };
        let token = Token::parse(&text.into()).ok();
        let token = token.filter(|token| token.claims.audience.as_deref() == Some(serial));
        if token.is_none() {
            tracing::warn!(
                path = %path.display(),
                "what was kept as this Envoy's token is none; another one is fetched"
            );
        }
        token
    }

    fn current(&self) -> MutexGuard<'_, Option<Token>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.claims
            .expires_at
            .is_some_and(|expires_at| expires_at <= now.as_second())
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let claims = &self.claims;
        claims
            .expires_at
            .is_some_and(|expires_at| is_due(claims.issued_at, expires_at, now))
    }
}

fn not_fetched(not_yet: NotYet) -> Option<Credentials> {
    Some(Credentials::NotFetched {
        reason: not_yet.because?,
    })
}
