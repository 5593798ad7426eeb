//! The token that firmware 7 and above wants: a JWT, made by Enphase's cloud for one Envoy, which
//! checks it by itself, offline.

mod keeper;
mod renewal;

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::clock::Clock;
use crate::cloud::Account;
use crate::error::Credentials;
pub(crate) use crate::error::moment;
use crate::state_files::StateFiles;
use keeper::Keeper;
pub(crate) use renewal::ahead;

/// Real tokens have some 400 characters; what is longer is another file.
const LONGEST: u64 = 16 * 1024;

/// Where the token comes from.
#[derive(Clone, Debug)]
pub struct TokenSource(Source);

#[derive(Clone, Debug)]
enum Source {
    Given(SecretString),
    File(PathBuf),
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
        Self(Source::File(path.into()))
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

    /// The token to log in with.
    pub(crate) async fn read(&self, serial: &str) -> Result<Token, Credentials> {
        match &self.0 {
            Source::Given(token) => Token::parse(token),
            Source::Account(keeper) => keeper.token(serial).await,
            Source::File(path) => {
                let text = read_file(path)
                    .await
                    .map_err(|source| Credentials::TokenFile {
                        path: path.clone(),
                        source,
                    })?;
                Token::parse(&text)
            }
        }
    }
}

impl TokenSource {
    /// The one to go on with, if it may be another than at the login. Never waits for the cloud. A file
    /// that can't be read just now is no reason to give up the token that works.
    pub(crate) async fn newest(&self, serial: &str) -> Option<Token> {
        match &self.0 {
            Source::Given(_) => None,
            Source::File(_) => self.read(serial).await.ok(),
            Source::Account(keeper) => keeper.newest(serial),
        }
    }

    /// Another one than the one that the Envoy refused, if there is one.
    pub(crate) async fn after_refusal(
        &self,
        serial: &str,
        refused: &Token,
    ) -> Result<Option<Token>, Credentials> {
        match &self.0 {
            Source::Given(_) => Ok(None),
            Source::File(_) => {
                let token = self.read(serial).await?;
                Ok((token != *refused).then_some(token))
            }
            Source::Account(keeper) => keeper.after_refusal(serial, refused).await,
        }
    }
}

async fn read_file(path: &PathBuf) -> Result<SecretString, std::io::Error> {
    let mut text = String::new();
    tokio::fs::File::open(path)
        .await?
        .take(LONGEST)
        .read_to_string(&mut text)
        .await?;
    Ok(text.into())
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
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Credentials::NotAToken);
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {text}"))
            .expect("a header value may hold any visible ASCII character");
        bearer.set_sensitive(true);
        Ok(Self {
            bearer,
            // What can't be read is sent all the same: the Envoy has the last word.
            claims: Claims::read(text).unwrap_or_default(),
        })
    }
}

impl Claims {
    fn read(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?.trim_end_matches('=');
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Some(Self {
            audience: word(&claims["aud"]),
            issued_at: time(&claims["iat"]),
            expires_at: time(&claims["exp"]),
            role: word(&claims["enphaseUser"]),
        })
    }

    /// Refuses the Envoy with this serial where the token says that it is for another. It would not
    /// take it; and who takes over an address may claim a serial of his own, to which no certificate is
    /// pinned yet.
    pub(crate) fn check_audience(&self, serial: &str) -> Result<(), Credentials> {
        match &self.audience {
            // One for any Envoy that is not commissioned yet.
            Some(audience) if audience != serial && audience != "un-commissioned" => {
                Err(Credentials::TokenOfAnother {
                    found: audience.clone(),
                    serial: serial.to_owned(),
                })
            }
            _ => Ok(()),
        }
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
mod tests {
    use serde_json::json;

    use super::*;

    fn jwt(claims: &Value) -> SecretString {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("eyJhbGciOiJFUzI1NiJ9.{payload}.c2lnbmF0dXJl").into()
    }

    fn claims(claims: &Value) -> Claims {
        Token::parse(&jwt(claims)).expect("a token").claims
    }

    #[test]
    fn a_tokens_claims_are_read() {
        let claims = claims(&json!({"aud": "122012345678", "iss": "Entrez",
            "enphaseUser": "owner", "exp": 1_728_900_200, "iat": 1_697_364_200}));
        assert_eq!(claims.audience.as_deref(), Some("122012345678"));
        assert_eq!(claims.role.as_deref(), Some("owner"));
        assert_eq!(claims.expires_at, Some(1_728_900_200));
    }

    #[test]
    fn a_refusal_is_explained_by_the_token() {
        let token = claims(&json!({"aud": "1", "enphaseUser": "owner", "exp": 2_000}));
        assert!(matches!(
            token.explain_refusal("1", 2_000),
            Credentials::TokenExpired { expired_at: 2_000 }
        ));
        assert!(matches!(
            token.explain_refusal("2", 1_999),
            Credentials::TokenOfAnother { found, serial } if found == "1" && serial == "2"
        ));
        assert!(matches!(
            token.explain_refusal("1", 1_999),
            Credentials::TokenRejected { role: Some(role) } if role == "owner"
        ));
        assert!(matches!(
            Claims::default().explain_refusal("1", 0),
            Credentials::TokenRejected { role: None }
        ));
    }

    #[test]
    fn a_token_that_can_not_be_read_is_sent_all_the_same() {
        for text in ["abc", "a.b.c", "a.!!.c", "..", "a.bnVsbA.c"] {
            let token = Token::parse(&text.into()).expect(text);
            assert_eq!(token.claims, Claims::default(), "{text}");
        }
        let odd = claims(&json!({"aud": ["1"], "exp": 1e300, "enphaseUser": "a b\n"}));
        assert_eq!((odd.audience, odd.role), (None, None));
    }

    #[test]
    fn what_can_not_be_a_token_is_refused() {
        for text in [
            "",
            " \n",
            "two words",
            "Bearer eyJ",
            "eyJ\r\nX-Evil: 1",
            "é",
        ] {
            let refusal = Token::parse(&text.into());
            assert!(matches!(refusal, Err(Credentials::NotAToken)), "{text:?}");
        }
    }

    #[test]
    fn no_token_is_shown_by_debug() {
        let secret = jwt(&json!({"aud": "1"}));
        let token = Token::parse(&secret).expect("a token");
        let shown = format!("{token:?} {:?}", TokenSource::given(secret.clone()));
        assert!(
            !shown.contains("c2lnbmF0dXJl") && !shown.contains("eyJ"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn a_file_is_read_again_each_time() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let source = TokenSource::file(file.path());
        for text in ["first\n", "second"] {
            std::fs::write(file.path(), text).expect("written");
            let token = source.read("1").await.expect("a token");
            assert_eq!(token.bearer, format!("Bearer {}", text.trim()));
        }
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named() {
        let error = TokenSource::file("/no/such/token").read("1").await;
        let error = error.expect_err("no file").to_string();
        assert!(error.contains("/no/such/token"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_token_brings_us_down(text in "[!-~]{0,40}\\.[A-Za-z0-9_-]{0,60}\\.x?") {
            let _ = Token::parse(&text.into());
        }
    }
}
