//! The token of an account: fetched, kept on disk, renewed before it expires.

mod disk;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::renewal::{Attempts, is_due};
use super::{Token, moment};
use crate::clock::Clock;
use crate::cloud::Account;
use crate::error::Credentials;
use crate::state_files::{Kind, StateFiles};

/// How old a process has to be before it logs in without a note on disk: whoever starts it again and again
/// makes no more logins than one that fails.
const UNNOTED_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// The pause between two warnings of the same failure to renew.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Fetches tokens, and remembers the newest.
#[derive(Debug)]
pub(super) struct Keeper {
    account: Account,
    files: StateFiles,
    clock: Clock,
    /// When it was made, about when the process was.
    began: Timestamp,
    state: Mutex<State>,
    /// Whoever has it may fetch one: never two at once. `None` until it is known what an earlier process
    /// tried.
    attempts: Arc<Turn<Option<Attempts>>>,
}

type MyTurn = OwnedMutexGuard<Option<Attempts>>;

/// The newest token, and what is to be done with it.
#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// The one that is on disk.
    kept: Option<Token>,
    /// The newest, as it will be kept on disk once the Envoy has taken it: until then the one before is the
    /// better one to begin with after a restart.
    unkept: Option<SecretString>,
    /// Whether what an earlier process kept was looked at.
    is_disk_known: bool,
    /// Whether the cloud was asked to let somebody in.
    is_asked_for: bool,
    /// The last warning that it could not be renewed.
    warned: Option<(String, Timestamp)>,
    /// The last warning that the disk takes nothing.
    unwritten: Option<Timestamp>,
}

impl Keeper {
    pub(super) fn new(account: Account, files: StateFiles, clock: Clock) -> Self {
        Self {
            account,
            files,
            began: clock.now(),
            clock,
            state: Mutex::default(),
            attempts: Arc::default(),
        }
    }

    /// A token that has not expired: the one at hand, the one on disk, or a new one.
    pub(super) async fn token(&self, serial: &str) -> Result<Token, Credentials> {
        if let Some(token) = self.at_hand(serial).await {
            return Ok(token);
        }
        let turn = Arc::clone(&self.attempts).lock_owned().await;
        // Whoever had the turn before may have fetched one.
        if let Some(token) = self.at_hand(serial).await {
            return Ok(token);
        }
        self.fetch(serial, turn).await
    }

    pub(super) fn asked_the_cloud(&self) -> bool {
        self.state().is_asked_for
    }

    /// The newest token. Begins to renew it when that is due, and does not wait for it.
    pub(super) async fn newest(self: &Arc<Self>, serial: &str) -> Option<Token> {
        let newest = self.state().token.clone();
        let now = self.clock.now();
        // Who only looks leaves that to the one who goes on, and whose file it is.
        let is_due =
            !self.files.is_read_only() && newest.as_ref().is_some_and(|token| token.is_due(now));
        if is_due
            && let Ok(mut turn) = Arc::clone(&self.attempts).try_lock_owned()
            && self.attempts(serial, &mut turn).await.may(now).is_ok()
        {
            let (keeper, serial) = (Arc::clone(self), serial.to_owned());
            tokio::spawn(async move { keeper.renew(&serial, turn).await });
        }
        newest
    }

    /// Another token than those that the Envoy refused.
    pub(super) async fn after_refusal(
        &self,
        serial: &str,
        refused: &[Token],
    ) -> Result<Token, Credentials> {
        let mut turn = Arc::clone(&self.attempts).lock_owned().await;
        let newest = self.state().token.clone();
        if let Some(newest) = newest.filter(|token| !refused.contains(token)) {
            return Ok(newest);
        }
        self.note_refusal(serial, &mut turn).await;
        self.fetch(serial, turn).await
    }

    /// The Envoy takes this token: from now on it is the one to begin with after a restart.
    pub(super) async fn accepted(&self, serial: &str, token: &Token) {
        let unkept = {
            let mut state = self.state();
            if state.token.as_ref() != Some(token) {
                return;
            }
            state.unkept.take()
        };
        if let Some(text) = unkept {
            self.keep(serial, token, text).await;
        }
    }

    /// The Envoy takes the token that is kept, but not this newer one: the kept one is the newest again, and is
    /// renewed in the end.
    pub(super) async fn refused(&self, serial: &str, token: &Token) {
        {
            let mut state = self.state();
            let is_newest = state.token.as_ref() == Some(token);
            if !is_newest || state.kept.is_none() || state.kept.as_ref() == Some(token) {
                return;
            }
            let kept = state.kept.clone();
            state.token = kept;
            state.unkept = None;
        }
        // Who has the turn is fetching the next one already.
        if let Ok(mut turn) = Arc::clone(&self.attempts).try_lock_owned() {
            self.note_refusal(serial, &mut turn).await;
        }
    }

    async fn note_refusal(&self, serial: &str, turn: &mut MyTurn) {
        let attempts = self.attempts(serial, turn).await;
        if attempts.refused(self.clock.now()) {
            let saved = attempts.saved().into();
            self.write(Kind::Attempts, serial, saved).await;
        }
    }

    async fn renew(&self, serial: &str, turn: MyTurn) {
        let Err(error) = self.fetch(serial, turn).await else {
            return;
        };
        if self.is_to_be_said(&error) {
            let expires_at = self
                .state()
                .token
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

    /// Once, when it becomes another failure, and again after a day.
    fn is_to_be_said(&self, error: &Credentials) -> bool {
        let (now, cause) = (self.clock.now(), std::error::Error::source(error));
        let reason = cause.map_or_else(|| error.to_string(), ToString::to_string);
        let mut state = self.state();
        let is_said = state.warned.as_ref().is_some_and(|(said, at)| {
            // A clock that was set back is no reason to be silent.
            *said == reason && (now - *at).abs() < AGAIN_AFTER
        });
        if !is_said {
            state.warned = Some((reason, now));
        }
        !is_said
    }

    /// Fetches one, unless it is too early for that.
    async fn fetch(&self, serial: &str, mut turn: MyTurn) -> Result<Token, Credentials> {
        let attempts = self.attempts(serial, &mut turn).await;
        attempts.may(self.clock.now())?;
        // This process may be killed before it knows what came of it.
        let under_way = attempts.saved_before(self.clock.now());
        self.note(serial, under_way).await?;
        let mut logged_in = false;
        let fetched = self.account.fetch_token_noting(serial, &mut logged_in);
        let fetched = fetched.await;
        self.state().is_asked_for |= logged_in;
        let now = self.clock.now();
        let result = match fetched {
            Ok(fetched) => {
                attempts.succeeded(now);
                let token = Token::parse(&fetched.token)?;
                tracing::info!(
                    serial,
                    role = fetched.role,
                    expires_at = fetched.expires_at.map(moment),
                    "fetched a token for the Envoy from Enphase's cloud"
                );
                self.take(serial, &token, fetched.token).await;
                Ok(token)
            }
            Err(error) => {
                let not_yet = attempts.failed(error, now, rand::random());
                tracing::debug!(serial, again_at = %not_yet.again_at, "the next attempt to fetch a token");
                Err(not_yet.into())
            }
        };
        // Otherwise each restart would be one more login, and the cloud locks out who logs in too often.
        self.write(Kind::Attempts, serial, attempts.saved().into())
            .await;
        result
    }

    /// Notes on disk that an attempt is under way. Where that fails no restart would know of it, and one restart
    /// after the other could be a login: then the first one has to wait.
    async fn note(&self, serial: &str, under_way: String) -> Result<(), Credentials> {
        let noted = self.try_to_write(Kind::Attempts, serial, under_way.into());
        let Err(source) = noted.await else {
            return Ok(());
        };
        // A clock that was set is no reason to wait longer.
        let age = (self.clock.now() - self.began).abs();
        if age >= UNNOTED_AFTER {
            return Ok(());
        }
        Err(Credentials::NotNoted {
            again_at: self.began + UNNOTED_AFTER,
            path: self.files.path(Kind::Attempts, serial).unwrap_or_default(),
            source,
        })
    }

    /// It is the newest now. On disk it replaces at once only what is of no use any more.
    async fn take(&self, serial: &str, token: &Token, text: SecretString) {
        let now = self.clock.now();
        {
            let mut state = self.state();
            state.token = Some(token.clone());
            state.warned = None;
            let keeps_another = state
                .kept
                .as_ref()
                .is_some_and(|kept| !kept.has_expired(now));
            state.unkept = keeps_another.then(|| text.clone());
            if keeps_another {
                return;
            }
        }
        self.keep(serial, token, text).await;
    }

    async fn keep(&self, serial: &str, token: &Token, text: SecretString) {
        let is_settled = self.write(Kind::Token, serial, text.clone()).await;
        let mut state = self.state();
        state.kept = Some(token.clone());
        // A disk that is full now has space again some day. A newer one that came meanwhile has its own turn.
        if !is_settled && state.token.as_ref() == Some(token) {
            state.unkept = Some(text);
        }
    }

    /// The newest one, if it has not expired.
    async fn at_hand(&self, serial: &str) -> Option<Token> {
        let is_disk_known = self.state().is_disk_known;
        if !is_disk_known {
            let kept = self.kept(serial).await;
            let mut state = self.state();
            // Whoever else looked meanwhile saw the same.
            if !std::mem::replace(&mut state.is_disk_known, true) {
                state.token.clone_from(&kept);
                state.kept = kept;
            }
        }
        let token = self.state().token.clone();
        token.filter(|token| !token.has_expired(self.clock.now()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn is_due(&self, now: Timestamp) -> bool {
        let claims = &self.claims;
        claims
            .expires_at
            .is_some_and(|expires_at| is_due(claims.issued_at, expires_at, now))
    }
}

#[cfg(test)]
mod tests;
