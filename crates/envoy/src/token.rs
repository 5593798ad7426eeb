//! The token that firmware 7 and above wants: a JWT, made by Enphase's cloud for one Envoy, which
//! checks it by itself, offline.

mod file;
mod keeper;
mod renewal;
mod shape;

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::clock::Clock;
use crate::cloud::Account;
use crate::error::Credentials;
pub(crate) use crate::error::moment;
use crate::state_files::StateFiles;
use file::TokenFile;
use keeper::Keeper;
pub(crate) use renewal::ahead;
pub use shape::check_token;

/// Where the token comes from.
#[derive(Clone, Debug)]
pub struct TokenSource(Source);

#[derive(Clone, Debug)]
enum Source {
    Given(SecretString),
    File(Arc<TokenFile>),
    Account(Arc<Keeper>),
}

impl TokenSource {
    /// This token, always.
    #[must_use]
    pub fn given(token: SecretString) -> Self {
        Self(Source::Given(token))
    }

    /// What this file holds, read again for each request: mounted secrets change while we run.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(Arc::new(TokenFile::new(path.into()))))
    }

    /// One that this account fetches, which is kept in `files` and renewed by itself.
    #[must_use]
    pub fn account(account: Account, files: StateFiles, clock: Clock) -> Self {
        Self(Source::Account(Arc::new(Keeper::new(
            account, files, clock,
        ))))
    }

    /// Whether it is renewed by itself.
    #[must_use]
    pub fn renews(&self) -> bool {
        matches!(self.0, Source::Account(_))
    }

    /// Whether the cloud was asked for one, in vain or not, since the process began.
    pub(crate) fn asked_the_cloud(&self) -> bool {
        matches!(&self.0, Source::Account(keeper) if keeper.asked_the_cloud())
    }

    /// The token to log in with.
    pub(crate) async fn read(&self, serial: &str) -> Result<Token, Credentials> {
        match &self.0 {
            Source::Given(token) => Token::parse(token),
            Source::Account(keeper) => keeper.token(serial).await,
            Source::File(file) => file.read().await,
        }
    }
}

impl TokenSource {
    /// The one to go on with, if it may be another than at the login. Never waits for the cloud. A file
    /// that can't be read just now is no reason to give up the token that works.
    pub(crate) async fn newest(&self, serial: &str) -> Option<Token> {
        match &self.0 {
            Source::Given(_) => None,
            Source::File(file) => file.newest().await,
            Source::Account(keeper) => keeper.newest(serial).await,
        }
    }

    /// Another one than those that the Envoy refused, if there is one.
    pub(crate) async fn after_refusal(
        &self,
        serial: &str,
        refused: &[Token],
    ) -> Result<Option<Token>, Credentials> {
        match &self.0 {
            Source::Given(_) => Ok(None),
            Source::File(_) => {
                let token = self.read(serial).await?;
                Ok((!refused.contains(&token)).then_some(token))
            }
            Source::Account(keeper) => keeper.after_refusal(serial, refused).await.map(Some),
        }
    }

    /// The Envoy takes the token before this one, but not this one.
    pub(crate) async fn refused(&self, serial: &str, token: &Token) {
        if let Source::Account(keeper) = &self.0 {
            keeper.refused(serial, token).await;
        }
    }

    /// The Envoy takes this token.
    pub(crate) async fn accepted(&self, serial: &str, token: &Token) {
        if let Source::Account(keeper) = &self.0 {
            keeper.accepted(serial, token).await;
        }
    }
}

/// A token, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// `Bearer …`, marked as sensitive, so that nothing shows it.
    pub(crate) bearer: HeaderValue,
    pub(crate) claims: Claims,
}

/// What a token says of itself. Not verified (the Envoy does that), so it opens nothing: it keeps a
/// token from an Envoy that it is not for, explains a refusal and tells when to get a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The serial of the Envoy it was made for.
    pub(crate) audience: Option<String>,
    /// Unix seconds.
    pub(crate) issued_at: Option<i64>,
    /// Unix seconds.
    pub(crate) expires_at: Option<i64>,
    /// `owner`, `installer` and others.
    pub(crate) role: Option<String>,
}

impl Token {
    pub(crate) fn parse(text: &SecretString) -> Result<Self, Credentials> {
        let text = text.expose_secret().trim();
        check_token(text).map_err(Credentials::NotAToken)?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {text}"))
            .expect("a header value may hold any visible ASCII character");
        bearer.set_sensitive(true);
        Ok(Self {
            bearer,
            // What can't be read is sent all the same: the Envoy has the last word.
            claims: Claims::read(text).unwrap_or_default(),
        })
    }

    /// Whether it says of itself that it is not good any more.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.claims
            .expires_at
            .is_some_and(|expires_at| expires_at <= now.as_second())
    }
}

impl Claims {
    fn read(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?.trim_end_matches('=');
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Some(Self {
            audience: word(match &claims["aud"] {
                // RFC 7519, 4.1.3: one may stand in a list.
                serde_json::Value::Array(list) if list.len() == 1 => &list[0],
                one => one,
            }),
            issued_at: time(&claims["iat"]),
            expires_at: time(&claims["exp"]),
            role: word(&claims["enphaseUser"]),
        })
    }

    /// Refuses the Envoy with this serial where the token says that it is for another. It would not
    /// take it; and who takes over an address may claim a serial of his own, to which no certificate is
    /// pinned yet.
    pub(crate) fn check_audience(&self, serial: &str) -> Result<(), Credentials> {
        match self.other_audience(serial) {
            Some(found) => Err(Credentials::TokenOfAnother {
                found: found.to_owned(),
                serial: serial.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The serial of the Envoy that the token is for, where that is another than this one.
    pub(crate) fn other_audience(&self, serial: &str) -> Option<&str> {
        let audience = self.audience.as_deref()?;
        // The second one is for any Envoy that is not commissioned yet.
        (audience != serial && audience != "un-commissioned").then_some(audience)
    }

    /// Why the Envoy with this serial refused the token, as far as the token itself tells. `now`
    /// in Unix seconds.
    pub(crate) fn explain_refusal(&self, serial: &str, now: i64) -> Credentials {
        if let Some(expired_at) = self.expires_at.filter(|&at| at <= now) {
            return Credentials::TokenExpired { expired_at };
        }
        let rejected = || Credentials::TokenRejected {
            role: self.role.clone(),
        };
        self.check_audience(serial).err().unwrap_or_else(rejected)
    }
}

/// A claim that is a time, in Unix seconds.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
fn time(claim: &Value) -> Option<i64> {
    claim
        .as_i64()
        .or_else(|| claim.as_f64().map(|at| at as i64))
}

/// A claim that is a short word; it ends up in messages.
fn word(claim: &Value) -> Option<String> {
    let text = claim.as_str()?;
    let short = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    short.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
